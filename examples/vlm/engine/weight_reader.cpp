// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "weight_reader.hpp"

#include <luq/core/error.hpp>
#include <luq/io/safetensors/checkpoint.hpp>
#include <memory>
#include <span>

namespace vlm {

luq::matrix weight_reader::matrix(const std::string& name, const std::vector<luq::index>& shape) const {
  const std::string full_name = prefix_ + name;
  if (!tensors_.contains(full_name)) {
    luq::fail(luq::errc::corrupt_file, source_, ": tensor '", full_name, "': expected shape ", luq::shape_text(shape),
              ", got no such tensor");
  }
  if (tensors_.shape(full_name) != shape) {
    luq::fail(luq::errc::shape_mismatch, tensors_.shard_of(full_name).source(), ": tensor '", full_name,
              "': expected shape ", luq::shape_text(shape), ", got ", luq::shape_text(tensors_.shape(full_name)));
  }
  luq::matrix result(shape.front(), tensors_.info(full_name).size() / shape.front());
  tensors_.read_floats_into(full_name, {result.data(), static_cast<std::size_t>(result.size())},
                            {.require_finite = true});
  return result;
}

Eigen::RowVectorXf weight_reader::vector(const std::string& name, luq::index size) const {
  const luq::matrix column = matrix(name, {size});  // [size x 1]
  return Eigen::Map<const Eigen::RowVectorXf>(column.data(), size);
}

linear weight_reader::linear(const std::string& name, luq::index out, luq::index in, bool has_bias) const {
  auto weights = std::make_shared<const luq::matrix>(matrix(name + ".weight", {out, in}));
  const std::string bias = name + ".bias";
  if (has_bias) return vlm::linear(std::move(weights), std::make_shared<const Eigen::RowVectorXf>(vector(bias, out)));
  return vlm::linear(std::move(weights));
}

rms_norm weight_reader::rms_norm(const std::string& name, luq::index size, float epsilon) const {
  return {vector(name + ".weight", size), epsilon};
}

layer_norm weight_reader::layer_norm(const std::string& name, luq::index size, float epsilon) const {
  return {vector(name + ".weight", size), vector(name + ".bias", size), epsilon};
}

}  // namespace vlm

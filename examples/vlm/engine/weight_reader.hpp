// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Reads the tensors of one part of a model, converted to float, and checks each against the shape that the
// configuration gives it. A missing tensor, another shape and a weight that is no finite number are errors that name
// the file, the tensor, what was expected and what was found.
#pragma once

#include <luq/core/matrix_view.hpp>
#include <string>
#include <utility>
#include <vector>

#include "linear.hpp"
#include "normalization.hpp"

namespace luq {
class checkpoint;
}

namespace vlm {

/// All readers throw luq::error: corrupt_file for a tensor that is missing, shape_mismatch, non_finite, unsupported for
/// an element type other than F16, BF16, F32 and F64.
class weight_reader {
 public:
  /// @param tensors  outlives the reader
  /// @param source   names the checkpoint in messages
  /// @param prefix   of the names of this part
  weight_reader(const luq::checkpoint& tensors, std::string source, std::string prefix)
      : tensors_(tensors), source_(std::move(source)), prefix_(std::move(prefix)) {}

  /// The part below, e.g. "layers.3.".
  [[nodiscard]] weight_reader part(const std::string& name) const { return {tensors_, source_, prefix_ + name}; }

  /// A tensor of any rank as a matrix of its first axis against all others: [d0 x d1 d2 ...].
  [[nodiscard]] luq::matrix matrix(const std::string& name, const std::vector<luq::index>& shape) const;

  [[nodiscard]] Eigen::RowVectorXf vector(const std::string& name, luq::index size) const;

  /// NAME.weight [out x in] and, if the configuration says so, NAME.bias [out]. Whether there is a bias that it does
  /// not tell of is the business of find_checkpoint_names().
  [[nodiscard]] vlm::linear linear(const std::string& name, luq::index out, luq::index in, bool has_bias) const;

  /// NAME.weight.
  [[nodiscard]] vlm::rms_norm rms_norm(const std::string& name, luq::index size, float epsilon) const;

  /// NAME.weight and NAME.bias.
  [[nodiscard]] vlm::layer_norm layer_norm(const std::string& name, luq::index size, float epsilon) const;

 private:
  const luq::checkpoint& tensors_;
  std::string source_;
  std::string prefix_;
};

}  // namespace vlm

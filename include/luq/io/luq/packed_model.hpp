// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A packed model as one safetensors file. Each linear of the plan is a tensor NAME.packed, U8 [bytes], its packed
// matrix as it is in memory; whatever else the model needs (embeddings, norms, a vision tower) stands beside it under
// its own name and type. The metadata holds "luq.format" = "1" and "luq.plan", the plan as JSON with every codec's
// options, so that the file explains itself. Names that end in ".packed" belong to linears alone.
//
// Size: the data are the plan's total_bytes() and the other tensors, nothing else; the safetensors header before them
// (names, shapes, the plan's text) comes on top and is reported apart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "luq/codecs/any_packed_matrix.hpp"
#include "luq/core/all_finite.hpp"
#include "luq/io/luq/plan_json.hpp"
#include "luq/io/safetensors/safetensors.hpp"
#include "luq/io/safetensors/safetensors_writer.hpp"
#include "luq/policy/plan.hpp"

namespace luq {

/// Packed linears, by layer and then in the order of the plan's shape.
using packed_layers = std::vector<std::vector<const any_packed_matrix*>>;

/// Where the bytes of a packed model file are.
struct packed_model_size {
  std::uint64_t header = 0;   ///< length field and JSON header
  std::uint64_t linears = 0;  ///< packed matrices: the plan's total_bytes()
  std::uint64_t others = 0;   ///< all other tensors

  [[nodiscard]] std::uint64_t file() const { return header + linears + others; }
};

namespace detail {

inline constexpr std::string_view packed_suffix = ".packed";
inline constexpr const char* format_key = "luq.format";
inline constexpr const char* plan_key = "luq.plan";

[[nodiscard]] inline std::string packed_name(const linear_shape& linear) {
  return linear.name + std::string(packed_suffix);
}

[[nodiscard]] inline std::vector<tensor_declaration> packed_declarations(const plan& p,
                                                                         std::span<const tensor_source> others) {
  require_consistent(p);
  std::vector<tensor_declaration> declarations;
  for (std::size_t layer = 0; layer < p.shape.size(); ++layer) {
    for (const linear_shape& linear : p.shape[layer]) {
      declarations.push_back(
          {packed_name(linear), tensor_dtype::u8, {packed_bytes(p.codecs[layer], linear.rows, linear.cols)}});
    }
  }
  for (const tensor_source& other : others) {
    if (other.declaration.name.ends_with(packed_suffix)) {
      fail(errc::invalid_argument, "packed model: tensor ", in_quotes(other.declaration.name),
           " is no linear of the plan, but named like one");
    }
    declarations.push_back(other.declaration);
  }
  return declarations;
}

[[nodiscard]] inline std::map<std::string, std::string> packed_metadata(const plan& p) {
  return {{format_key, "1"}, {plan_key, plan_to_json(p)}};
}

}  // namespace detail

/// The size of the file that write_packed_model() would write, computed from the plan alone.
/// @throws luq::error invalid_argument for names that a safetensors file cannot hold or that two tensors have, and as
///   require_consistent()
[[nodiscard]] inline packed_model_size predict_packed_model_size(const plan& p,
                                                                 std::span<const tensor_source> others = {}) {
  const safetensors_layout layout =
      make_safetensors_layout(detail::packed_declarations(p, others), detail::packed_metadata(p));
  const auto linears = static_cast<std::uint64_t>(total_bytes(p));
  return {layout.header.size(), linears, layout.data_bytes() - linears};
}

/// Writes a packed model atomically.
/// @param weights  one matrix per linear of the plan, of its shape and codec
/// @param others   further tensors, written as they are
/// @throws luq::error shape_mismatch if weights and plan differ, io_failure, or as predict_packed_model_size(); a file
///   that was there before is then untouched
inline void write_packed_model(const std::filesystem::path& path, const plan& p, const packed_layers& weights,
                               std::span<const tensor_source> others = {}) {
  require_consistent(p);
  if (weights.size() != p.shape.size()) {
    fail(errc::shape_mismatch, "packed model: expected ", p.shape.size(), " layers, got ", weights.size());
  }
  for (std::size_t layer = 0; layer < weights.size(); ++layer) {
    if (weights[layer].size() != p.shape[layer].size()) {
      fail(errc::shape_mismatch, "packed model: layer ", layer, ": expected ", p.shape[layer].size(), " linears, got ",
           weights[layer].size());
    }
    for (std::size_t i = 0; i < weights[layer].size(); ++i) {
      const linear_shape& linear = p.shape[layer][i];
      LUQ_ASSERT(weights[layer][i] != nullptr);
      const any_packed_matrix& packed = *weights[layer][i];
      if (rows_of(packed) != linear.rows || cols_of(packed) != linear.cols || codec_of(packed) != p.codecs[layer]) {
        fail(errc::shape_mismatch, "packed model: linear ", detail::in_quotes(linear.name), ": expected ",
             codec_name(p.codecs[layer]), ", ", linear.rows, " x ", linear.cols, ", got ", codec_name(codec_of(packed)),
             ", ", rows_of(packed), " x ", cols_of(packed));
      }
    }
  }
  safetensors_writer writer(path, detail::packed_declarations(p, others), detail::packed_metadata(p));
  for (std::size_t layer = 0; layer < weights.size(); ++layer) {
    for (std::size_t i = 0; i < weights[layer].size(); ++i) {
      writer.write(detail::packed_name(p.shape[layer][i]), bytes_of(*weights[layer][i]));
    }
  }
  for (const tensor_source& other : others) writer.write(other.declaration.name, other.data);
  writer.commit();
}

/// A packed model file, open. The other tensors are read through file().
class packed_model {
 public:
  /// Reads and checks the plan and every linear.
  /// @throws luq::error io_failure, corrupt_file if the file is no packed model, contradicts its own plan or holds a
  ///   non-finite scale, unsupported for another version of the format
  explicit packed_model(const std::filesystem::path& path) : file_(path) {
    const auto format = file_.metadata().find(detail::format_key);
    const auto plan_text = file_.metadata().find(detail::plan_key);
    if (format == file_.metadata().end() || plan_text == file_.metadata().end()) {
      fail(errc::corrupt_file, file_.source(), ": no packed model: expected metadata ", detail::format_key, " and ",
           detail::plan_key);
    }
    if (format->second != "1") {
      fail(errc::unsupported, file_.source(), ": ", detail::format_key, ": expected 1, got ",
           detail::in_quotes(format->second));
    }
    plan_ = plan_from_json(plan_text->second, file_.source());
    require_no_other_linears();
    for (std::size_t layer = 0; layer < plan_.shape.size(); ++layer) {
      layers_.emplace_back();
      for (const linear_shape& linear : plan_.shape[layer]) {
        layers_.back().push_back(read_linear(linear, plan_.codecs[layer]));
      }
    }
  }

  [[nodiscard]] const plan& choice() const { return plan_; }

  /// The linears, by layer and in the order of the plan's shape.
  [[nodiscard]] const std::vector<std::vector<any_packed_matrix>>& layers() const { return layers_; }

  /// The file, for the tensors that are not packed.
  [[nodiscard]] const safetensors_reader& file() const { return file_; }

  [[nodiscard]] packed_model_size size() const {
    const auto linears = static_cast<std::uint64_t>(total_bytes(plan_));
    return {file_.header_bytes(), linears, file_.file_bytes() - file_.header_bytes() - linears};
  }

 private:
  void require_no_other_linears() const {
    std::set<std::string> planned;
    for (const layer_shape& layer : plan_.shape) {
      for (const linear_shape& linear : layer) planned.insert(detail::packed_name(linear));
    }
    for (const tensor_info& tensor : file_.tensors()) {
      if (tensor.name.ends_with(detail::packed_suffix) && !planned.contains(tensor.name)) {
        fail(errc::corrupt_file, file_.source(), ": tensor ", detail::in_quotes(tensor.name),
             " is no linear of the plan");
      }
    }
  }

  [[nodiscard]] any_packed_matrix read_linear(const linear_shape& linear, const any_codec& codec) const {
    const std::string name = detail::packed_name(linear);
    if (!file_.contains(name)) {
      fail(errc::corrupt_file, file_.source(), ": the plan names linear ", detail::in_quotes(linear.name),
           ", but there is no tensor ", detail::in_quotes(name));
    }
    const tensor_info& info = file_.info(name);
    const index expected = packed_bytes(codec, linear.rows, linear.cols);
    if (info.dtype != tensor_dtype::u8 || info.shape != std::vector<index>{expected}) {
      fail(errc::corrupt_file, file_.source(), ": tensor ", detail::in_quotes(name), ": expected U8 [", expected,
           "], got ", info.dtype_label, " ", shape_text(info.shape));
    }
    const auto bytes = file_.bytes(name);
    any_packed_matrix packed = make_packed_matrix(codec, linear.rows, linear.cols, {bytes.begin(), bytes.end()});
    std::visit([&](const auto& p) { require_finite(p, name); }, packed);
    return packed;
  }

  /// Any bytes are codes, but not any bytes are parameters.
  template <class Codec>
  void require_finite(const packed_matrix<Codec>& packed, const std::string& name) const {
    for (index t = 0; t < packed.layout().row_tiles(); ++t) {
      for (index g = 0; g < packed.layout().groups(); ++g) {
        if (!all_finite(packed.tile_parameters(t, g))) {
          fail(errc::corrupt_file, file_.source(), ": tensor ", detail::in_quotes(name),
               ": a scale is not finite in rows from ", t * tile_rows, ", columns from ",
               packed.layout().first_column(g));
        }
      }
    }
  }

  safetensors_reader file_;
  plan plan_;
  std::vector<std::vector<any_packed_matrix>> layers_;
};

}  // namespace luq

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The definitions of luq/io/luq/packed_model.hpp.
//
// IWYU pragma: private, include "luq/io/luq/packed_model.hpp"
#pragma once

#include "luq/io/luq/packed_model.hpp"

#include <cstddef>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <variant>

#include "luq/core/all_finite.hpp"
#include "luq/core/assert.hpp"
#include "luq/core/compiled.hpp"
#include "luq/core/error.hpp"
#include "luq/core/index.hpp"
#include "luq/io/files/detail/printable.hpp"
#include "luq/io/files/strict_json.hpp"
#include "luq/io/luq/detail/packed_tensors.hpp"
#include "luq/io/luq/plan_json.hpp"
#include "luq/io/safetensors/safetensors_writer.hpp"
#include "luq/io/tensors/tensor_info.hpp"

namespace luq {

namespace detail {

/// Any bytes are codes, but not any bytes are parameters.
/// @param name  of the matrix's tensor in `file`
template <class Codec>
void require_finite_parameters(const packed_matrix<Codec>& packed, const safetensors_reader& file,
                               const std::string& name) {
  for (index t = 0; t < packed.layout().row_tiles(); ++t) {
    for (index g = 0; g < packed.layout().groups(); ++g) {
      if (!all_finite(packed.tile_parameters(t, g))) {
        fail(errc::corrupt_file, file.source(), ": tensor ", in_quotes(name), ": a scale is not finite in rows from ",
             t * tile_rows, ", columns from ", packed.layout().first_column(g));
      }
    }
  }
}

[[nodiscard]] inline std::string_view stored_transform_of(const any_packed_matrix& packed) {
  const shared_transform transform = transform_of(packed);
  return transform ? transform->name() : std::string_view();
}

/// Whether a matrix is stored as a recipe says.
[[nodiscard]] inline bool has_stored_form(const any_packed_matrix& packed, const recipe& how) {
  return codec_of(packed) == how.codec && stored_transform_of(packed) == stored_transform(how);
}

}  // namespace detail

LUQ_INLINE packed_model_size predict_packed_model_size(const plan& p, std::span<const tensor_source> others) {
  const safetensors_layout layout =
      make_safetensors_layout(detail::packed_declarations(p, others), detail::packed_metadata(p));
  const auto linears = static_cast<std::uint64_t>(total_bytes(p));
  return {layout.header.size(), linears, layout.data_bytes() - linears};
}

LUQ_INLINE void write_packed_model(const std::filesystem::path& path, const plan& p, const packed_layers& weights,
                                   std::span<const tensor_source> others) {
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
      if (rows_of(packed) != linear.rows || cols_of(packed) != linear.cols ||
          !detail::has_stored_form(packed, p.recipes[layer])) {
        fail(errc::shape_mismatch, "packed model: linear ", detail::in_quotes(linear.name), ": expected ",
             stored_name(p.recipes[layer]), ", ", linear.rows, " x ", linear.cols, ", got ",
             stored_name(detail::stored_transform_of(packed), codec_of(packed)), ", ", rows_of(packed), " x ",
             cols_of(packed));
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

LUQ_INLINE packed_model::packed_model(const std::filesystem::path& path) : file_(path) {
  const auto format = file_.metadata().find(detail::format_key);
  const auto plan_text = file_.metadata().find(detail::plan_key);
  if (format == file_.metadata().end() || plan_text == file_.metadata().end()) {
    fail(errc::corrupt_file, file_.source(), ": no packed model: expected metadata ", detail::format_key, " and ",
         detail::plan_key);
  }
  if (format->second != detail::format_version) {
    fail(errc::unsupported, file_.source(), ": ", detail::format_key, ": expected ", detail::format_version, ", got ",
         detail::in_quotes(format->second));
  }
  plan_ = plan_from_json(plan_text->second, file_.source());
  require_known_forms();
  require_no_other_linears();
  for (std::size_t layer = 0; layer < plan_.shape.size(); ++layer) {
    layers_.emplace_back();
    for (const linear_shape& linear : plan_.shape[layer]) {
      layers_.back().push_back(read_linear(linear, plan_.recipes[layer]));
    }
  }
}

LUQ_INLINE packed_model_size packed_model::size() const {
  const auto linears = static_cast<std::uint64_t>(total_bytes(plan_));
  return {file_.header_bytes(), linears, file_.file_bytes() - file_.header_bytes() - linears};
}

LUQ_INLINE void packed_model::require_known_forms() const {
  const auto stored = file_.metadata().find(detail::stored_key);
  if (stored == file_.metadata().end()) {
    fail(errc::corrupt_file, file_.source(), ": expected metadata ", detail::stored_key);
  }
  const std::string source = file_.source() + ": " + detail::stored_key;
  const nlohmann::json forms = parse_strict_json(stored->second, source);
  const std::map<std::string, int> known = detail::stored_forms(plan_);
  if (!forms.is_object() || forms.size() != known.size()) {
    fail(errc::corrupt_file, source, ": expected the ", known.size(), " stored forms of the plan");
  }
  for (const auto& [name, version] : known) {
    if (!forms.contains(name) || !forms[name].is_number_integer()) {
      fail(errc::corrupt_file, source, ": expected the version of ", name);
    }
    if (forms[name] != version) {
      fail(errc::unsupported, source, ": ", name, ": expected version ", version, ", got ",
           detail::printable(forms[name].dump(), 40));
    }
  }
}

LUQ_INLINE void packed_model::require_no_other_linears() const {
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

LUQ_INLINE any_packed_matrix packed_model::read_linear(const linear_shape& linear, const recipe& how) const {
  const std::string name = detail::packed_name(linear);
  if (!file_.contains(name)) {
    fail(errc::corrupt_file, file_.source(), ": the plan names linear ", detail::in_quotes(linear.name),
         ", but there is no tensor ", detail::in_quotes(name));
  }
  const tensor_info& info = file_.info(name);
  const index expected = packed_bytes(how, linear.rows, linear.cols);
  if (info.dtype != tensor_dtype::u8 || info.shape != std::vector<index>{expected}) {
    fail(errc::corrupt_file, file_.source(), ": tensor ", detail::in_quotes(name), ": expected U8 [", expected,
         "], got ", info.dtype_label, " ", shape_text(info.shape));
  }
  const auto bytes = file_.bytes(name);
  any_packed_matrix packed =
      make_packed_matrix(how.codec, linear.rows, linear.cols, {bytes.begin(), bytes.end()}, stored_transform(how));
  std::visit([&](const auto& p) { detail::require_finite_parameters(p, file_, name); }, packed);
  return packed;
}

}  // namespace luq

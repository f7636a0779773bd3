// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// GPTQ linears (gptq_tensors.hpp) in safetensors files: what the four tensors of a linear are called, written and read.
//
//   const luq::gptq_tensors t = luq::make_gptq_tensors(packed, luq::gptq_format::v2);
//   luq::write_safetensors("model.safetensors", luq::gptq_tensor_sources("model.layers.0.mlp.up_proj", t));
//
// Bits, group and format of a linear stand in a configuration file (gptq_config.hpp), not beside the tensors.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "luq/core/error.hpp"
#include "luq/io/files/detail/printable.hpp"
#include "luq/io/gptq/detail/gptq_checks.hpp"
#include "luq/io/gptq/gptq_format.hpp"
#include "luq/io/gptq/gptq_tensors.hpp"
#include "luq/io/safetensors/tensor_source.hpp"
#include "luq/io/tensors/tensor_info.hpp"

namespace luq {

/// What safetensors_writer is told of a linear before its data is there.
/// @throws luq::error invalid_argument unless rows and columns are multiples of 32 and bits are 2, 3, 4 or 8
[[nodiscard]] std::vector<tensor_declaration> gptq_declarations(const std::string& name, unsigned bits, index rows,
                                                                index cols, index group);

/// The tensors with their names, for write_safetensors(); `t` must outlive them.
/// @throws luq::error as require_consistent()
[[nodiscard]] std::vector<tensor_source> gptq_tensor_sources(const std::string& name, const gptq_tensors& t);

/// Reads a linear from a safetensors_reader or a checkpoint. Without a tensor NAME.g_idx, groups are natural.
/// @param bits, group, format  as its configuration says (gptq_config.hpp); shapes must agree with them
/// @throws luq::error invalid_argument if a tensor is missing, corrupt_file if a tensor has another type or shape, and
///   as require_consistent()
template <class Reader>
[[nodiscard]] gptq_tensors read_gptq_tensors(const Reader& file, const std::string& name, unsigned bits, index group,
                                             gptq_format format) {
  detail::require_gptq_bits(name, bits);
  const std::vector<index>& weight = file.info(name + ".qweight").shape;
  if (weight.size() != 2 || weight[0] < 1 || weight[1] < 1 || weight[0] % static_cast<index>(bits) != 0) {
    fail(errc::corrupt_file, "gptq linear ", detail::in_quotes(name), ": qweight: expected words in a multiple of ",
         bits, " rows for ", bits, " bits, got ", shape_text(weight));
  }
  gptq_tensors t{.format = format,
                 .bits = bits,
                 .rows = weight[1],
                 .cols = weight[0] / static_cast<index>(bits) * detail::gptq_block,
                 .group = group,
                 .qweight = {},
                 .qzeros = {},
                 .scales = {},
                 .g_idx = {}};
  const auto declarations = gptq_declarations(name, bits, t.rows, t.cols, group);
  const bool has_groups = file.contains(declarations[3].name);
  for (const tensor_declaration& expected : declarations) {
    if (&expected == &declarations[3] && !has_groups) continue;
    const tensor_info& got = file.info(expected.name);
    if (got.dtype != expected.dtype || got.shape != expected.shape) {
      fail(errc::corrupt_file, "gptq linear ", detail::in_quotes(name), ": tensor ", detail::in_quotes(expected.name),
           ": expected ", dtype_name(expected.dtype), " ", shape_text(expected.shape), " for ", bits,
           " bits and groups of ", group, ", got ", got.dtype_label, " ", shape_text(got.shape));
    }
  }
  t.qweight = file.template read_integers<std::int32_t>(declarations[0].name);
  t.qzeros = file.template read_integers<std::int32_t>(declarations[1].name);
  for (const float scale : file.read_floats(declarations[2].name)) t.scales.emplace_back(scale);  // exact: they are F16
  if (has_groups) {
    t.g_idx = file.template read_integers<std::int32_t>(declarations[3].name);
  } else {
    const index size = group == whole_row ? t.cols : group;
    for (index c = 0; c < t.cols; ++c) t.g_idx.push_back(static_cast<std::int32_t>(c / size));
  }
  require_consistent(t, name);
  return t;
}

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/io/gptq/impl/gptq_safetensors.hpp"
#endif

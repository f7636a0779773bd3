// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The definitions of luq/io/luq/detail/packed_tensors.hpp.
//
// IWYU pragma: private, include "luq/io/luq/detail/packed_tensors.hpp"
#pragma once

#include "luq/io/luq/detail/packed_tensors.hpp"

#include <cstddef>
#include <nlohmann/json.hpp>

#include "luq/codecs/recipe.hpp"
#include "luq/core/compiled.hpp"
#include "luq/core/error.hpp"
#include "luq/io/files/detail/printable.hpp"
#include "luq/io/luq/plan_json.hpp"
#include "luq/io/tensors/tensor_info.hpp"

namespace luq::detail {

LUQ_INLINE std::vector<tensor_declaration> packed_declarations(const plan& p, std::span<const tensor_source> others) {
  require_consistent(p);
  std::vector<tensor_declaration> declarations;
  for (std::size_t layer = 0; layer < p.shape.size(); ++layer) {
    for (const linear_shape& linear : p.shape[layer]) {
      declarations.push_back(
          {packed_name(linear), tensor_dtype::u8, {packed_bytes(p.recipes[layer], linear.rows, linear.cols)}});
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

LUQ_INLINE std::map<std::string, int> stored_forms(const plan& p) {
  std::map<std::string, int> forms;
  for (const recipe& how : p.recipes) {
    const codec_format codec = format_of(how.codec);
    forms.emplace(codec.family, codec.version);
    if (const std::string_view transform = stored_transform(how); !transform.empty()) forms.emplace(transform, 1);
  }
  return forms;
}

LUQ_INLINE std::map<std::string, std::string> packed_metadata(const plan& p) {
  return {{format_key, std::string(format_version)},
          {stored_key, nlohmann::json(stored_forms(p)).dump()},
          {plan_key, plan_to_json(p)}};
}

}  // namespace luq::detail

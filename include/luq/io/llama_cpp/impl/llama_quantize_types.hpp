// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The definitions of luq/io/llama_cpp/llama_quantize_types.hpp.
//
// IWYU pragma: private, include "luq/io/llama_cpp/llama_quantize_types.hpp"
#pragma once

#include "luq/io/llama_cpp/llama_quantize_types.hpp"

#include <optional>

#include "luq/codecs/any_codec.hpp"
#include "luq/core/compiled.hpp"
#include "luq/io/exports/detail/export_forms.hpp"
#include "luq/io/exports/export_target.hpp"
#include "luq/io/llama_cpp/detail/llama_cpp_types.hpp"

namespace luq {

LUQ_INLINE llama_cpp_types llama_quantize_types(const plan& p, llama_cpp_types given) {
  for (const recipe& how : p.recipes) {
    const any_codec& codec = how.codec;
    if (detail::llama_cpp_type(codec, given)) continue;
    constexpr export_target target = export_target::llama_quantize;
    const std::optional<detail::export_form> own = detail::form_of(target, codec);
    given[codec_name(codec)] = own ? own->name : detail::form_of(target, detail::nearest_codec(target, codec))->name;
  }
  return given;
}

}  // namespace luq

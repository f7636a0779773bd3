// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The types of ggml that stand for the codecs of a plan when llama-quantize codes the weights anew, for
// llama_cpp_export.hpp: those that hold what the codec holds (q1_0, q4_0), otherwise the type of the table in
// export_linter.hpp, and for codecs that are not in it the type of the next one that has at least its nominal bits. The
// linter's findings for export_target::llama_quantize say which codecs these are.
//
// A choice by width, not by quality: iq1_m in place of billm is another code of other levels.
#pragma once

#include <optional>
#include <string>

#include "luq/codecs/any_codec.hpp"
#include "luq/io/exports/detail/export_forms.hpp"
#include "luq/io/llama_cpp/llama_cpp_export.hpp"
#include "luq/policy/plan.hpp"

namespace luq {

/// A type for every codec of a plan.
/// @param given  types that are the caller's choice, kept
[[nodiscard]] inline llama_cpp_types llama_quantize_types(const plan& p, llama_cpp_types given = {}) {
  for (const any_codec& codec : p.codecs) {
    if (detail::llama_cpp_type(codec, given)) continue;
    constexpr export_target target = export_target::llama_quantize;
    const std::optional<detail::export_form> own = detail::form_of(target, codec);
    given[codec_name(codec)] = own ? own->name : detail::form_of(target, detail::nearest_codec(target, codec))->name;
  }
  return given;
}

}  // namespace luq

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

#include "luq/io/llama_cpp/llama_cpp_export.hpp"
#include "luq/policy/plan.hpp"

namespace luq {

/// A type for every codec of a plan.
/// @param given  types that are the caller's choice, kept
[[nodiscard]] llama_cpp_types llama_quantize_types(const plan& p, llama_cpp_types given = {});

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/io/llama_cpp/impl/llama_quantize_types.hpp"
#endif

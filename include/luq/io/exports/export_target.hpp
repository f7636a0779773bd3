// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Where a plan can go.
#pragma once

namespace luq {

/// Where a plan is to go; see the table in export_linter.hpp.
enum class export_target { gptq, vllm_gptq, vllm_marlin, llama_cpp, llama_quantize };

}  // namespace luq

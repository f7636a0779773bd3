// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What of a plan a file format or its engines cannot hold, found before anything is quantized or written. A finding
// says which linears are concerned, what the target demands, and what would have to change; nothing is changed here.
//
//   target          codecs, their groups, and what they become               inputs            outputs
//   gptq            int2, int3, int4, int8; 16, 32, ... 1024 or whole row    k * 32            k * 32
//   vllm_gptq       int2, int3, int4, int8; 32, 64, ... 1024 or whole row    k * 32, k * group k * 32
//   vllm_marlin     symmetric int4, int8; 32, 64, 128 or whole row           k * 128           k * 64
//   llama_cpp       sign; k * 128 or whole row: Q1_0                         k * 128
//                   ternary; k * 256 or whole row: TQ2_0                     k * 256
//                   symmetric int4, int8; k * 32 or whole row: Q4_0, Q8_0    k * 32
//   llama_quantize  sign: q1_0                                               k * 128
//                   billm: iq1_m; ternary: tq1_0                             k * 256
//                   int2, int3, int4: q2_k, q3_k, q4_k                       k * 256
//                   int8: q8_0                                               k * 32
//
// gptq is GPTQ tensors for GPTQModel, vllm_gptq and vllm_marlin the same for vLLM without and with its Marlin kernels,
// llama_cpp GGUF with exactly the codes and scales of the plan, llama_quantize a list of types for the program of that
// name, which codes the weights anew.
//
// vLLM loads q_proj, k_proj and v_proj as one linear, and gate_proj and up_proj: those of one must be coded alike, or
// all be dense. The limits are those of GPTQModel 7, vLLM's gptq and gptq_marlin, and llama.cpp, read in 2026.
//
// Not looked at: whether an engine knows the model's architecture, and what tensor parallelism demands (each part must
// divide as the whole must).
#pragma once

#include <string>
#include <vector>

#include "luq/io/exports/export_target.hpp"
#include "luq/policy/plan.hpp"

namespace luq {

/// What a finding is about.
enum class export_problem {
  codec,  ///< the target has no form for the codec with its options
  shape,  ///< the linear's sizes do not divide as the form demands
  fused,  ///< linears that are loaded as one would differ
};

struct export_finding {
  export_problem problem;
  std::vector<std::string> modules;  ///< the linears concerned, in the order of the plan
  std::string demand;                ///< what the target cannot hold, and why
  std::string remedy;                ///< what luq would change

  friend bool operator==(const export_finding&, const export_finding&) = default;
};

/// What `target` cannot hold of a plan: first codecs and shapes in the order of the plan, then fused linears. Shapes
/// are those of linears whose codec, if need be, has been changed as the finding about it says, and fused linears are
/// compared as all findings before leave them.
/// @throws luq::error as require_consistent()
[[nodiscard]] std::vector<export_finding> lint_export(const plan& p, export_target target);

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/io/exports/impl/export_linter.hpp"
#endif

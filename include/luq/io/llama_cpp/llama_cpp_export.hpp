// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A plan for llama.cpp to carry out: which type each weight gets, as text for its quantizer, which then encodes from
// float weights by its own searches. So it may use types that luq has no codec for (iq1_m); the codes are not those
// that luq would choose.
//
//   llama-quantize --pure --imatrix imatrix.gguf --tensor-type-file types.txt model-f16.gguf model.gguf q4_k
//
// With --pure, tensors without a line have the type at the end, exactly. A line of types.txt is PATTERN=TYPE, where
// PATTERN is lower-cased and searched for in the tensor's name as an ECMAScript regular expression; the first line that
// matches decides (a version of 2025 let the last one decide). Lines here are anchored and lower case, and each matches
// its own tensor only, so their order means nothing:
//
//   ^blk\.7\.ffn_down\.weight$=q1_0
//
// The importance matrix is imatrix.hpp's business. Not a model: vision towers and projectors are other files of
// llama.cpp, and have no lines.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "luq/io/llama_cpp/llama_cpp_names.hpp"
#include "luq/policy/plan.hpp"

namespace luq {

/// The type that stands for each codec, both as text, such as {{"ternary:g256", "tq2_0"}}. Codecs that are not in it
/// have the type that holds what they hold, for sign:g128 q1_0 and for symmetric int4 q4_0, or none.
using llama_cpp_types = std::map<std::string, std::string, std::less<>>;

/// One weight of a plan under llama.cpp's names.
struct llama_cpp_choice {
  std::string tensor;  ///< "blk.7.ffn_down.weight"
  std::string type;    ///< "q1_0"
};

/// The type of every linear of a plan, by layer and in the order of its shape.
/// @throws luq::error invalid_argument naming the codecs without a type; unsupported naming a linear that has no name
///   in llama.cpp, or columns that are not whole blocks of its type; as require_consistent()
[[nodiscard]] std::vector<llama_cpp_choice> llama_cpp_choices(const plan& p, const llama_cpp_types& types = {});

/// The content of a file for llama-quantize --tensor-type-file.
/// @throws luq::error as llama_cpp_choices(); invalid_argument for a type that ggml does not have
[[nodiscard]] std::string llama_cpp_tensor_type_file(const plan& p, const llama_cpp_types& types = {});

/// The argument for the --custom-q of ik_llama.cpp's llama-quantize, which separates the same by commas. Its types are
/// not checked, for it has more than ggml. A shell wants the argument in single quotes.
/// @throws luq::error as llama_cpp_choices(); invalid_argument for a type that is not lower-case letters, digits and _
[[nodiscard]] std::string ik_llama_cpp_custom_q(const plan& p, const llama_cpp_types& types = {});

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/io/llama_cpp/impl/llama_cpp_export.hpp"
#endif

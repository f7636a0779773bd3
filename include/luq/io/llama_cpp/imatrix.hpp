// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// An importance matrix for llama-quantize --imatrix: what the inputs of each weight look like. It is the GGUF file of
// llama-imatrix, for each weight of `in` columns two tensors of f32,
//
//   NAME.in_sum2 [in] = sum of x_i^2 over tokens          NAME.counts [1] = tokens
//
// of which the quantizer takes the quotient. A Hessian of luq has the quotient in its diagonal, H_ii = 2 mean(x_i^2),
// over image tokens too. NAME is llama.cpp's name of the weight (llama_cpp_names.hpp).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "luq/core/index.hpp"
#include "luq/core/matrix_view.hpp"

namespace luq {

/// What an importance matrix knows of one weight.
struct imatrix_entry {
  std::string tensor;          ///< "blk.7.ffn_down.weight"
  std::vector<float> in_sum2;  ///< [in] sum of x_i^2 over tokens, finite and >= 0
  index tokens = 0;            ///< >= 1
};

/// The entry of a linear from its Hessian. Linears with the same input, such as query, key and value, need one each.
/// With weighted tokens in_sum2 is the weighted mean of x_i^2 times the number of tokens, for the quantizer rounds
/// counts to integers.
/// @param H       [in x in], as luq::hessian::matrix() gives it; only the diagonal is read
/// @param tokens  as luq::hessian::tokens()
/// @throws luq::error unsupported if the module has no name in llama.cpp
[[nodiscard]] imatrix_entry make_imatrix_entry(std::string_view module, const matrix_view& H, index tokens);

/// Where the tokens of an importance matrix come from; llama.cpp only shows it.
struct imatrix_origin {
  std::vector<std::string> datasets;  ///< names of files or sets, at least one by custom
  std::uint32_t chunk_count = 1;      ///< sequences
  std::uint32_t chunk_size = 512;     ///< tokens of a sequence; 512 is llama-imatrix's default
};

/// Writes an importance matrix that llama-quantize --imatrix reads, by ascending names as llama-imatrix does.
/// @throws luq::error invalid_argument without entries, for a negative sum or a tensor named twice; insufficient_data
///   for an entry without tokens; non_finite; io_failure
void write_imatrix(const std::filesystem::path& path, std::vector<imatrix_entry> entries, const imatrix_origin& origin);

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/io/llama_cpp/impl/imatrix.hpp"
#endif

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The linears of a plan on their way into a model of llama.cpp: their names there, their blocks with rows in the order
// of the architecture, and whether they are all linears that a decoder has.
//
// IWYU pragma: private, include "luq/io/llama_cpp/llama_cpp_model.hpp"
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "luq/codecs/any_packed_matrix.hpp"
#include "luq/core/assert.hpp"
#include "luq/core/error.hpp"
#include "luq/core/index.hpp"
#include "luq/io/files/detail/printable.hpp"
#include "luq/io/gguf/ggml_blocks.hpp"
#include "luq/io/gguf/gguf_writer.hpp"
#include "luq/io/llama_cpp/detail/gguf_weight_name.hpp"
#include "luq/io/llama_cpp/detail/rotary_rows.hpp"
#include "luq/io/llama_cpp/llama_cpp_decoder.hpp"
#include "luq/io/luq/packed_model.hpp"
#include "luq/policy/plan.hpp"

namespace luq::detail {

/// One linear on its way into a file.
struct llama_cpp_linear {
  std::string tensor;
  const any_packed_matrix* weights;
  index rotary_head_dim = 0;  ///< of rows that are stored in pairs of neighbours; 0 for rows in their order

  [[nodiscard]] gguf_declaration declaration() const {
    const index cols = cols_of(*weights);
    return {tensor, ggml_blocks_type(codec_of(*weights), cols), {rows_of(*weights), cols}};
  }

  [[nodiscard]] std::vector<std::byte> data() const {
    std::vector<std::byte> blocks = to_ggml_blocks(*weights);
    if (rotary_head_dim == 0) return blocks;
    return rows_by_neighbours(blocks, rows_of(*weights), rotary_head_dim);
  }
};

/// Whether a tensor's rows are features that a rotary embedding turns.
[[nodiscard]] inline bool has_rotary_rows(std::string_view tensor) {
  return tensor.find(".attn_q.") != std::string_view::npos || tensor.find(".attn_k.") != std::string_view::npos;
}

/// The linears of a plan that require_llama_cpp_model() takes, in its order.
/// @param rotary_head_dim  features of a head where pairs are neighbours, otherwise 0
[[nodiscard]] inline std::vector<llama_cpp_linear> llama_cpp_linears(const plan& p, const packed_layers& weights,
                                                                     index rotary_head_dim) {
  LUQ_ASSERT(weights.size() == p.shape.size());
  std::vector<llama_cpp_linear> linears;
  for (std::size_t layer = 0; layer < p.shape.size(); ++layer) {
    LUQ_ASSERT(weights[layer].size() == p.shape[layer].size());
    for (std::size_t i = 0; i < p.shape[layer].size(); ++i) {
      const linear_shape& shape = p.shape[layer][i];
      const any_packed_matrix* const packed = weights[layer][i];
      LUQ_ASSERT(packed != nullptr && rows_of(*packed) == shape.rows && cols_of(*packed) == shape.cols &&
                 codec_of(*packed) == p.recipes[layer].codec);
      std::string tensor = gguf_weight_name(shape.name);
      const index head_dim = has_rotary_rows(tensor) ? rotary_head_dim : 0;
      if (head_dim != 0 && shape.rows % head_dim != 0) {
        fail(errc::shape_mismatch, "llama.cpp model: ", in_quotes(shape.name), ": expected heads of ", head_dim,
             " rows, got ", shape.rows, " rows");
      }
      linears.push_back({std::move(tensor), packed, head_dim});
    }
  }
  return linears;
}

/// Checks that a plan has the seven linears of every layer of a decoder and no others.
/// @throws luq::error shape_mismatch
inline void require_all_linears(const plan& p, const llama_cpp_decoder& d) {
  const index width = d.heads * d.head_dim;
  const index narrow = d.key_value_heads * d.head_dim;
  const std::array<linear_shape, 7> expected{linear_shape{"attn_q", width, d.hidden_size},
                                             linear_shape{"attn_k", narrow, d.hidden_size},
                                             linear_shape{"attn_v", narrow, d.hidden_size},
                                             linear_shape{"attn_output", d.hidden_size, width},
                                             linear_shape{"ffn_gate", d.intermediate_size, d.hidden_size},
                                             linear_shape{"ffn_up", d.intermediate_size, d.hidden_size},
                                             linear_shape{"ffn_down", d.hidden_size, d.intermediate_size}};
  std::map<std::string, const linear_shape*> linears;
  for (const layer_shape& layer : p.shape) {
    for (const linear_shape& linear : layer) linears.emplace(gguf_weight_name(linear.name), &linear);
  }
  for (index layer = 0; layer < d.layers; ++layer) {
    for (const linear_shape& e : expected) {
      const std::string tensor = "blk." + std::to_string(layer) + "." + e.name + ".weight";
      const auto got = linears.find(tensor);
      if (got == linears.end()) {
        fail(errc::shape_mismatch, "llama.cpp model: no linear of the plan becomes ", tensor);
      }
      if (got->second->rows != e.rows || got->second->cols != e.cols) {
        fail(errc::shape_mismatch, "llama.cpp model: ", in_quotes(got->second->name), ": expected ", e.rows, " x ",
             e.cols, " by the decoder's sizes, got ", got->second->rows, " x ", got->second->cols);
      }
    }
  }
  const auto all = static_cast<std::size_t>(d.layers) * expected.size();
  if (linears.size() != all) {
    fail(errc::shape_mismatch, "llama.cpp model: expected ", all, " linears for ", d.layers, " layers, got ",
         linears.size());
  }
}

}  // namespace luq::detail

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// One LLaMA layer, which but for its biases is one of Qwen2, on the residual stream X:
//
//   X += o(attention(rotate(q(N1)), rotate(k(N1)), v(N1)))     N1 = rms_norm(X)
//   X += down(silu(gate(N2)) * up(N2))                         N2 = rms_norm(X)
//
// Several sequences are run at once, their rows stacked: linears multiply all rows together, which is what makes them
// fast, and attention stays within each sequence.
#pragma once

#include <array>
#include <luq/core/matrix_view.hpp>
#include <luq/estimators/token_class.hpp>
#include <span>
#include <vector>

#include "attention.hpp"
#include "compute_options.hpp"
#include "decoder_linear.hpp"
#include "kv_cache.hpp"
#include "layer_observer.hpp"
#include "linear.hpp"
#include "normalization.hpp"
#include "rotary_embedding.hpp"
#include "text_config.hpp"
#include "token_position.hpp"

namespace vlm {

class weight_reader;

/// The rows of one sequence in a stack, and the positions that came before them.
struct stacked_sequence {
  luq::index first_row;
  luq::index rows;
  kv_cache* cache;                         ///< not null, and not that of another sequence of the stack
  std::span<const image_grid> grids = {};  ///< of its images' tokens, see positions_of()
};

/// What all layers of one forward pass share.
struct decoder_batch {
  std::vector<stacked_sequence> sequences;
  std::vector<luq::token_class> classes;  ///< one per row
  std::vector<token_position> positions;  ///< one per row
  rotary_table rotation;                  ///< one row per row
  compute_options compute;
};

struct linear_size {
  luq::index out;
  luq::index in;
};

/// The size that a configuration gives a linear of every decoder layer.
[[nodiscard]] linear_size size_of(const text_config& config, decoder_linear which);

/// Whether a configuration gives a linear of every decoder layer a bias.
[[nodiscard]] bool has_bias(const text_config& config, decoder_linear which);

class decoder_layer {
 public:
  /// Reads the tensors of one layer.
  decoder_layer(const text_config& config, luq::index number, const weight_reader& weights);

  /// A layer of parts that are in memory.
  /// @param linears  of the sizes that size_of() tells, in the order of decoder_linears
  decoder_layer(const text_config& config, luq::index number, rms_norm attention_norm, rms_norm mlp_norm,
                std::array<linear, decoder_linears.size()> linears);

  [[nodiscard]] const linear& operator[](decoder_linear which) const {
    return linears_[static_cast<std::size_t>(which)];
  }
  [[nodiscard]] linear& operator[](decoder_linear which) { return linears_[static_cast<std::size_t>(which)]; }

  /// Replaces X [rows x hidden] by the layer's output and appends keys and values to the caches.
  /// @param observer  null for none
  void forward(const decoder_batch& batch, luq::matrix& X, layer_observer* observer) const;

 private:
  [[nodiscard]] luq::matrix attention_heads_of(const decoder_batch& batch, const luq::matrix& normed) const;

  luq::index number_;
  attention_heads heads_;
  activation activation_;
  rms_norm attention_norm_;
  rms_norm mlp_norm_;
  std::array<linear, decoder_linears.size()> linears_;
};

}  // namespace vlm

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Rotary position embedding (Su et al., arXiv 2104.09864) in the order of Hugging Face checkpoints: feature i of a
// head is paired with feature i + head_dim/2, not with its neighbour i + 1. At position p the pair turns by p f_i,
//
//   f_i = theta^(-2i / head_dim),   x_i' = x_i cos - x_{i+d/2} sin,   x_{i+d/2}' = x_{i+d/2} cos + x_i sin
//
// Two stretchings of f_i to longer contexts are known: `linear`, f_i / factor; and `llama3`, which divides only the
// slow rotations (wavelength above original_positions / low_frequency_factor) by the factor, keeps the fast ones, and
// blends between. Others (dynamic, yarn, longrope) are not.
//
// Where tokens stand on three axes (token_position.hpp), each pair turns with the position on one of them, p on that
// axis: in the decoder of Qwen2.5-VL the first `sections[0]` pairs with time, the next sections[1] with height, and so
// on in turn (arXiv 2409.12191). For text, whose three positions are equal, this is the plain embedding.
#pragma once

#include <luq/core/matrix_view.hpp>
#include <span>
#include <vector>

#include "token_position.hpp"

namespace vlm {

enum class rotary_scaling { none, linear, llama3 };

struct rotary_config {
  double theta = 10000.0;  ///< > 0
  rotary_scaling scaling = rotary_scaling::none;
  double factor = 1.0;                 ///< > 0; unused without scaling
  double low_frequency_factor = 1.0;   ///< llama3 only: > 0
  double high_frequency_factor = 4.0;  ///< llama3 only: > low_frequency_factor
  double original_positions = 2048.0;  ///< llama3 only: context length before stretching, > 0
  std::vector<luq::index> sections{};  ///< of pairs, in sum head_dim / 2; empty if all turn with time

  friend bool operator==(const rotary_config&, const rotary_config&) = default;
};

/// f_i for i in 0 ... head_dim/2 - 1, in float as transformers computes them: at far positions a rounding of f_i is
/// a visible angle.
/// @param head_dim  even, > 0
[[nodiscard]] Eigen::RowVectorXf rotary_frequencies(const rotary_config& config, luq::index head_dim);

/// How the pairs of a head turn.
struct rotary_pairs {
  Eigen::RowVectorXf frequencies;
  std::vector<position_axis> axes;  ///< of each pair
};

/// Those of a decoder.
/// @param head_dim  even, > 0, and twice the sum of the sections if there are any
[[nodiscard]] rotary_pairs make_rotary_pairs(const rotary_config& config, luq::index head_dim);

/// Sines and cosines for some tokens.
class rotary_table {
 public:
  /// @param positions  of each token in its sequence
  rotary_table(const rotary_pairs& pairs, std::span<const token_position> positions);

  /// Turns every head of every token.
  /// @param X  [tokens x heads * head_dim]
  void rotate(luq::mutable_matrix_view X) const;

 private:
  luq::matrix cosines_;  // [tokens x head_dim / 2]
  luq::matrix sines_;
};

}  // namespace vlm

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
#pragma once

#include <luq/core/matrix_view.hpp>
#include <span>

namespace vlm {

enum class rotary_scaling { none, linear, llama3 };

struct rotary_config {
  double theta = 10000.0;  ///< > 0
  rotary_scaling scaling = rotary_scaling::none;
  double factor = 1.0;                 ///< > 0; unused without scaling
  double low_frequency_factor = 1.0;   ///< llama3 only: > 0
  double high_frequency_factor = 4.0;  ///< llama3 only: > low_frequency_factor
  double original_positions = 2048.0;  ///< llama3 only: context length before stretching, > 0
};

/// f_i for i in 0 ... head_dim/2 - 1, in float as transformers computes them: at far positions a rounding of f_i is
/// a visible angle.
/// @param head_dim  even, > 0
[[nodiscard]] Eigen::RowVectorXf rotary_frequencies(const rotary_config& config, luq::index head_dim);

/// Sines and cosines for some tokens.
class rotary_table {
 public:
  /// @param positions  position of each token in its sequence, >= 0
  rotary_table(const Eigen::RowVectorXf& frequencies, std::span<const luq::index> positions);

  /// Turns every head of every token.
  /// @param X  [tokens x heads * head_dim]
  void rotate(luq::mutable_matrix_view X) const;

 private:
  luq::matrix cosines_;  // [tokens x head_dim / 2]
  luq::matrix sines_;
};

}  // namespace vlm

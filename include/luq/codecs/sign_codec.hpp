// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// One bit a weight: w = +a or -a with one scale a >= 0 per row and group. 1.125 bits with groups of 128 and fp16.
//
//   tile | sign plane (radix 2; bit 1 is +a, bit 0 is -a) | h scales |
//   128 columns of one row: 4 words of 32 signs, then one fp16        = 18 bytes, the content of a ggml Q1_0 block
//
// The scale that minimises sum_j h_j (w_j - a sign(w_j))^2 is the weighted mean of |w_j| (Rastegari et al., XNOR-Net,
// ECCV 2016, eq. 6, for h = 1). Not a BitNet format: the scale belongs to a group, and no weight is zero.
#pragma once

#include <array>
#include <cmath>
#include <span>
#include <string_view>

#include "luq/codecs/weight_codec.hpp"

namespace luq {

template <class Scale = half>
struct basic_sign_codec {
  index group = 128;  ///< columns that share a scale, >= 1, or whole_row; 128 is the block of ggml's Q1_0

  static constexpr std::string_view family = "sign";
  static constexpr double nominal_bits = 1;
  static constexpr std::array<std::uint16_t, 1> planes{2};

  void fit_row(std::span<const float> w, std::span<const float> weights, float* parameters) const {
    double weighted = 0;
    double total = 0;
    for (std::size_t j = 0; j < w.size(); ++j) {
      weighted += static_cast<double>(weights[j]) * std::abs(static_cast<double>(w[j]));
      total += static_cast<double>(weights[j]);
    }
    parameters[0] = detail::stored_value<Scale>(static_cast<float>(weighted / total));
  }

  [[nodiscard]] code encode(float w, const float*, int) const noexcept { return w >= 0.0f ? 1 : 0; }

  template <class Visitor>
  constexpr void read_parameters(Visitor&& visitor) const {
    visitor.template scales<Scale>(1);
  }

  /// w = a * component, component = +1 or -1.
  [[nodiscard]] static constexpr int component(code q, int) noexcept { return q != 0 ? 1 : -1; }

  [[nodiscard]] static constexpr bool accepts(const std::array<float, 1>& scales) { return scales[0] >= 0; }

  friend bool operator==(const basic_sign_codec&, const basic_sign_codec&) = default;
};

using sign_codec = basic_sign_codec<half>;

static_assert(WeightCodec<sign_codec>);

}  // namespace luq

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Levels that lie closer together near zero, as weights do: w = scale * table[q] with one scale a >= 0 per row and
// group and a fixed table, the Lloyd-Max quantizer of a normal distribution (Lloyd, IEEE Trans. Inf. Theory 1982; Max,
// IRE Trans. Inf. Theory 1960), its levels rounded to integers of at most 127 so that an 8-bit kernel can multiply
// them.
//
//   tile | code planes | h scales |
//
//   bits  planes (radix)     positive half of the table    relative MSE of a Gaussian, ideal / rounded / uniform steps
//   2     one of 2 bits (4)  38 127                        0.11748 / 0.11748 / 0.1188
//   3     low 2 bits (4),    14 45 79 127                  0.03455 / 0.03459 / 0.0374
//         high bit (2)
//   4     one nibble (16)    6 18 31 44 58 75 96 127       0.00950 / 0.00951 / 0.0115
//
// 4.25 bits a weight with groups of 64 and fp16, 4.125 with 128. Where int_codec spends a zero point on groups that are
// not centred, this spends its levels on the middle; which is better depends on the weights.
//
// Not NormalFloat (Dettmers et al., QLoRA, 2023), whose levels are quantiles of a normal distribution: equally likely,
// which is not of least error, and asymmetric, to hold an exact zero.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <string_view>

#include "luq/codecs/detail/bit_planes.hpp"
#include "luq/codecs/weight_codec.hpp"

namespace luq {

template <unsigned Bits, class Scale = half>
requires(Bits == 2 || Bits == 3 || Bits == 4)
struct basic_lloyd_codec {
  index group = 64;  ///< columns that share a scale, >= 1, or whole_row; 64 gives 4.25 bits a weight at 4 bits

  static constexpr std::string_view family = Bits == 2 ? "lloyd2" : Bits == 3 ? "lloyd3" : "lloyd4";
  static constexpr double nominal_bits = Bits;
  static constexpr auto planes = detail::bit_planes<Bits>();

  /// Levels in units of the scale, ascending.
  static constexpr auto table = [] {
    if constexpr (Bits == 2) {
      return std::array{-127, -38, 38, 127};
    } else if constexpr (Bits == 3) {
      return std::array{-127, -79, -45, -14, 14, 45, 79, 127};
    } else {
      return std::array{-127, -96, -75, -58, -44, -31, -18, -6, 6, 18, 31, 44, 58, 75, 96, 127};
    }
  }();

  /// Tries scales whose last level is 1.2 times the greatest weight, and less in steps of 5 % down to a sixtieth (a
  /// group's outlier may be of no importance), and takes the one that leaves the least weighted squared error once it
  /// is made the best for the codes it leads to.
  void fit_row(std::span<const float> w, std::span<const float> weights, float* parameters) const {
    float greatest = 0;
    for (const float x : w) greatest = (std::max)(greatest, std::abs(x));
    parameters[0] = 0;
    double most_explained = 0;
    constexpr int candidates = 82;
    float last_level = 1.2f * greatest;
    for (int i = 0; i < candidates && greatest > 0; ++i, last_level *= 0.95f) {
      const float trial = last_level / static_cast<float>(table.back());
      double product = 0;  // sum of h w table[q]
      double square = 0;   // sum of h table[q]^2
      for (std::size_t j = 0; j < w.size(); ++j) {
        const auto level = static_cast<double>(table[encode(w[j], &trial, 0)]);
        product += static_cast<double>(weights[j]) * static_cast<double>(w[j]) * level;
        square += static_cast<double>(weights[j]) * level * level;
      }
      const double explained = product * product / square;  // of sum h w^2
      if (product > 0 && explained > most_explained) {
        most_explained = explained;
        parameters[0] = detail::stored_value<Scale>(static_cast<float>(product / square));
      }
    }
  }

  [[nodiscard]] code encode(float w, const float* parameters, int) const noexcept {
    const float scale = parameters[0];
    code q = 0;
    for (std::size_t i = 1; i < table.size(); ++i) {
      // Twice the middle between two levels is an integer; of equally near levels the greater one.
      q = static_cast<code>(q + (2.0f * w >= scale * static_cast<float>(table[i - 1] + table[i]) ? 1 : 0));
    }
    return q;
  }

  template <class Visitor>
  constexpr void read_parameters(Visitor&& visitor) const {
    visitor.template scales<Scale>(1);
  }

  /// w = scale * component.
  [[nodiscard]] static constexpr int component(code q, int) noexcept { return table[q]; }

  [[nodiscard]] static constexpr bool accepts(const std::array<float, 1>& scales) { return scales[0] >= 0; }

  friend bool operator==(const basic_lloyd_codec&, const basic_lloyd_codec&) = default;
};

template <unsigned Bits>
using lloyd_codec = basic_lloyd_codec<Bits, half>;

static_assert(WeightCodec<lloyd_codec<2>> && WeightCodec<lloyd_codec<3>> && WeightCodec<lloyd_codec<4>>);

}  // namespace luq

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Binary-coding quantization (BCQ) with two bits: w = b1 s + b2 u with two signs s, u = +-1 and two scales per row and
// group (Xu et al., ICLR 2018; Park et al., LUT-GEMM, ICLR 2024). Equivalently a sign and one of two magnitudes,
// w in {-a1, -a2, +a2, +a1}, a1 >= a2 >= 0. 2.25 bits with groups of 128 and fp16.
//
// It is stored as two sign planes. With s = +-1 the sign, m = +-1 for the large or the small magnitude and u = s m,
//
//   w = b1 s + b2 u,    b1 = (a1 + a2) / 2,    b2 = (a1 - a2) / 2
//
// so that a product with W is two products with sign matrices on the same activations:
//
//   tile | plane of s (radix 2) | plane of u (radix 2) | h scales b1 | h scales b2 |
//
// fit() is the exact 2-means of the |w| under weights h: sorted, two clusters are a prefix and a suffix, and prefix
// sums give the error of every cut (the one-dimensional k-means of Fisher 1958 for k = 2). This is the code BiLLM
// gives its non-salient weights, without its means.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <span>
#include <string_view>
#include <vector>

#include "luq/codecs/weight_codec.hpp"

namespace luq {

template <class Scale = half>
struct basic_binary_coding_codec {
  index group = 128;  ///< columns that share the two magnitudes, >= 1, or whole_row

  static constexpr std::string_view family = "bcq2";
  static constexpr double nominal_bits = 2;
  static constexpr std::array<std::uint16_t, 2> planes{2, 2};  ///< s, u; bit 1 is +1
  static constexpr int components = 2;                         ///< w = b1 * s + b2 * u

  void fit_row(std::span<const float> w, std::span<const float> weights, float* parameters) const {
    std::vector<std::size_t> order(w.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) {
      return std::abs(w[i]) < std::abs(w[j]) || (std::abs(w[i]) == std::abs(w[j]) && i < j);
    });
    const auto [lesser, greater] = two_means(w, weights, order);
    parameters[0] = detail::stored_value<Scale>(static_cast<float>(0.5 * (greater + lesser)));
    parameters[1] = detail::stored_value<Scale>(static_cast<float>(0.5 * (greater - lesser)));
  }

  [[nodiscard]] code encode(float w, const float* parameters, int) const noexcept {
    const int sign = w >= 0.0f ? 1 : 0;
    const bool is_large = std::abs(w) > parameters[0];  // b1 lies midway between the magnitudes
    const int u = is_large ? sign : 1 - sign;
    return static_cast<code>(sign + 2 * u);
  }

  template <class Visitor>
  constexpr void read_parameters(Visitor&& visitor) const {
    visitor.template scales<Scale>(2);
  }

  [[nodiscard]] static constexpr int component(code q, int i) noexcept { return ((q >> i) & 1) != 0 ? 1 : -1; }
  [[nodiscard]] static constexpr bool accepts(const std::array<float, 2>& scales) {
    return scales[1] >= 0 && scales[0] >= scales[1];
  }

  friend bool operator==(const basic_binary_coding_codec&, const basic_binary_coding_codec&) = default;

 private:
  struct magnitudes {
    double lesser;
    double greater;
  };

  /// The cut of the sorted magnitudes that explains most of their weighted energy; one cluster may be empty.
  static magnitudes two_means(std::span<const float> w, std::span<const float> weights,
                              const std::vector<std::size_t>& order) {
    double total_weight = 0;
    double total_sum = 0;
    for (const std::size_t j : order) {
      total_weight += static_cast<double>(weights[j]);
      total_sum += static_cast<double>(weights[j]) * std::abs(static_cast<double>(w[j]));
    }
    double weight = 0;
    double sum = 0;
    double most = total_sum * total_sum / total_weight;
    magnitudes best{total_sum / total_weight, total_sum / total_weight};
    for (const std::size_t j : order) {
      weight += static_cast<double>(weights[j]);
      sum += static_cast<double>(weights[j]) * std::abs(static_cast<double>(w[j]));
      const double rest = total_weight - weight;
      if (!(weight > 0) || !(rest > 0)) continue;
      const double explained = sum * sum / weight + (total_sum - sum) * (total_sum - sum) / rest;
      if (explained > most) {
        most = explained;
        best = {sum / weight, (total_sum - sum) / rest};
      }
    }
    return best;
  }
};

using binary_coding_codec = basic_binary_coding_codec<half>;

static_assert(WeightCodec<binary_coding_codec>);

}  // namespace luq

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A codec that luq does not know: five levels in three bits, w = a * {-2, -1, 0, 1, 2} with one scale per row and
// group. Codes 5, 6 and 7 are never produced.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <luq/codecs/weight_codec.hpp>
#include <span>
#include <string_view>

namespace example {

struct five_level_codec {
  luq::index group = 128;  ///< columns that share a scale, >= 1, or luq::whole_row

  friend bool operator==(const five_level_codec&, const five_level_codec&) = default;

  static constexpr std::string_view family = "five-levels";
  static constexpr double nominal_bits = 3;

  static constexpr std::array<std::uint16_t, 2> planes{4, 2};  // the low two bits of a code, and the high one
  static constexpr int used_codes = 5;
  template <class Visitor>
  constexpr void read_parameters(Visitor&& visitor) const {
    visitor.template scales<luq::half>(1);
  }

  static constexpr int component(luq::code q, int) noexcept { return static_cast<int>(q) - 2; }

  /// The best of 32 scales, each made the best for the codes it leads to: sum h w level / sum h level^2.
  void fit_row(std::span<const float> w, std::span<const float> importance, float* parameters) const {
    float greatest = 0;
    for (const float x : w) greatest = (std::max)(greatest, std::abs(x));
    parameters[0] = 0;
    double most_explained = 0;
    for (int i = 1; i <= 32 && greatest > 0; ++i) {
      const float trial = greatest * static_cast<float>(i) / 32.0f;
      double product = 0;
      double square = 0;
      for (std::size_t j = 0; j < w.size(); ++j) {
        const double level = component(encode(w[j], &trial, 0), 0);
        product += static_cast<double>(importance[j]) * static_cast<double>(w[j]) * level;
        square += static_cast<double>(importance[j]) * level * level;
      }
      if (square > 0 && product * product / square > most_explained) {
        most_explained = product * product / square;
        parameters[0] = static_cast<float>(luq::half(static_cast<float>(product / square)));
      }
    }
  }

  luq::code encode(float w, const float* parameters, int) const noexcept {
    if (parameters[0] == 0.0f) return 2;
    return static_cast<luq::code>(std::nearbyint(std::clamp(w / parameters[0], -2.0f, 2.0f)) + 2.0f);
  }

  static constexpr bool accepts(const std::array<float, 1>& scales) { return scales[0] >= 0; }
};

}  // namespace example

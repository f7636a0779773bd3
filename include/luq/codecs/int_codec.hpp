// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Uniform integers: w = scale * (q - zero), q in 0 ... 2^Bits - 1, with one scale and one zero point per row and
// group. Symmetric groups fix zero = 2^(Bits-1) and store only the scale.
//
//   tile | code planes | h scales | asymmetric: h zero points of Bits bits, one gapless stream (bit_packing.hpp) |
//
//   bits  planes (radix)          128 columns and fp16 scales, symmetric / asymmetric
//   2     one of 2 bits (4)       2.125 / 2.141 bits a weight
//   3     low 2 bits (4), high    3.125 / 3.148
//         bit (2)
//   4     one nibble (16)         4.125 / 4.156
//   8     one byte (256)          8.125 / 8.188
//
// The range of a group is that of GPTQ's quantizer (Frantar et al., ICLR 2023; IST-DASLab/gptq, Apache-2.0): from the
// least to the greatest weight, extended to hold 0, or the best of 80 shrunken ranges under sum |w - q|^2.4. Scales
// are rounded to their storage type first and codes are nearest under what is stored. Codes tie to even, like the
// reference's. A group of zeros has scale 0, where the reference takes -1 ... 1, for which weights have no unit.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <string_view>

#include "luq/codecs/detail/bit_planes.hpp"
#include "luq/codecs/detail/integer_range.hpp"
#include "luq/codecs/weight_codec.hpp"

namespace luq {

/// How the range of a group is chosen.
enum class int_range {
  minmax,    ///< least to greatest weight
  searched,  ///< the least sum of |w - q|^2.4 among minmax shrunk by 0, 1, ... 79 per cent
};

template <unsigned Bits, class Scale = half>
requires(Bits == 2 || Bits == 3 || Bits == 4 || Bits == 8)
struct basic_int_codec {
  index group = 128;                    ///< columns that share a scale, >= 1, or whole_row; 128 as published
  bool symmetric = false;               ///< fix zero at 2^(Bits-1) instead of storing one per row and group
  int_range range = int_range::minmax;  ///< searched is better at 2 and 3 bits and costs 80 trial codings
  /// As published, a symmetric group without a negative weight keeps 0 as the lower end of its range, and so clips
  /// at half its greatest weight. For comparisons with published results only.
  bool published_one_sided_range = false;

  static constexpr std::string_view family = Bits == 2 ? "int2" : Bits == 3 ? "int3" : Bits == 4 ? "int4" : "int8";
  static constexpr double nominal_bits = Bits;
  static constexpr auto planes = detail::bit_planes<Bits>();

  template <class Codec, class Visitor>
  static constexpr void visit_options(Codec& codec, Visitor&& visitor) {
    visitor.flag("sym", codec.symmetric);
    visitor.choice("searched", codec.range, int_range::searched);
    visitor.flag("onesided", codec.published_one_sided_range);
  }

  /// `weights` count in the error of the searched range; the published search has none.
  void fit_row(std::span<const float> w, std::span<const float> weights, float* parameters) const {
    const auto [low, high] = detail::integer_range(w, symmetric, published_one_sided_range);
    if (low == 0 && high == 0) {  // no range to take a scale from, in any unit
      parameters[0] = 0;
      parameters[1] = symmetric_zero;
      return;
    }
    const auto set_range = [&](float least, float greatest, float* target) {
      detail::set_integer_range<Scale>(least, greatest, max_code, symmetric, target);
    };
    set_range(low, high, parameters);
    if (range == int_range::searched) detail::search_integer_range(*this, set_range, w, weights, low, high, parameters);
  }

  [[nodiscard]] code encode(float w, const float* parameters, int) const noexcept {
    const float scale = parameters[0];
    const float zero = parameters[1];
    if (scale == 0.0f) return static_cast<code>(zero);  // the scale of tiny weights may underflow: every code is 0
    const float step = std::clamp(w / scale, -zero, max_code - zero);
    return static_cast<code>(std::nearbyint(step) + zero);
  }
  [[nodiscard]] float decode(code q, const float* parameters, int) const noexcept {
    return parameters[0] * (static_cast<float>(q) - parameters[1]);
  }

  template <class Visitor>
  constexpr void read_parameters(Visitor&& visitor) const {
    visitor.template scales<Scale>(1);
    if (symmetric) {
      visitor.constant(symmetric_zero);
    } else {
      visitor.template bit_packed<Bits>();
    }
  }

  /// w = scale * component + scale * (2^(Bits-1) - zero), component = q - 2^(Bits-1): the constant of symmetric groups
  /// is 0, which spares kernels a product.
  [[nodiscard]] static constexpr int component(code q, int) noexcept { return static_cast<int>(q) - (1 << (Bits - 1)); }
  template <class Number>
  [[nodiscard]] constexpr std::array<Number, 2> coefficients(const Number* parameters, int) const noexcept {
    return {parameters[0], parameters[0] * (Number(symmetric_zero) - parameters[1])};
  }

  [[nodiscard]] static constexpr bool accepts(const std::array<float, 1>& scales) { return scales[0] > 0; }

  friend bool operator==(const basic_int_codec&, const basic_int_codec&) = default;

 private:
  static constexpr float max_code = static_cast<float>((1u << Bits) - 1u);
  static constexpr float symmetric_zero = static_cast<float>(1u << (Bits - 1u));
};

template <unsigned Bits>
using int_codec = basic_int_codec<Bits, half>;

static_assert(WeightCodec<int_codec<2>> && WeightCodec<int_codec<3>> && WeightCodec<int_codec<4>> &&
              WeightCodec<int_codec<8>>);

}  // namespace luq

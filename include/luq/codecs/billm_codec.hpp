// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Everything that published BiLLM (Huang et al., ICML 2024) needs to decode a weight, in the bytes it really takes:
// 2.88 bits with groups of 128 and fp16, where the paper counts 1.08.
//
// In each group a few columns are salient, the same for all rows (column class 1). A salient weight is binarised
// twice, w = mu + a1 s + a2 t. Any other weight belongs to the small or the large part of its row, each binarised once
// around its own mean: w = mu_m + a_m s. Published BiLLM stores for this a sign plane, a second sign plane for salient
// columns and a bitmap of parts. Here both kinds of column are two sign planes, as a kernel wants them: with m = +-1
// for the large or the small part and u = s m (hence m = s u),
//
//   salient   w = p4 + p5 s + p6 u            p4 = mu, p5 = a1, p6 = a2, u = t
//   other     w = p0 + p1 s + p2 u + p3 s u   p0, p3 = (mu_large +- mu_small) / 2,   p1, p2 = (a_large +- a_small) / 2
//
//   tile | plane of s (radix 2) | plane of u (radix 2) | h times p0 | ... | h times p6 |
//   matrix: ... tiles, salient columns first in their group ... | one salient flag per column
//
// code_group() applies the published rule: which columns are salient, where to split the others, and the codes.
// encode() takes the nearest of a column's four values, for quantizers that feed errors from column to column.
// One deviation: a weight equal to the mean of its part has sign 0 in the published code and decodes to that mean;
// a sign bit cannot say so, and it takes sign +1.
#pragma once

#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <string_view>

#include "luq/codecs/weight_codec.hpp"
#include "luq/core/executor.hpp"
#include "luq/core/matrix_declarations.hpp"

namespace luq {

struct coded_group;

/// What makes a weight salient.
enum class saliency {
  hessian,    ///< w^2 times the importance of its column; with importance 1/U_jj^2 the published default
  magnitude,  ///< w itself
};

template <class Scale = half>
struct basic_billm_codec {
  index group = 128;                    ///< columns coded at once, >= 1, or whole_row; 128 as published
  saliency metric = saliency::hessian;  ///< hessian as published
  index salient_limit = 50;             ///< salient columns of a group stay below it, >= 1; 50 as published

  static constexpr std::string_view family = "billm";
  static constexpr double nominal_bits = 1.08;  ///< at the published share of salient columns
  static constexpr int column_classes = 2;
  static constexpr std::array<std::uint16_t, 2> planes{2, 2};  ///< s, u; bit 1 is +1
  static constexpr int components = 3;                         ///< s, u, s u

  template <class Codec, class Visitor>
  static constexpr void visit_options(Codec& codec, Visitor&& visitor) {
    visitor.choice("magnitude", codec.metric, saliency::magnitude);
    visitor.number('s', codec.salient_limit, 50);
  }

  /// The published rule for one group (algorithms 1 and 2 of the paper, as the authors' code has them). Its definition
  /// is read by code_group.hpp.
  [[nodiscard]] coded_group code_group(const matrix_view& W, std::span<const float> importance,
                                       executor_ref executor = {}) const;

  [[nodiscard]] code encode(float w, const float* parameters, int column_class) const noexcept {
    code best = 0;
    float least = (std::numeric_limits<float>::max)();
    for (code q = 0; q < 4; ++q) {
      const float distance = std::abs(w - decode_weight(*this, q, parameters, column_class));
      if (distance < least) {
        least = distance;
        best = q;
      }
    }
    return best;
  }

  template <class Visitor>
  constexpr void read_parameters(Visitor&& visitor) const {
    visitor.template scales<Scale>(7);
  }

  [[nodiscard]] static constexpr int component(code q, int i) noexcept {
    const int s = (q & 1) != 0 ? 1 : -1;
    const int u = (q & 2) != 0 ? 1 : -1;
    return i == 0 ? s : i == 1 ? u : s * u;
  }
  template <class Number>
  [[nodiscard]] constexpr std::array<Number, 4> coefficients(const Number* parameters,
                                                             int column_class) const noexcept {
    if (column_class == 1) return {parameters[5], parameters[6], Number(0.0f), parameters[4]};
    return {parameters[1], parameters[2], parameters[3], parameters[0]};
  }

  friend bool operator==(const basic_billm_codec&, const basic_billm_codec&) = default;
};

using billm_codec = basic_billm_codec<half>;

static_assert(WeightCodec<billm_codec>);

}  // namespace luq

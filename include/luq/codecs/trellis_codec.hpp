// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Trellis-coded quantization with a computed code book: a weight is a function of its own symbol and of those of the
// columns before it. The state after column t is the number written by the last `window` symbols, radix r,
//
//   state_t = (r state_{t-1} + symbol_t) mod r^window,        w_t = scale * level(state_t)
//
// so every weight has r^window values to choose from while log2 r bits are stored, and the decoder is a shift register
// (the bitshift trellis of Tseng et al., QTIP, NeurIPS 2024, section 3.1; Marcellin and Fischer, IEEE Trans. Commun.
// 1990, for trellis-coded quantization at large). The level is no table: the state times a constant, modulo 2^32, cut
// into four bytes of six bits each, whose sum less 126 is close to a normal variable,
//
//   level(s) = sum_{i=0..3} ((54b1e187h s mod 2^32) >> 8 i) mod 64  - 126        in -126 ... 126
//
// The multiplier is the best of 40 tried by the error below. An 8-bit dot-product instruction adds those four bytes
// while it multiplies them with an activation: shift, or, mask, multiply, mask, multiply-add for each vector of rows.
// In the portable kernel of matmul.hpp one token takes 1.3 times as long as with int4 (radix 2 and 4), 2.6 times with
// radix 3 (ternary_codec, whose trits are taken apart alike: 2.1); beam search takes 1 to 4 us a weight and round on
// one core.
//
//   r  window  states  bits a weight (groups of 512)  relative MSE of a Gaussian, this / best scalar / bound
//   2  12      4096    1.031                          0.277  / 0.363 (sign)     / 0.250
//   3   8      6561    1.633                          0.1225 / 0.190 (ternary)  / 0.111
//   4   6      4096    2.031                          0.0723 / 0.1175 (Lloyd)   / 0.0625
//   8   4      4096    3.031                          0.0195 / 0.0345 (Lloyd)   / 0.0156
//  16   3      4096    4.031                          0.0051 / 0.0095 (Lloyd)   / 0.0039
//
//   tile | symbol plane (radix r; for r = 8 the low two bits, radix 4, then the high bit, radix 2) | h scales |
//
// Each group starts from state 0, so its first columns have little choice: the errors above grow by 6 to 10 % with
// groups of 128, by 1 to 2 % with 512, by nothing to speak of with whole rows. A tail-biting trellis, which starts from
// the state it ends in, wins half of that back or more where no error is fed between columns (Viterbi twice, as QTIP
// does). With column feedback it was tried and is worse: a second beam search from the end state of the first, forced
// back to it, had 4 to 16 % more error in 16 of 18 settings (radix 2, 3, 4; groups of 64, 128 and whole rows; both
// golden linears of the tests), since feedback has changed the weights that the end was chosen for, and the last window
// - 1 columns, which nothing later can correct, have no choice left. Groups are long instead.
//
// Weights coded like this should look normal, with no outliers: rotate inputs first, or use small groups.
// code_row() finds the best sequence of a row by the Viterbi algorithm; beam_search.hpp finds one with feedback.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "luq/codecs/weight_codec.hpp"

namespace luq {

template <int Radix, class Scale = half>
requires(Radix == 2 || Radix == 3 || Radix == 4 || Radix == 8 || Radix == 16)
struct basic_trellis_codec {
  index group = 512;  ///< columns that share a scale and form one sequence, >= 1, or whole_row

  static constexpr std::string_view family = Radix == 2   ? "trellis1"
                                             : Radix == 3 ? "trellis1.58"
                                             : Radix == 4 ? "trellis2"
                                             : Radix == 8 ? "trellis3"
                                                          : "trellis4";
  static constexpr double nominal_bits = Radix == 2 ? 1 : Radix == 3 ? 1.58 : Radix == 4 ? 2 : Radix == 8 ? 3 : 4;
  static constexpr auto planes = [] {
    if constexpr (Radix == 8) {
      return std::array<std::uint16_t, 2>{4, 2};
    } else {
      return std::array<std::uint16_t, 1>{Radix};
    }
  }();

  /// Symbols that a code remembers.
  static constexpr int window = Radix == 2 ? 12 : Radix == 3 ? 8 : Radix == 4 ? 6 : Radix == 8 ? 4 : 3;
  static constexpr int code_count = [] {
    int count = 1;
    for (int i = 0; i < window; ++i) count *= Radix;
    return count;
  }();

  /// What kernels compute of a code.
  static constexpr computed_level level{.multiplier = 0x54b1e187u, .mask = 0x3f3f3f3fu, .offset = -126};

  [[nodiscard]] static constexpr code next(code previous, int symbol) noexcept {
    return static_cast<code>((static_cast<int>(previous) % (code_count / Radix)) * Radix + symbol);
  }

  /// w = scale * component: the level of the state that a code is. Scales may be of either sign, as levels are of both.
  [[nodiscard]] static constexpr int component(code q, int) noexcept { return level(q); }

  /// The scale that suits normal weights of the group's weighted mean square, before any code is chosen: the spread of
  /// decoded values is that of the weights less what is lost.
  void fit_row(std::span<const float> w, std::span<const float> weights, float* parameters) const {
    double square = 0;
    double total = 0;
    for (std::size_t j = 0; j < w.size(); ++j) {
      square += static_cast<double>(weights[j]) * static_cast<double>(w[j]) * static_cast<double>(w[j]);
      total += static_cast<double>(weights[j]);
    }
    const double kept = 1 - gaussian_error;
    parameters[0] =
        detail::stored_value<Scale>(static_cast<float>(std::sqrt(kept * square / total / mean_square_level)));
  }

  /// The sequence of least weighted squared error of a row, by the Viterbi algorithm, under the scale of fit_row() and
  /// then twice under the best scale for the sequence found. O(code_count) a weight.
  void code_row(std::span<const float> w, std::span<const float> weights, float* scale, code* codes) const {
    fit_row(w, weights, scale);
    viterbi search(w.size());
    for (int round = 0; round < 3; ++round) {
      search.run(w, weights, *scale, codes);
      double product = 0;
      double square = 0;
      for (std::size_t c = 0; c < w.size(); ++c) {
        const double weighted_level = static_cast<double>(weights[c]) * component(codes[c], 0);
        product += weighted_level * static_cast<double>(w[c]);
        square += weighted_level * component(codes[c], 0);
      }
      if (square == 0) break;
      *scale = detail::stored_value<Scale>(static_cast<float>(product / square));
    }
  }

  template <class Visitor>
  constexpr void read_parameters(Visitor&& visitor) const {
    visitor.template scales<Scale>(1);
  }

  friend bool operator==(const basic_trellis_codec&, const basic_trellis_codec&) = default;

 private:
  static constexpr double gaussian_error = Radix == 2   ? 0.277
                                           : Radix == 3 ? 0.1225
                                           : Radix == 4 ? 0.0723
                                           : Radix == 8 ? 0.0195
                                                        : 0.0051;

  static constexpr double mean_square_level = [] {
    double sum = 0;
    for (int q = 0; q < code_count; ++q) {
      sum += static_cast<double>(component(static_cast<code>(q), 0)) * component(static_cast<code>(q), 0);
    }
    return sum / code_count;
  }();

  /// The Viterbi algorithm over all states. A state's predecessors are `states / r` apart, its successors neighbours.
  class viterbi {
   public:
    explicit viterbi(std::size_t columns)
        : cost_(states), next_cost_(states), levels_(states), came_from_(columns * bases) {
      for (std::size_t s = 0; s < states; ++s) levels_[s] = static_cast<float>(component(static_cast<code>(s), 0));
    }

    void run(std::span<const float> w, std::span<const float> weights, float scale, code* codes) {
      std::fill(cost_.begin(), cost_.end(), (std::numeric_limits<float>::max)() / 4);
      cost_[0] = 0;
      std::uint8_t* came_from = came_from_.data();
      for (std::size_t c = 0; c < weights.size(); ++c, came_from += bases) {
        for (std::size_t base = 0; base < bases; ++base) {
          float best = cost_[base];
          std::uint8_t origin = 0;
          for (std::size_t oldest = 1; oldest < radix; ++oldest) {
            const float cost = cost_[base + oldest * bases];
            origin = cost < best ? static_cast<std::uint8_t>(oldest) : origin;
            best = (std::min)(best, cost);
          }
          came_from[base] = origin;
          for (std::size_t symbol = 0; symbol < radix; ++symbol) {
            const float error = w[c] - scale * levels_[base * radix + symbol];
            next_cost_[base * radix + symbol] = best + weights[c] * error * error;
          }
        }
        std::swap(cost_, next_cost_);
      }
      auto state = static_cast<std::size_t>(std::min_element(cost_.begin(), cost_.end()) - cost_.begin());
      for (std::size_t c = weights.size(); c-- > 0;) {
        came_from -= bases;
        codes[c] = static_cast<code>(state);
        state = state / radix + came_from[state / radix] * bases;
      }
    }

   private:
    static constexpr auto radix = static_cast<std::size_t>(Radix);
    static constexpr auto states = static_cast<std::size_t>(code_count);
    static constexpr std::size_t bases = states / radix;  // states less their oldest symbol

    std::vector<float> cost_;
    std::vector<float> next_cost_;
    std::vector<float> levels_;
    std::vector<std::uint8_t> came_from_;  // [columns][bases]: the oldest symbol of the best predecessor
  };
};

template <int Radix>
using trellis_codec = basic_trellis_codec<Radix, half>;

static_assert(HasComputedLevel<trellis_codec<2>> && HasComputedLevel<trellis_codec<3>> &&
              HasComputedLevel<trellis_codec<8>>);

}  // namespace luq

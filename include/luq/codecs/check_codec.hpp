// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The test of a codec that luq does not know: one line, luq::check_codec(my_codec{}), tries on random weights what
// every codec must do. Products are the business of verify_kernels.hpp.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <span>

#include "luq/codecs/code_group.hpp"
#include "luq/codecs/coded_matrix.hpp"
#include "luq/codecs/packed_matrix.hpp"
#include "luq/codecs/weight_codec.hpp"
#include "luq/core/detail/block_view.hpp"
#include "luq/core/detail/unrolled.hpp"
#include "luq/core/error.hpp"
#include "luq/core/random_matrix.hpp"

namespace luq {

/// The properties that check_codec() checks, one function each; all throw luq::error faulty_codec.
template <WeightCodec Codec>
class codec_checks {
 public:
  explicit codec_checks(const Codec& codec) : codec_(codec) {}

  void components_are_small() const {
    for (int q = 0; q < code_count<Codec>(); ++q) {
      for (int i = 0; i < component_count<Codec>; ++i) {
        const int value = Codec::component(static_cast<code>(q), i);
        require(std::abs(value) <= 255, "component ", i, " of code ", q, ": expected at most 255, got ", value);
      }
    }
  }

  /// Symbols of every plane are combined and taken apart again, and no byte has a symbol beyond its radix.
  void radices_are_kept() const {
    detail::unrolled<static_cast<index>(Codec::planes.size())>([&](auto p) {
      constexpr auto radix = static_cast<int>(Codec::planes[p()]);
      using traits = radix_traits<radix>;
      const auto symbols = static_cast<std::size_t>(traits::symbols_per_byte);
      for (unsigned byte = 0; byte < 256; ++byte) {
        std::array<std::uint8_t, 8> found{};
        for (std::size_t slot = 0; slot < symbols; ++slot) {
          const int symbol = traits::extract(static_cast<std::uint8_t>(byte), static_cast<index>(slot));
          require(symbol >= 0 && symbol < radix && (byte != 0 || symbol == 0), "radix ", radix, ": byte ", byte,
                  " has the symbol ", symbol, " in slot ", slot);
          found[slot] = static_cast<std::uint8_t>(symbol);
        }
        const std::uint8_t again = traits::combine(std::span(found).first(symbols));
        for (std::size_t slot = 0; slot < symbols; ++slot) {
          require(traits::extract(again, static_cast<index>(slot)) == found[slot], "radix ", radix,
                  ": the symbols of byte ", byte, " combine to byte ", static_cast<int>(again), ", which has others");
        }
      }
    });
  }

  /// The weight is that of the linear form, within the rounding of a few float operations.
  void weights_have_the_linear_form(const float* parameters, int column_class) const {
    const auto a = coefficients(codec_, parameters, column_class);
    for (int q = 0; q < code_count<Codec>(); ++q) {
      auto sum = static_cast<double>(a.back());
      double magnitude = std::abs(sum);
      for (int i = 0; i < component_count<Codec>; ++i) {
        const double term =
            static_cast<double>(a[static_cast<std::size_t>(i)]) * Codec::component(static_cast<code>(q), i);
        sum += term;
        magnitude += std::abs(term);
      }
      const float weight = decode_weight(codec_, static_cast<code>(q), parameters, column_class);
      require(std::abs(static_cast<double>(weight) - sum) <= 0x1p-20 * magnitude, "code ", q, " decodes to ", weight,
              ", its linear form is ", sum);
    }
  }

  /// No used code is nearer to a weight than the one that encode() chooses.
  void encode_is_nearest(std::span<const float> weights, const float* parameters, int column_class) const {
    if constexpr (MemorylessCodec<Codec>) {
      for (const float w : weights) {
        const int chosen = codec_.encode(w, parameters, column_class);
        require(chosen < used_codes<Codec>(), "encode(", w, ") gives code ", chosen, " of ", used_codes<Codec>());
        const auto distance = [&](int q) {
          return std::abs(w - decode_weight(codec_, static_cast<code>(q), parameters, column_class));
        };
        for (int q = 0; q < used_codes<Codec>(); ++q) {
          require(distance(chosen) <= distance(q) + 0x1p-18f * std::abs(w), "encode(", w, ") gives code ", chosen,
                  ", which is ", distance(chosen), " away, but code ", q, " is ", distance(q), " away");
        }
      }
    }
  }

  /// Scales that are stored already are stored again as they are, if the codec accepts them.
  void scales_are_kept(const float* parameters) const {
    std::array<float, parameter_count<Codec>> copy;
    std::copy_n(parameters, copy.size(), copy.begin());
    std::array<float, scale_count<Codec>> scales;
    std::copy_n(parameters, scales.size(), scales.begin());
    if (!store_scales(codec_, scales, copy.data())) return;
    require(std::equal(copy.begin(), copy.end(), parameters), "fitted scales are not those that storage holds");
  }

  /// Coding the groups of a matrix leaves no more error than zeros would, and packing loses nothing.
  void matrix_is_kept(const matrix& W) const {
    const coded_matrix<Codec> coded = code_nearest(W);
    const coded_matrix<Codec> again = pack(coded).unpack();
    for (index r = 0; r < W.rows(); ++r) {
      for (index c = 0; c < W.cols(); ++c) {
        require(again.codes(r, c) == coded.codes(r, c), W.rows(), " x ", W.cols(), ", row ", r, ", column ", c,
                ": code ", coded.codes(r, c), " is unpacked as ", again.codes(r, c));
      }
      for (std::size_t g = 0; g < coded.groups.size(); ++g) {
        require(std::equal(coded.groups[g].row(r), coded.groups[g].row(r + 1), again.groups[g].row(r)), W.rows(), " x ",
                W.cols(), ", row ", r, ", group ", g, ": parameters are not unpacked as they were packed");
      }
    }
  }

  /// The stored symbol of a code is its remainder, and a code forgets what is older than its window.
  void sequences_forget() const {
    if constexpr (SequenceCodec<Codec>) {
      for (int previous = 0; previous < code_count<Codec>(); ++previous) {
        auto q = static_cast<code>(previous);
        code from_zero = 0;
        for (int i = 0; i < Codec::window; ++i) {
          const int symbol = (previous + i) % levels<Codec>();
          q = Codec::next(q, symbol);
          from_zero = Codec::next(from_zero, symbol);
          require(q % levels<Codec>() == symbol, "next(", previous, ", ", symbol, ") has another symbol");
        }
        require(q == from_zero, "code ", previous, " is not forgotten after ", Codec::window, " symbols");
      }
    }
  }

  /// A computed level is the component of every code, and codes are shift registers of symbols.
  void levels_are_computed() const {
    if constexpr (HasComputedLevel<Codec>) {
      constexpr computed_level level = Codec::level;
      for (int q = 0; q < code_count<Codec>(); ++q) {
        const int component = Codec::component(static_cast<code>(q), 0);
        require(level(static_cast<code>(q)) == component, "code ", q, " has the component ", component,
                ", its computed level is ", level(static_cast<code>(q)));
        for (int symbol = 0; symbol < levels<Codec>(); ++symbol) {
          const int expected = (levels<Codec>() * q + symbol) % code_count<Codec>();
          require(Codec::next(static_cast<code>(q), symbol) == expected, "next(", q, ", ", symbol, ") is not ",
                  expected, ", as a shift register of symbols has it");
        }
      }
    }
  }

 private:
  template <class... Parts>
  void require(bool holds, const Parts&... parts) const {
    if (!holds) fail(errc::faulty_codec, "codec ", codec_name(codec_), ": ", parts...);
  }

  [[nodiscard]] coded_matrix<Codec> code_nearest(const matrix& W) const {
    coded_matrix<Codec> coded(codec_, W.rows(), W.cols());
    const index size = group_size(codec_, W.cols());
    for (index first = 0; first < W.cols(); first += size) {
      const index columns = (std::min)(size, W.cols() - first);
      const coded_group group = code_group(codec_, detail::block_view(W, 0, first, W.rows(), columns), {});
      for (index r = 0; r < W.rows(); ++r) {
        std::copy_n(group.codes.data() + r * columns, columns, coded.codes.data() + r * W.cols() + first);
        double error = 0;
        double square = 0;
        for (index c = 0; c < columns; ++c) {
          const auto w = static_cast<double>(W(r, first + c));
          const float weight =
              decode_weight(codec_, group.codes(r, c), group.parameters.row(r), group.parameters.class_of(c));
          error += (w - static_cast<double>(weight)) * (w - static_cast<double>(weight));
          square += w * w;
        }
        require(error <= 1.001 * square, "a row of ", columns, " weights has more error, ", error, ", than zeros, ",
                square);
      }
      coded.groups[static_cast<std::size_t>(first / size)] = group.parameters;
    }
    return coded;
  }

  const Codec& codec_;
};

/// Checks that components are small, radices and computed levels are what they promise to be, decoded weights have the
/// codec's linear form, encode() finds the nearest code, storage holds what is fitted, coding is better than zeros, and
/// packing loses nothing: for ragged shapes, zeros, single weights and outliers.
/// @throws luq::error faulty_codec at the first property that fails: codec, what was expected and found
template <WeightCodec Codec>
void check_codec(const Codec& codec) {
  const codec_checks<Codec> checks(codec);
  checks.components_are_small();
  checks.radices_are_kept();
  checks.sequences_forget();
  checks.levels_are_computed();
  const index group = codec.group == whole_row ? 100 : codec.group;
  for (const index rows : {1, 65}) {
    for (const index cols : {index{1}, index{7}, group, group + 1, 2 * group + 3}) {
      checks.matrix_is_kept(random_normal_matrix(rows, cols, counter_rng(static_cast<std::uint64_t>(rows * cols))));
    }
  }
  matrix hard = random_normal_matrix(3, 2 * group + 3, counter_rng(2));  // an outlier, and zeros
  hard(0, group / 2) *= 100;
  for (index c = 0; c < hard.cols(); ++c) hard(1, c) = 0;
  checks.matrix_is_kept(hard);

  const matrix W = random_normal_matrix(8, (std::min)(group, index{256}), counter_rng(1));
  const coded_group coded = code_group(codec, W, {});
  for (index r = 0; r < W.rows(); ++r) {
    const std::span weights(W.data() + r * W.cols(), static_cast<std::size_t>(W.cols()));
    const float* const parameters = coded.parameters.row(r);
    checks.scales_are_kept(parameters);
    for (int column_class = 0; column_class < column_class_count<Codec>; ++column_class) {
      checks.weights_have_the_linear_form(parameters, column_class);
      checks.encode_is_nearest(weights, parameters, column_class);
    }
  }
}

}  // namespace luq

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A few tokens with one row tile after the other, straight from the packed words: nothing is decoded, for the time of a
// single token should be that of reading the weights. For each run of columns, the symbols of each plane are multiplied
// with the activations (plane_dots.hpp) or looked up (plane_lookups.hpp), T_p = sum_c symbol_p x_c, and the components
// of the codec follow from these sums by its form (component_form.hpp):
//
//   D_i = sum_p factor_ip T_p + offset_i X           X = sum_c x_c
//   y  += a_0 X + sum_i a_i D_i                      a: the coefficients of the rows in this group
//
// It takes codecs whose components have such forms (kernel_path.hpp). A single token of any of them; more where planes
// are all of bits, whose decoding takes longer than their products (tokens_of_planes). Others are multiplied with
// operands (integer_product.hpp).
#pragma once

#include <algorithm>
#include <numeric>

#include "luq/codecs/detail/component_form.hpp"
#include "luq/kernels/cpu/lanes/integer_lanes.hpp"
#include "luq/kernels/cpu/planes/plane_dots.hpp"
#include "luq/kernels/cpu/planes/plane_lookups.hpp"
#include "luq/kernels/cpu/planes/tile_parameters.hpp"
#include "luq/kernels/cpu/planes/tile_planes.hpp"
#include "luq/kernels/cpu/stages/activations.hpp"
#include "luq/kernels/cpu/stages/product_arguments.hpp"
#include "luq/kernels/kernel_path.hpp"
#include "luq/kernels/matmul_options.hpp"

namespace luq::detail {

/// Up to how many tokens are multiplied straight from planes; 0 where a codec's components have no such form.
template <class Arch, WeightCodec Codec>
inline constexpr index tokens_of_planes = [] {
  if (!multiplies_planes<Codec>) return index{0};
  // Sums of several tokens and slots take sixteen registers.
  if (!has_only_bit_planes<Codec> || integer_lanes<Arch>::accumulators < 16) return index{1};
  return component_count<Codec> == 1 ? index{31} : tokens_of_levels - 1;
}();

template <class Arch, WeightCodec Codec>
requires multiplies_planes<Codec>
class plane_product {
  using lanes = integer_lanes<Arch>;
  using floats = typename lanes::floats;
  static constexpr int components = component_count<Codec>;
  static constexpr std::size_t planes = Codec::planes.size();
  static constexpr std::size_t sources = planes + (has_symbol_products<Codec> ? 1 : 0);
  static constexpr index vectors = row_sums<Arch>::vectors;

 public:
  /// @param padded  room for one tile, full_tile_bytes()
  plane_product(const packed_view<Codec>& W, const activation_view& X, std::byte* padded)
      : W_(W), X_(X), padded_(padded) {}

  void multiply(index row_tile, const product_output& Y) {
    if constexpr (has_sign_sums<Codec> && lanes::has_table_of_64) {
      if (!X_.tables.empty()) return multiply_block<1, true>(row_tile, 0, Y);
    }
    if constexpr (tokens_of_planes<Arch, Codec> == 1) {
      multiply_block<1, false>(row_tile, 0, Y);
    } else {
      for (index block = 0; block < X_.blocks(); ++block) {
        with_token_count(X_.tokens_in_block(block),
                         [&](auto tokens) { multiply_block<tokens(), false>(row_tile, block, Y); });
      }
    }
  }

 private:
  /// The tokens of one block.
  template <index Tokens, bool Lookup>
  LUQ_FLATTEN void multiply_block(index row_tile, index block, const product_output& Y) {
    floats sums[Tokens][vectors];
    unrolled<Tokens>(
        [&](auto t) { unrolled<vectors>([&](auto v) { sums[t()][v()] = lanes::broadcast_float(0.0f); }); });
    const auto& layout = W_.layout();
    const index h = layout.rows_of(row_tile);
    const std::byte* tile = W_.row_tile(row_tile);
    const activation_run* run = X_.runs.data();
    const activation_run* const end_of_runs = run + X_.runs.size();
    while (run != end_of_runs) {
      const index g = run->group;
      const index k = layout.columns_of(g);
      const std::byte* full = full_tile<Arch>(W_.codec(), tile, h, k, padded_);
      const tile_planes<Codec> planes_of_tile(full, k);
      const tile_parameters<Arch, Codec> parameters(W_.codec(), full + layout.code_bytes(tile_rows, k));
      tile += layout.tile_bytes(h, k);
      do {
        if constexpr (column_class_count<Codec> == 2) {
          if (run->column_class == 1) {
            add_run<Lookup, 1>(planes_of_tile, parameters, block, *run, sums);
          } else {
            add_run<Lookup, 0>(planes_of_tile, parameters, block, *run, sums);
          }
        } else {
          add_run<Lookup, 0>(planes_of_tile, parameters, block, *run, sums);
        }
        ++run;
      } while (run != end_of_runs && run->group == g);
    }
    alignas(64) float results[Tokens][tile_rows];
    unrolled<Tokens>([&](auto t) {
      unrolled<vectors>([&](auto v) { lanes::store_floats(results[t()] + v() * lanes::lanes, sums[t()][v()]); });
    });
    write_sums<Arch>(results[0], row_tile, h, block * tokens_of_block, Tokens, Y);
  }

  /// Adds one run of columns to the sums of the tokens of a block.
  template <bool Lookup, int Class, index Tokens>
  LUQ_ALWAYS_INLINE void add_run(const tile_planes<Codec>& tile, const tile_parameters<Arch, Codec>& parameters,
                                 index block, const activation_run& run, floats (&sums)[Tokens][vectors]) {
    static constexpr auto vanishes = vanishing_coefficients<Codec>(Class);
    row_sums<Arch> dots[sources][Tokens];
    [&]<std::size_t... P>(std::index_sequence<P...>) {
      (add_plane<static_cast<int>(Codec::planes[P]), Lookup, word_source::plane>(tile.planes[P], tile.planes[P], block,
                                                                                 run, dots[P]),
       ...);
    }(std::make_index_sequence<planes>());
    if constexpr (takes_symbol_products<Codec>(Class)) {
      add_plane<2, Lookup, word_source::conjunction>(tile.planes[0], tile.planes[1], block, run, dots[planes]);
    }
    const index run_number = &run - X_.runs.data();
    unrolled<vectors>([&](auto v) {
      const auto a = parameters.coefficients(Class, v() * lanes::lanes);
      unrolled<Tokens>([&](auto t) {
        const index token = block * tokens_of_block + t();
        const auto scale = lanes::broadcast_float(X_.scale(token, run_number));
        const std::int32_t x_sum = X_.sum(token, run_number);
        // With tables everything but the sums of entries is in units of the activations.
        const float sum_of_constant =
            Lookup ? X_.exact_sums[static_cast<std::size_t>(run_number)] : static_cast<float>(x_sum);
        floats sum = lanes::broadcast_float(0.0f);
        bool is_empty = true;  // known while compiling
        const auto add_product = [&](const floats& coefficient, const floats& value) {
          sum = is_empty ? coefficient * value : lanes::multiply_add(value, coefficient, sum);
          is_empty = false;
        };
        if constexpr (!vanishes[std::size_t{components}]) {
          add_product(a[std::size_t{components}], lanes::broadcast_float(sum_of_constant));
        }
        const auto add_component = [&](auto component) {
          constexpr auto i = static_cast<std::size_t>(component());
          if constexpr (vanishes[i]) {
            return;
          } else if constexpr (Lookup) {
            add_product(a[i], component_of_signs<component()>(dots, t(), v(), scale, sum_of_constant));
          } else {
            add_product(a[i], component_of_symbols<component()>(dots, t(), v(), x_sum));
          }
        };
        [&]<int... I>(std::integer_sequence<int, I...>) {
          (add_component(std::integral_constant<int, I>()), ...);
        }(std::make_integer_sequence<int, components>());
        sums[t()][v()] = Lookup ? sums[t()][v()] + sum : lanes::multiply_add(sum, scale, sums[t()][v()]);
      });
    });
  }

  /// The part of one plane in a run: whole words, then the tail if the run goes that far.
  template <int Radix, bool Lookup, word_source Source, index Tokens>
  LUQ_ALWAYS_INLINE void add_plane(const plane_view& plane, const plane_view& other, index block,
                                   const activation_run& run, row_sums<Arch> (&dots)[Tokens]) const {
    constexpr index columns_of_word = 4 * radix_traits<Radix>::symbols_per_byte;
    const index first = run.unit_first / columns_of_word;
    const index end = (std::min)(plane.words, (run.end + columns_of_word - 1) / columns_of_word);
    const index offset = first * tile_rows * 4;
    if constexpr (Lookup) {  // there are no tails
      add_plane_lookups<Arch, Source>(plane.bytes + offset, other.bytes + offset, end - first, X_.run_tables(run),
                                      dots[0]);
    } else {
      const std::int8_t* x = X_.block_quads(block, run);
      if (first < end) {
        add_plane_dots<Arch, Radix, Source>(plane.bytes + offset, other.bytes + offset, end - first, x, dots);
      }
      const index tail_column = plane.words * columns_of_word;
      if (plane.tail_bytes > 0 && run.end > tail_column) {
        row_sums<Arch> of_tail[Tokens];  // whose address is given away, so that `dots` may stay in registers
        add_tail_dots<Arch, Radix, Source>(plane, other, x + (tail_column - run.unit_first) * Tokens, of_tail);
        unrolled<Tokens>([&](auto t) {
          unrolled<vectors>([&](auto v) { dots[t()].of[v()] = lanes::add(dots[t()].of[v()], of_tail[t()].of[v()]); });
        });
      }
    }
  }

  /// Calls add(factor, source) for each source of sums that component I takes.
  template <int I, class Add>
  LUQ_ALWAYS_INLINE static void for_each_factor(Add&& add) {
    constexpr auto form = form_of_component<Codec>(I);
    const auto add_if_any = [&](auto factor, std::size_t source) {
      if constexpr (factor() != 0) add(factor, source);
    };
    [&]<std::size_t... P>(std::index_sequence<P...>) {
      (add_if_any(std::integral_constant<int, form.factor[P]>(), P), ...);
    }(std::make_index_sequence<planes>());
    if constexpr (has_symbol_products<Codec>) add_if_any(std::integral_constant<int, form.product>(), planes);
  }

  /// A sum times Factor >= 1, bit by bit.
  template <int Factor>
  [[nodiscard]] LUQ_ALWAYS_INLINE static typename lanes::sums product_with(typename lanes::sums sum) {
    constexpr int lowest = Factor & -Factor;
    const auto product = lanes::scale_up(sum, log2_of_power(lowest));
    if constexpr (Factor == lowest) {
      return product;
    } else {
      return lanes::add(product, product_with<Factor - lowest>(sum));
    }
  }

  /// sum_p factor_Ip T_p / Divisor of one token and one vector of rows.
  template <int I, int Divisor, index Tokens>
  [[nodiscard]] LUQ_ALWAYS_INLINE static typename lanes::sums sum_of_sources(
      const row_sums<Arch> (&dots)[sources][Tokens], index t, index v) {
    auto sum = lanes::zero();
    for_each_factor<I>([&](auto factor, std::size_t source) {
      constexpr int magnitude = (factor() < 0 ? -factor() : factor()) / Divisor;
      constexpr bool is_power_of_two = (magnitude & (magnitude - 1)) == 0;  // as a call it takes 6 % of two tokens
      const auto term = is_power_of_two ? lanes::scale_up(dots[source][t].of[v], log2_of_power(magnitude))
                                        : product_with<magnitude>(dots[source][t].of[v]);
      sum = factor() < 0 ? lanes::subtract(sum, term) : lanes::add(sum, term);
    });
    return sum;
  }

  /// D_I in units of the scale, from sums over symbols.
  template <int I, index Tokens>
  [[nodiscard]] LUQ_ALWAYS_INLINE static floats component_of_symbols(const row_sums<Arch> (&dots)[sources][Tokens],
                                                                     index t, index v, std::int32_t x_sum) {
    constexpr int offset = form_of_component<Codec>(I).offset;
    return lanes::to_floats(lanes::add(sum_of_sources<I, 1>(dots, t, v), lanes::broadcast_sum(offset * x_sum)));
  }

  /// D_I from sums of signed activations: a bit is half of (its sign + 1).
  template <int I, index Tokens>
  [[nodiscard]] LUQ_ALWAYS_INLINE static floats component_of_signs(const row_sums<Arch> (&dots)[sources][Tokens],
                                                                   index t, index v, const floats& step, float x_sum) {
    static_assert(has_sign_sums<Codec>);
    constexpr auto form = form_of_component<Codec>(I);
    const auto sum = lanes::to_floats(sum_of_sources<I, 2>(dots, t, v)) * step;
    constexpr int offset = form.offset + std::accumulate(form.factor.begin(), form.factor.end(), form.product) / 2;
    if constexpr (offset == 0) return sum;
    return sum + lanes::broadcast_float(static_cast<float>(offset) * x_sum);
  }

  const packed_view<Codec>& W_;
  const activation_view& X_;
  std::byte* padded_;
};

}  // namespace luq::detail

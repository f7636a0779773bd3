// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Weights of a tile as operands of dot products: unsigned bytes, four neighbouring stored columns of a row to a word,
// what many tokens are multiplied with.
//
//   quad 0: row 0 (columns 0 1 2 3) | row 1 | ... | row 63 | quad 1: row 0 (columns 4 5 6 7) | ...
//
// An operand is a component of the codec less its least value, or the level of a whole weight (levels_of_rows):
//
//   operand = component - least                    w = sum_i a_i (operand_i + least_i) + a_0
//   operand = round(level / step) + 128            w = step (operand - 128), |error| <= step / 2, step = greatest / 127
//
// The second form makes one operand of codecs that have several, so that each token costs one product instead of two or
// three; it is for many tokens (integer_product.hpp).
//
// How a component is decoded follows from the codec's kernel_path and its form (operand_way). Vector instructions do
// all but the last way, which is for whatever satisfies WeightCodec.
#pragma once

#include "luq/codecs/detail/component_form.hpp"
#include "luq/core/detail/unrolled.hpp"
#include "luq/kernels/cpu/lanes/integer_lanes.hpp"
#include "luq/kernels/cpu/planes/plane_symbols.hpp"
#include "luq/kernels/cpu/planes/tile_planes.hpp"
#include "luq/kernels/kernel_path.hpp"

namespace luq::detail {

/// How operands of a component are found.
enum class operand_way {
  symbol_sums,   ///< sums of symbols times factors
  table_of_16,   ///< codes, then a lookup
  computed,      ///< symbols, then shift registers and computed levels
  code_by_code,  ///< a table entry for each code, one after the other
};

template <WeightCodec Codec>
[[nodiscard]] constexpr operand_way way_of_component(int i) noexcept {
  if (kernel_path_of<Codec> == kernel_path::computed_sequence) return operand_way::computed;
  if (kernel_path_of<Codec> == kernel_path::table_sequence) return operand_way::code_by_code;
  if (kernel_path_of<Codec> == kernel_path::generic) return operand_way::code_by_code;
  const auto form = form_of_component<Codec>(i);
  const bool is_affine = form.exact && form.product == 0 && range_of_component<Codec>(i).width > 0;
  bool are_positive = is_affine;
  bool are_powers = is_affine;  // of two, or zeros
  for (const int factor : form.factor) {
    are_positive = are_positive && factor >= 0;
    are_powers = are_powers && factor >= 0 && (factor & (factor - 1)) == 0;
  }
  if (are_powers) return operand_way::symbol_sums;
  if (levels<Codec>() <= 16) return operand_way::table_of_16;
  return are_positive ? operand_way::symbol_sums : operand_way::code_by_code;
}

/// Levels of each row of a codec of four codes, rounded to bytes: byte q of a row's word is that of code q.
struct row_levels {
  alignas(64) std::array<std::uint32_t, static_cast<std::size_t>(tile_rows)> bytes;
};

/// Decodes stretches of one tile, front to back.
template <class Arch, WeightCodec Codec>
class operand_decoder {
  using lanes = integer_lanes<Arch>;
  using words = typename lanes::words;
  static constexpr index vectors = tile_rows / lanes::lanes;
  static constexpr index unit = unit_columns<Codec>;
  static constexpr index quads_of_unit = unit / 4;
  static constexpr index quad_bytes = tile_rows * 4;

 public:
  /// @param k  columns of the tile
  operand_decoder(const tile_planes<Codec>& tile, index k) : tile_(tile), k_(k) {}

  /// Operand `component` of the columns first ... end-1, where first is a whole number of units.
  /// A codec that remembers must be decoded from its first column on, each stretch where the last one ended.
  /// @param out  quads up to a whole unit: (end - first) / 4 of them, rounded up to whole units
  void component(int component, index first, index end, std::uint8_t* out) {
    with_component(component, [&](auto index_of) { decode_component<index_of()>(first, end, out); });
  }

  /// Levels of whole weights.
  void levels_of_rows(const row_levels& levels, index first, index end, std::uint8_t* out)
  requires has_two_bit_planes<Codec> {
    for (index c = first; c < end; c += unit, out += quads_of_unit * quad_bytes) {
      if (unit <= k_ - c) {
        full_unit_levels(levels, c, out);
        continue;
      }
      last_unit<whole_code>(c, out);
      for (index i = 0; i < quads_of_unit; ++i) {
        for (index v = 0; v < vectors; ++v) {
          std::uint8_t* at = out + i * quad_bytes + v * lanes::lanes * 4;
          lanes::store(at, lanes::lookup_own(lanes::load(levels.bytes.data() + v * lanes::lanes), lanes::load(at)));
        }
      }
    }
  }

 private:
  template <int I>
  void decode_component(index first, index end, std::uint8_t* out) {
    constexpr operand_way way = way_of_component<Codec>(I);
    static_assert(range_of_component<Codec>(I).width <= 255, "luq: a component spans more than 256 values");
    if constexpr (way == operand_way::code_by_code) {
      decode_codes<I>(first, end, out);
    } else {
      for (index c = first; c < end; c += unit, out += quads_of_unit * quad_bytes) {
        if (unit <= k_ - c) {
          full_unit<I>(c, out);
          if constexpr (way == operand_way::computed) follow_codes(out, unit);
        } else {
          last_unit<source_of<I>>(c, out);
          if constexpr (way == operand_way::table_of_16) map_codes<I>(out);
          if constexpr (way == operand_way::computed) follow_codes(out, k_ - c);
        }
      }
    }
  }

  template <class Function>
  static void with_component(int component, Function&& function) {
    [&]<int... I>(std::integer_sequence<int, I...>) {
      (void)((I == component ? (function(std::integral_constant<int, I>()), true) : false) || ...);
    }(std::make_integer_sequence<int, component_count<Codec>>());
  }

  template <class Function>
  static LUQ_ALWAYS_INLINE void for_each_plane(Function&& function) {
    [&]<std::size_t... P>(std::index_sequence<P...>) {
      (function(std::integral_constant<std::size_t, P>()), ...);
    }(std::make_index_sequence<Codec::planes.size()>());
  }

  static constexpr int whole_code = -1;

  /// What is summed up for component I: its own factors, or those of the code.
  template <int I>
  static constexpr int source_of = way_of_component<Codec>(I) == operand_way::symbol_sums ? I : whole_code;

  /// What a symbol of plane `plane` counts in a source.
  [[nodiscard]] static constexpr int factor_of(int source, std::size_t plane) {
    return source == whole_code ? plane_weight<Codec>(plane) : form_of_component<Codec>(source).factor[plane];
  }

  /// Symbols of different planes, times their factors, have no bit in common.
  template <int Source>
  static constexpr bool is_disjoint = [] {
    unsigned taken = 0;
    for (std::size_t p = 0; p < Codec::planes.size(); ++p) {
      const auto factor = static_cast<unsigned>(factor_of(Source, p));
      const unsigned bits = (std::bit_ceil(unsigned{Codec::planes[p]}) - 1) * factor;
      if (factor != 0 && (!std::has_single_bit(factor) || (taken & bits) != 0)) return false;
      taken |= bits;
    }
    return true;
  }();

  /// The sum of what different planes give; machines without vectors add bytes one by one.
  template <int Source>
  static LUQ_ALWAYS_INLINE words sum_of_planes(words a, words b) {
    if constexpr (is_disjoint<Source>) return lanes::bit_or(a, b);
    return lanes::add_bytes(a, b);
  }

  /// No plane before this one counts in a source.
  [[nodiscard]] static constexpr bool is_first(int source, std::size_t plane) {
    for (std::size_t p = 0; p < plane; ++p) {
      if (factor_of(source, p) != 0) return false;
    }
    return true;
  }

  /// sum_p factor_p symbol_p of a full unit. Sums are below 256.
  template <int Source>
  LUQ_ALWAYS_INLINE void sum_full_unit(index column, std::uint8_t* out) const {
    for (index v = 0; v < vectors; ++v) {
      const index lane_bytes = v * lanes::lanes * 4;
      for_each_plane([&](auto plane) {
        constexpr int radix = static_cast<int>(Codec::planes[plane()]);
        constexpr int factor = factor_of(Source, plane());
        if constexpr (factor != 0) {
          constexpr index slots = radix_traits<radix>::symbols_per_byte;
          constexpr index words_of_unit = quads_of_unit / slots;
          const typename slot_reader<lanes, radix>::tables tables{};
          const std::byte* word = tile_.planes[plane()].bytes + column / (4 * slots) * quad_bytes + lane_bytes;
          for (index w = 0; w < words_of_unit; ++w) {
            const slot_reader<lanes, radix> reader(lanes::load(word + w * quad_bytes), tables);
#pragma GCC unroll 8
            for (index slot = 0; slot < slots; ++slot) {
              auto operand = reader.template symbols<factor>(slot);
              std::uint8_t* at = out + (w * slots + slot) * quad_bytes + lane_bytes;
              if constexpr (!is_first(Source, plane())) operand = sum_of_planes<Source>(operand, lanes::load(at));
              lanes::store(at, operand);
            }
          }
        }
      });
    }
  }

  /// Levels of a full unit. The bits of both planes are brought together, those of even slots and those of odd ones, so
  /// that each code is two neighbouring bits.
  void full_unit_levels(const row_levels& levels, index column, std::uint8_t* out) const
  requires has_two_bit_planes<Codec> {
    const words even_bits = lanes::broadcast(0x55555555u);
    const words odd_bits = lanes::broadcast(0xaaaaaaaau);
    const words code_bits = lanes::broadcast(0x03030303u);
    for (index v = 0; v < vectors; ++v) {
      const index offset = column / unit * quad_bytes + v * lanes::lanes * 4;
      const words low = lanes::load(tile_.planes[0].bytes + offset);
      const words high = lanes::load(tile_.planes[1].bytes + offset);
      const words even =
          lanes::bit_or(lanes::bit_and(low, even_bits), lanes::shift_left(lanes::bit_and(high, even_bits), 1));
      const words odd =
          lanes::bit_or(lanes::shift_right(lanes::bit_and(low, odd_bits), 1), lanes::bit_and(high, odd_bits));
      const auto table = lanes::load(levels.bytes.data() + v * lanes::lanes);
      std::uint8_t* to = out + v * lanes::lanes * 4;
#pragma GCC unroll 8
      for (int slot = 0; slot < 8; ++slot) {
        const words codes = lanes::shift_right(slot % 2 == 0 ? even : odd, slot / 2 * 2);
        lanes::store(to + slot * quad_bytes, lanes::lookup_own(table, lanes::bit_and(codes, code_bits)));
      }
    }
  }

  /// The same as operands of component I, or as the symbols that lead to them.
  template <int I>
  void full_unit(index column, std::uint8_t* out) const {
    sum_full_unit<source_of<I>>(column, out);
    if constexpr (way_of_component<Codec>(I) == operand_way::table_of_16) map_codes<I>(out);
  }

  /// Codes of a unit, in place, to operands.
  template <int Component>
  void map_codes(std::uint8_t* out) const {
    constexpr int least = range_of_component<Codec>(Component).least;
    constexpr bool is_code = [] {
      for (int q = 0; q < levels<Codec>(); ++q) {
        if (Codec::component(static_cast<code>(q), Component) - least != q) return false;
      }
      return true;
    }();
    if constexpr (!is_code) {
      static_assert(levels<Codec>() <= 16);
      static constexpr auto table = [] {
        std::array<std::uint8_t, 16> result{};
        for (int q = 0; q < levels<Codec>(); ++q) {
          result[static_cast<std::size_t>(q)] =
              static_cast<std::uint8_t>(Codec::component(static_cast<code>(q), Component) - least);
        }
        return result;
      }();
      const auto entries = lanes::load_table_of_16(table.data());
      for (index i = 0; i < quads_of_unit * vectors; ++i) {
        std::uint8_t* at = out + i * lanes::lanes * 4;
        lanes::store(at, lanes::lookup_16(entries, lanes::load(at)));
      }
    }
  }

  /// The same of the columns after the last full unit; 0 in columns that do not exist.
  template <int Source>
  void last_unit(index column, std::uint8_t* out) const {
    std::memset(out, 0, static_cast<std::size_t>(quads_of_unit * quad_bytes));
    for_each_plane([&](auto plane) {
      constexpr int radix = static_cast<int>(Codec::planes[plane()]);
      constexpr int factor = factor_of(Source, plane());
      if constexpr (factor != 0) {
        constexpr index slots = radix_traits<radix>::symbols_per_byte;
        const typename slot_reader<lanes, radix>::tables tables{};
        const plane_view& view = tile_.planes[plane()];
        for (index v = 0; v < vectors; ++v) {
          index quad = 0;
          const auto add = [&](index offset, words operand) {
            if (quad + offset >= quads_of_unit) return;  // slots of columns that do not exist
            std::uint8_t* at = out + (quad + offset) * quad_bytes + v * lanes::lanes * 4;
            lanes::store(at, sum_of_planes<Source>(lanes::load(at), operand));
          };
          for (index w = column / (4 * slots); w < view.words; ++w, quad += slots) {
            place_symbols<lanes, radix, factor, 4>(lanes::load(view.bytes + w * quad_bytes + v * lanes::lanes * 4),
                                                   tables, add);
          }
          with_tail_bytes(view.tail_bytes, [&](auto bytes) {
            const std::byte* tail = view.tail() + v * lanes::lanes * bytes();
            place_symbols<lanes, radix, factor, bytes()>(lanes::template load_short<bytes()>(tail), tables, add);
          });
        }
      }
    });
  }

  /// Symbols of `columns` columns, in place, to operands of the codes they lead to.
  LUQ_FLATTEN void follow_codes(std::uint8_t* out, index columns)
  requires HasComputedLevel<Codec> {
    constexpr int radix = levels<Codec>();
    constexpr bool are_powers_of_two =
        std::has_single_bit(unsigned{radix}) && std::has_single_bit(unsigned{Codec::code_count});
    const words byte_mask = lanes::broadcast(0xffu);
    // Each code waits for the one before it: vectors take turns, so that their chains run beside each other.
    constexpr index chains = std::min<index>(4, vectors);
    for (index first = 0; first < vectors; first += chains) {
      words state[chains];
      unrolled<chains>([&](auto v) { state[v()] = lanes::load(states_.data() + (first + v()) * lanes::lanes); });
      for (index quad = 0; quad * 4 < columns; ++quad) {
        std::uint8_t* at = out + quad * quad_bytes + first * lanes::lanes * 4;
        words symbols[chains];
        words operands[chains];
        unrolled<chains>([&](auto v) {
          symbols[v()] = lanes::load(at + v() * lanes::lanes * 4);
          operands[v()] = lanes::broadcast(0);
        });
        unrolled<4>([&](auto byte) {
          unrolled<chains>([&](auto v) {
            const words symbol = lanes::bit_and(lanes::shift_right(symbols[v()], 8 * byte()), byte_mask);
            if constexpr (are_powers_of_two) {
              state[v()] = lanes::bit_and(lanes::bit_or(lanes::shift_left(state[v()], log2_of_power(radix)), symbol),
                                          lanes::broadcast(Codec::code_count - 1));
            } else {
              state[v()] = next_code(state[v()], symbol);
            }
            operands[v()] = lanes::bit_or(operands[v()], lanes::shift_left(level(state[v()]), 8 * byte()));
          });
        });
        unrolled<chains>([&](auto v) { lanes::store(at + v() * lanes::lanes * 4, operands[v()]); });
      }
      unrolled<chains>([&](auto v) { lanes::store(states_.data() + (first + v()) * lanes::lanes, state[v()]); });
    }
  }

  /// A shift register of each row: (radix state + symbol) mod code_count, with differences in place of a division. One
  /// that is below 0 wraps to a number that is not the lesser one.
  static LUQ_ALWAYS_INLINE words next_code(words state, words symbol) {
    constexpr auto radix = static_cast<std::uint32_t>(levels<Codec>());
    constexpr auto count = static_cast<std::uint32_t>(Codec::code_count);
    words next = lanes::add_words(product_of_words<radix>(state), symbol);
    unrolled<std::bit_width(radix - 1)>([&](auto i) {
      constexpr std::uint32_t multiple = count << (std::bit_width(radix - 1) - 1 - i());
      next = lanes::lesser_words(next, lanes::subtract_words(next, lanes::broadcast(multiple)));
    });
    return next;
  }

  /// Words times Factor, by doubling and adding: a product of words takes many cycles.
  template <std::uint32_t Factor>
  static LUQ_ALWAYS_INLINE words product_of_words(words a) {
    if constexpr (Factor == 1) {
      return a;
    } else {
      const words half = product_of_words<Factor / 2>(a);
      const words even = lanes::add_words(half, half);
      return Factor % 2 == 0 ? even : lanes::add_words(even, a);
    }
  }

  /// The computed level of each row's code, less the least one: the sum of the bytes of a masked product.
  static LUQ_ALWAYS_INLINE words level(words state)
  requires HasComputedLevel<Codec> {
    constexpr computed_level level = Codec::level;
    static_assert((level.mask & 0x80808080u) == 0, "luq: bytes of the mask of a computed level are at most 7fh");
    const words product =
        lanes::bit_and(lanes::multiply_words(state, lanes::broadcast(level.multiplier)), lanes::broadcast(level.mask));
    const auto sum = lanes::dot(lanes::zero(), product, lanes::broadcast(0x01010101u));
    return lanes::as_words(lanes::add(sum, lanes::broadcast_sum(level.offset - range_of_component<Codec>(0).least)));
  }

  /// Operands of the columns first ... end-1, code by code, and zeros up to a whole unit.
  template <int Component>
  LUQ_NEVER_INLINE void decode_codes(index first, index end, std::uint8_t* out) {
    constexpr int least = range_of_component<Codec>(Component).least;
    static constexpr auto operand_of = [] {
      std::array<std::uint8_t, static_cast<std::size_t>(code_count<Codec>())> result{};
      for (std::size_t q = 0; q < result.size(); ++q) {
        result[q] = static_cast<std::uint8_t>(Codec::component(static_cast<code>(q), Component) - least);
      }
      return result;
    }();
    std::memset(out, 0, static_cast<std::size_t>((end - first + unit - 1) / unit * quads_of_unit * quad_bytes));
    for (index c = first; c < end; ++c) {
      std::array<int, static_cast<std::size_t>(tile_rows)> symbols{};
      for_each_plane([&](auto plane) {
        constexpr int radix = static_cast<int>(Codec::planes[plane()]);
        const plane_view& view = tile_.planes[plane()];
        const symbol_position at = locate_symbol<radix>(tile_rows, k_, 0, c);
        const std::byte* bytes = view.bytes + at.byte;
        const index stride = c < view.words * 4 * radix_traits<radix>::symbols_per_byte ? 4 : view.tail_bytes;
        for (std::size_t r = 0; r < symbols.size(); ++r, bytes += stride) {
          symbols[r] += plane_weight<Codec>(plane()) *
                        radix_traits<radix>::extract(std::to_integer<std::uint8_t>(*bytes), at.slot);
        }
      });
      std::uint8_t* to = out + (c - first) / 4 * quad_bytes + (c - first) % 4;
      for (std::size_t r = 0; r < symbols.size(); ++r, to += 4) {
        auto q = static_cast<code>(symbols[r]);
        if constexpr (SequenceCodec<Codec>) {
          auto& state = states_[static_cast<std::size_t>(Component) * symbols.size() + r];
          q = Codec::next(static_cast<code>(state), symbols[r]);
          state = q;
        }
        *to = operand_of[q];
      }
    }
  }

  tile_planes<Codec> tile_;
  index k_;
  // Codes of the last columns that were decoded, [component][row].
  static constexpr index states = SequenceCodec<Codec> ? component_count<Codec> * tile_rows : 0;
  alignas(64) std::array<std::uint32_t, static_cast<std::size_t>(states)> states_{};
};

}  // namespace luq::detail

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
#pragma once

#include "luq/codecs/detail/component_form.hpp"
#include "luq/core/detail/unrolled.hpp"
#include "luq/kernels/cpu/lanes/integer_lanes.hpp"
#include "luq/kernels/cpu/planes/plane_symbols.hpp"
#include "luq/kernels/cpu/planes/tile_planes.hpp"

namespace luq::detail {

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
    for (index c = first; c < end; c += unit, out += quads_of_unit * quad_bytes) {
      if (unit <= k_ - c) {
        if constexpr (SequenceCodec<Codec>) {
          full_unit_symbols(c, out);
          follow_codes(out, unit);
        } else {
          with_component(component, [&](auto index_of) { full_unit<index_of()>(c, out); });
        }
      } else {
        last_unit_codes(c, out);
        if constexpr (SequenceCodec<Codec>) {
          follow_codes(out, k_ - c);
        } else {
          with_component(component, [&](auto index_of) { map_codes<index_of()>(out); });
        }
      }
    }
  }

  /// Levels of whole weights.
  void levels_of_rows(const row_levels& levels, index first, index end, std::uint8_t* out)
  requires has_two_bit_planes<Codec> {
    for (index c = first; c < end; c += unit, out += quads_of_unit * quad_bytes) {
      if (unit <= k_ - c) {
        full_unit_levels(levels, c, out);
        continue;
      }
      last_unit_codes(c, out);
      for (index i = 0; i < quads_of_unit; ++i) {
        for (index v = 0; v < vectors; ++v) {
          std::uint8_t* at = out + i * quad_bytes + v * lanes::lanes * 4;
          lanes::store(at, lanes::lookup_own(lanes::load(levels.bytes.data() + v * lanes::lanes), lanes::load(at)));
        }
      }
    }
  }

 private:
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

  /// What a symbol of plane `plane` counts in a component, or in the code itself.
  [[nodiscard]] static constexpr int factor_of(int component, std::size_t plane) {
    return component == whole_code ? plane_weight<Codec>(plane) : form_of_component<Codec>(component).factor[plane];
  }

  /// sum_p factor_p symbol_p of a full unit, factors being 0 or powers of two. Sums are below 256.
  template <int Component>
  LUQ_ALWAYS_INLINE void combine_planes(index column, std::uint8_t* out) const {
    const typename lanes::trit_unpacker unpack;
    for (index v = 0; v < vectors; ++v) {
      const index lane_bytes = v * lanes::lanes * 4;
      bool first = true;
      for_each_plane([&](auto plane) {
        constexpr int radix = static_cast<int>(Codec::planes[plane()]);
        constexpr int factor = factor_of(Component, plane());
        if constexpr (factor != 0) {
          constexpr index slots = symbols_per_byte(radix);
          constexpr index words_of_unit = quads_of_unit / slots;
          const std::byte* word = tile_.planes[plane()].bytes + column / (4 * slots) * quad_bytes + lane_bytes;
          for (index w = 0; w < words_of_unit; ++w) {
            const slot_reader<lanes, radix> reader(lanes::load(word + w * quad_bytes), unpack);
#pragma GCC unroll 8
            for (index slot = 0; slot < slots; ++slot) {
              auto operand = reader.template symbols<factor>(slot);
              std::uint8_t* at = out + (w * slots + slot) * quad_bytes + lane_bytes;
              if (!first) operand = lanes::bit_or(operand, lanes::load(at));
              lanes::store(at, operand);
            }
          }
          first = false;
        }
      });
    }
  }

  void full_unit_symbols(index column, std::uint8_t* out) const { combine_planes<whole_code>(column, out); }

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

  /// One component of a full unit.
  template <int Component>
  void full_unit(index column, std::uint8_t* out) const {
    constexpr auto form = form_of_component<Codec>(Component);
    constexpr bool is_affine = form.exact && form.product == 0 && [&] {
      for (const int factor : form.factor) {
        if (factor < 0 || (factor & (factor - 1)) != 0) return false;
      }
      return true;
    }();
    if constexpr (is_affine) {
      combine_planes<Component>(column, out);
    } else {
      full_unit_symbols(column, out);
      map_codes<Component>(out);
    }
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
      static_assert(levels<Codec>() <= 16, "kernels look components up in tables of 16");
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

  /// Codes, or symbols, of the columns after the last full unit; 0 in columns that do not exist.
  void last_unit_codes(index column, std::uint8_t* out) const {
    std::memset(out, 0, static_cast<std::size_t>(quads_of_unit * quad_bytes));
    const typename lanes::trit_unpacker unpack;
    for_each_plane([&](auto plane) {
      constexpr int radix = static_cast<int>(Codec::planes[plane()]);
      constexpr int factor = plane_weight<Codec>(plane());
      constexpr index slots = symbols_per_byte(radix);
      const plane_view& view = tile_.planes[plane()];
      for (index v = 0; v < vectors; ++v) {
        index quad = 0;
        const auto add = [&](index offset, words operand) {
          if (quad + offset >= quads_of_unit) return;  // slots of columns that do not exist
          std::uint8_t* at = out + (quad + offset) * quad_bytes + v * lanes::lanes * 4;
          lanes::store(at, lanes::bit_or(lanes::load(at), operand));
        };
        for (index w = column / (4 * slots); w < view.words; ++w, quad += slots) {
          place_symbols<lanes, radix, factor, 4>(lanes::load(view.bytes + w * quad_bytes + v * lanes::lanes * 4),
                                                 unpack, add);
        }
        with_tail_bytes(view.tail_bytes, [&](auto bytes) {
          const std::byte* tail = view.tail() + v * lanes::lanes * bytes();
          place_symbols<lanes, radix, factor, bytes()>(lanes::template load_short<bytes()>(tail), unpack, add);
        });
      }
    });
  }

  /// Symbols of `columns` columns, in place, to operands of the codes they lead to.
  LUQ_FLATTEN void follow_codes(std::uint8_t* out, index columns)
  requires SequenceCodec<Codec> {
    constexpr int radix = levels<Codec>();
    constexpr bool is_power_of_two = (radix & (radix - 1)) == 0;
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
            if constexpr (is_power_of_two) {
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

  /// Codec::next() of each row: (radix state + symbol) mod code_count, with differences in place of a division. One
  /// that is below 0 wraps to a number that is not the lesser one.
  static LUQ_ALWAYS_INLINE words next_code(words state, words symbol) {
    static_assert(levels<Codec>() == 3);
    constexpr auto count = static_cast<std::uint32_t>(Codec::code_count);
    words next = lanes::add_words(lanes::add_words(lanes::add_words(state, state), state), symbol);
    next = lanes::lesser_words(next, lanes::subtract_words(next, lanes::broadcast(2 * count)));
    return lanes::lesser_words(next, lanes::subtract_words(next, lanes::broadcast(count)));
  }

  /// Component of each row's code, less its least value: the sum of the bytes of a masked product.
  static LUQ_ALWAYS_INLINE words level(words state) {
    const words product = lanes::bit_and(lanes::multiply_words(state, lanes::broadcast(Codec::level_multiplier)),
                                         lanes::broadcast(Codec::level_mask));
    const auto sum = lanes::dot(lanes::zero(), product, lanes::broadcast(0x01010101u));
    return lanes::as_words(lanes::add(sum, lanes::broadcast_sum(Codec::level_offset - least_level)));
  }

  static constexpr int least_level = range_of_component<Codec>(0).least;

  tile_planes<Codec> tile_;
  index k_;
  alignas(64) std::array<std::uint32_t, static_cast<std::size_t>(tile_rows)> states_{};
};

}  // namespace luq::detail

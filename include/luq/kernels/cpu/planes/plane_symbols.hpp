// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Symbols out of packed words (tile_layout.hpp), one for each byte: slot `slot` of a word is four neighbouring columns.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "luq/codecs/tile_layout.hpp"
#include "luq/kernels/cpu/lanes/integer_lanes.hpp"

namespace luq::detail {

[[nodiscard]] constexpr int log2_of_power(int value) noexcept {
  return std::countr_zero(static_cast<unsigned>(value));
}

/// Bytes times Factor >= 1, by doubling and adding. Products are below 256.
template <class Lanes, int Factor>
[[nodiscard]] LUQ_ALWAYS_INLINE typename Lanes::words times(typename Lanes::words bytes) {
  if constexpr (Factor == 1) {
    return bytes;
  } else {
    const auto half = times<Lanes, Factor / 2>(bytes);
    const auto even = Lanes::add_bytes(half, half);
    if constexpr (Factor % 2 == 0) return even;
    return Lanes::add_bytes(even, bytes);
  }
}

/// Takes vectors of packed words apart. Readers of one loop share `tables`; symbols<Factor>(slot) are the symbols of a
/// slot times Factor >= 1, products being below 256. This one is for any radix: symbols are looked up a byte at a time.
template <class Lanes, int Radix>
class slot_reader {
  using words = typename Lanes::words;
  static constexpr index slots = radix_traits<Radix>::symbols_per_byte;

 public:
  struct tables {};

  LUQ_ALWAYS_INLINE slot_reader(words packed, const tables&) { Lanes::store(packed_.data(), packed); }

  template <int Factor>
  [[nodiscard]] LUQ_ALWAYS_INLINE words symbols(index slot) const {
    std::array<std::uint8_t, bytes> found;
    const auto& table = symbols_of_slot[static_cast<std::size_t>(slot)];
    for (std::size_t i = 0; i < bytes; ++i) found[i] = table[packed_[i]];
    return times<Lanes, Factor>(Lanes::load(found.data()));
  }

 private:
  static constexpr auto bytes = static_cast<std::size_t>(4 * Lanes::lanes);
  static constexpr auto symbols_of_slot = [] {
    std::array<std::array<std::uint8_t, 256>, static_cast<std::size_t>(slots)> result{};
    for (std::size_t slot = 0; slot < result.size(); ++slot) {
      for (std::size_t byte = 0; byte < 256; ++byte) {
        const int symbol = radix_traits<Radix>::extract(static_cast<std::uint8_t>(byte), static_cast<index>(slot));
        result[slot][byte] = static_cast<std::uint8_t>(symbol);
      }
    }
    return result;
  }();

  std::array<std::uint8_t, bytes> packed_;
};

/// Bit fields: a shift and a mask, which multiply by powers of two for nothing.
template <class Lanes, int Radix>
requires BitFieldRadix<Radix>
class slot_reader<Lanes, Radix> {
  using words = typename Lanes::words;

 public:
  struct tables {};

  LUQ_ALWAYS_INLINE slot_reader(words packed, const tables&) : packed_(packed) {}

  template <int Factor>
  [[nodiscard]] LUQ_ALWAYS_INLINE words symbols(index slot) const {
    if constexpr (!std::has_single_bit(static_cast<unsigned>(Factor))) {
      return times<Lanes, Factor>(symbols<1>(slot));
    } else if constexpr (Radix == 256) {
      static_assert(Factor == 1);
      return packed_;
    } else {
      const int shift = radix_traits<Radix>::slot_bits * static_cast<int>(slot) - log2_of_power(Factor);
      const words moved = shift >= 0 ? Lanes::shift_right(packed_, shift) : Lanes::shift_left(packed_, -shift);
      return Lanes::bit_and(moved, Lanes::broadcast(0x01010101u * static_cast<unsigned>((Radix - 1) * Factor)));
    }
  }

 private:
  words packed_;
};

/// Trits, all five of a byte at once.
template <class Lanes>
class slot_reader<Lanes, 3> {
  using words = typename Lanes::words;

 public:
  using tables = typename Lanes::trit_unpacker;

  LUQ_ALWAYS_INLINE slot_reader(words packed, const tables& unpack) { unpack.trits(packed, trits_); }

  template <int Factor>
  [[nodiscard]] LUQ_ALWAYS_INLINE words symbols(index slot) const {
    const words moved = Lanes::shift_right(trits_[slot], Lanes::trit_shift[static_cast<std::size_t>(slot)]);
    return times<Lanes, Factor>(Lanes::bit_and(moved, Lanes::broadcast(0x03030303u)));
  }

 private:
  words trits_[5];
};

/// Symbols of a word of `Bytes` bytes times Factor as quads, slot by slot `Bytes` columns on: calls place(quad,
/// symbols) for each part; parts of one quad are to be joined by or. Bytes beyond the word's are 0.
template <class Lanes, int Radix, int Factor, int Bytes, class Place>
LUQ_ALWAYS_INLINE void place_symbols(typename Lanes::words packed,
                                     const typename slot_reader<Lanes, Radix>::tables& tables, Place&& place) {
  constexpr index slots = radix_traits<Radix>::symbols_per_byte;
  const slot_reader<Lanes, Radix> reader(packed, tables);
#pragma GCC unroll 8
  for (index slot = 0; slot < slots; ++slot) {
    const auto symbols = reader.template symbols<Factor>(slot);
    const index column = slot * Bytes;
    const int shift = 8 * static_cast<int>(column % 4);
    place(column / 4, shift == 0 ? symbols : Lanes::shift_left(symbols, shift));
    if (column % 4 + Bytes > 4) place(column / 4 + 1, Lanes::shift_right(symbols, 32 - shift));
  }
}

/// Calls function(integral_constant bytes) for a number of tail bytes from 1 to 3.
template <class Function>
LUQ_ALWAYS_INLINE void with_tail_bytes(index bytes, Function&& function) {
  if (bytes == 1) function(std::integral_constant<int, 1>());
  if (bytes == 2) function(std::integral_constant<int, 2>());
  if (bytes == 3) function(std::integral_constant<int, 3>());
}

}  // namespace luq::detail

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Symbols out of packed words (tile_layout.hpp), one for each byte: slot `slot` of a word is four neighbouring columns.
#pragma once

#include "luq/codecs/tile_layout.hpp"
#include "luq/kernels/cpu/lanes/integer_lanes.hpp"

namespace luq::detail {

[[nodiscard]] constexpr int log2_of_power(int value) noexcept {
  return std::countr_zero(static_cast<unsigned>(value));
}

/// Takes vectors of packed words apart. Readers of one loop share an unpacker of trits.
template <class Lanes, int Radix>
class slot_reader {
  using words = typename Lanes::words;

 public:
  LUQ_ALWAYS_INLINE slot_reader(words packed, const typename Lanes::trit_unpacker& unpack) : packed_(packed) {
    if constexpr (Radix == 3) unpack.trits(packed, trits_);
  }

  /// Symbols of slot `slot` times Factor, a power of two (1 for trits).
  template <int Factor>
  [[nodiscard]] LUQ_ALWAYS_INLINE words symbols(index slot) const {
    if constexpr (Radix == 3) {
      static_assert(Factor == 1);
      const words moved = Lanes::shift_right(trits_[slot], Lanes::trit_shift[static_cast<std::size_t>(slot)]);
      return Lanes::bit_and(moved, Lanes::broadcast(0x03030303u));
    } else if constexpr (Radix == 256) {
      static_assert(Factor == 1);
      return packed_;
    } else {
      constexpr int bits = static_cast<int>(8 / symbols_per_byte(Radix));
      const int shift = bits * static_cast<int>(slot) - log2_of_power(Factor);
      const words moved = shift >= 0 ? Lanes::shift_right(packed_, shift) : Lanes::shift_left(packed_, -shift);
      return Lanes::bit_and(moved, Lanes::broadcast(0x01010101u * static_cast<unsigned>((Radix - 1) * Factor)));
    }
  }

 private:
  words packed_;
  words trits_[Radix == 3 ? 5 : 1];
};

/// Symbols of a word of `Bytes` bytes times Factor as quads, slot by slot `Bytes` columns on: calls place(quad,
/// symbols) for each part; parts of one quad are to be joined by or. Bytes beyond the word's are 0.
template <class Lanes, int Radix, int Factor, int Bytes, class Place>
LUQ_ALWAYS_INLINE void place_symbols(typename Lanes::words packed, const typename Lanes::trit_unpacker& unpack,
                                     Place&& place) {
  constexpr index slots = symbols_per_byte(Radix);
  const slot_reader<Lanes, Radix> reader(packed, unpack);
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

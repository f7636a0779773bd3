// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// How the symbols of a plane are stored in a byte: a plane of radix R has symbols 0 ... R-1, several to a byte, each in
// a slot of it. All that packing, kernels and GPUs know of a radix is radix_traits; a radix that luq does not have is
// one specialization, with no other file touched. Five levels, three to a byte:
//
//   template <>
//   struct luq::radix_traits<5> {
//     static constexpr luq::index symbols_per_byte = 3;
//     static constexpr int extract(std::uint8_t byte, luq::index slot) noexcept {
//       return byte / (slot == 0 ? 1 : slot == 1 ? 5 : 25) % 5;
//     }
//     static constexpr std::uint8_t combine(std::span<const std::uint8_t> symbols) noexcept {
//       int value = 0;
//       for (std::size_t slot = symbols.size(); slot > 0; --slot) value = 5 * value + symbols[slot - 1];
//       return static_cast<std::uint8_t>(value);
//     }
//   };
//
// Vector instructions take powers of two and base 3 apart. Kernels on the CPU read any other radix from a table, a byte
// at a time, made by extract(). With base 5 a single token then takes 42 times as long as with int4 (cached weights,
// AVX-512 with VNNI, one core); weights are decoded once for many tokens, so that 32 take 3 times as long, 128 1.5.
#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

#include "luq/core/index.hpp"
#include "luq/core/inline.hpp"

namespace luq {

/// A specialization says
///  - `symbols_per_byte`: how many symbols share a byte, 1 to 8;
///  - `extract(byte, slot)`: the symbol in slot 0 ... symbols_per_byte-1 of a byte. It is in 0 ... Radix-1 for all 256
///    bytes, also for those that combine() never makes: files are not trusted;
///  - `combine(symbols)`: the byte of at most symbols_per_byte symbols, from slot 0 on; missing ones are 0.
/// A byte of zeros has symbols 0. All are constexpr, and check_codec() tries them.
template <int Radix>
struct radix_traits;

/// Powers of two: a slot is a field of slot_bits bits, slot 0 the lowest.
template <int Radix>
requires(Radix >= 2 && Radix <= 256 && std::has_single_bit(static_cast<unsigned>(Radix)))
struct radix_traits<Radix> {
  static constexpr index symbols_per_byte = 8 / std::countr_zero(static_cast<unsigned>(Radix));
  static constexpr int slot_bits = static_cast<int>(8 / symbols_per_byte);

  [[nodiscard]] LUQ_ALWAYS_INLINE static constexpr int extract(std::uint8_t byte, index slot) noexcept {
    return (byte >> (slot_bits * slot)) & (Radix - 1);
  }
  [[nodiscard]] static constexpr std::uint8_t combine(std::span<const std::uint8_t> symbols) noexcept {
    unsigned value = 0;
    for (std::size_t slot = 0; slot < symbols.size(); ++slot) {
      value |= static_cast<unsigned>(symbols[slot]) << (static_cast<std::size_t>(slot_bits) * slot);
    }
    return static_cast<std::uint8_t>(value);
  }
};

/// Five trits t0 ... t4 are the fixed-point fraction byte = ceil(256/243 * (81 t0 + 27 t1 + 9 t2 + 3 t3 + t4)), from
/// which a kernel takes trit i by multiplications alone: ((byte * 3^i mod 256) * 3) >> 8.
template <>
struct radix_traits<3> {
  static constexpr index symbols_per_byte = 5;

  [[nodiscard]] LUQ_ALWAYS_INLINE static constexpr int extract(std::uint8_t byte, index slot) noexcept {
    constexpr std::array<unsigned, 5> powers{1, 3, 9, 27, 81};
    return static_cast<int>((((byte * powers[static_cast<std::size_t>(slot)]) & 0xffu) * 3u) >> 8);
  }
  [[nodiscard]] static constexpr std::uint8_t combine(std::span<const std::uint8_t> symbols) noexcept {
    unsigned value = 0;
    for (std::size_t slot = 0; slot < 5; ++slot) value = 3 * value + (slot < symbols.size() ? symbols[slot] : 0u);
    return static_cast<std::uint8_t>((value * 256 + 242) / 243);
  }
};

/// A radix that planes can have.
template <int Radix>
concept StoredRadix = requires(std::uint8_t byte, index slot, std::span<const std::uint8_t> symbols) {
  { radix_traits<Radix>::symbols_per_byte } -> std::convertible_to<index>;
  { radix_traits<Radix>::extract(byte, slot) } -> std::same_as<int>;
  { radix_traits<Radix>::combine(symbols) } -> std::same_as<std::uint8_t>;
};

/// A radix whose symbols are fields of radix_traits<Radix>::slot_bits bits, so that shifts and masks find them.
template <int Radix>
concept BitFieldRadix = StoredRadix<Radix> && requires { radix_traits<Radix>::slot_bits; };

}  // namespace luq

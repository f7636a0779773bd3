// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Codes of 1 to 8 bits as one little-endian bit stream without gaps: code i occupies the bits i*Bits ... i*Bits+Bits-1
// of the stream, and bit b of the stream is bit b % 8 of byte b / 8. For 3-bit codes c0, c1, ...
//
//   byte        0                  1                  2
//   bit   7 6 5 4 3 2 1 0    7 6 5 4 3 2 1 0    7 6 5 4 3 2 1 0
//         c2  |c1   |c0      c5 c4   |c3   c2   c7   |c6   |c5       (c2 takes bits 6-7 of byte 0 and bit 0 of byte 1)
//
// This is the stream of GPTQ's qweight words (read as little-endian) and of compressed-tensors since 2026; it holds
// zero points and column flags here. The codes of a packed matrix use the row-interleaved planes of tile_layout.hpp
// instead, because code i of a gapless stream may straddle bytes, which costs a kernel more than it saves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "luq/core/assert.hpp"
#include "luq/core/index.hpp"

namespace luq {

/// Bytes that `count` codes of `bits` bits occupy; unused high bits of the last byte are zero.
[[nodiscard]] constexpr index bit_packed_bytes(index count, unsigned bits) noexcept {
  return (count * static_cast<index>(bits) + 7) / 8;
}

/// Code `position` of a stream of `bits`-bit codes, 1 <= bits <= 8.
[[nodiscard]] constexpr std::uint8_t bit_packed_at(std::span<const std::byte> stream, index position,
                                                   unsigned bits) noexcept {
  const index first_bit = position * static_cast<index>(bits);
  const auto byte = static_cast<std::size_t>(first_bit / 8);
  const auto shift = static_cast<unsigned>(first_bit % 8);
  unsigned window = std::to_integer<unsigned>(stream[byte]);
  if (shift + bits > 8) window |= std::to_integer<unsigned>(stream[byte + 1]) << 8;
  return static_cast<std::uint8_t>((window >> shift) & ((1u << bits) - 1u));
}

/// Writes codes.size() codes to the first bit_packed_bytes(codes.size(), bits) bytes of `stream`.
/// Bits of a code above `bits` are a caller's bug.
constexpr void bit_pack(std::span<const std::uint8_t> codes, unsigned bits, std::span<std::byte> stream) noexcept {
  LUQ_ASSERT(bits >= 1 && bits <= 8);
  LUQ_ASSERT(static_cast<index>(stream.size()) >= bit_packed_bytes(static_cast<index>(codes.size()), bits));
  unsigned window = 0;
  unsigned filled = 0;
  std::size_t byte = 0;
  for (const std::uint8_t code : codes) {
    LUQ_ASSERT(code < (1u << bits));
    window |= static_cast<unsigned>(code) << filled;
    filled += bits;
    if (filled >= 8) {
      stream[byte++] = static_cast<std::byte>(window & 0xffu);
      window >>= 8;
      filled -= 8;
    }
  }
  if (filled > 0) stream[byte] = static_cast<std::byte>(window);
}

/// Reads codes.size() codes.
constexpr void bit_unpack(std::span<const std::byte> stream, unsigned bits, std::span<std::uint8_t> codes) noexcept {
  LUQ_ASSERT(bits >= 1 && bits <= 8);
  LUQ_ASSERT(static_cast<index>(stream.size()) >= bit_packed_bytes(static_cast<index>(codes.size()), bits));
  for (std::size_t i = 0; i < codes.size(); ++i) codes[i] = bit_packed_at(stream, static_cast<index>(i), bits);
}

}  // namespace luq

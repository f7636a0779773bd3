// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Planes of random symbols, one token's random activations, and what sums of their products must be.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "luq/codecs/tile_layout.hpp"
#include "luq/core/random.hpp"
#include "luq/kernels/cpu/planes/plane_dots.hpp"

namespace luq_test {

inline constexpr luq::index rows = luq::tile_rows;

/// One plane of k columns and 64 rows.
template <int Radix>
struct random_plane {
  luq::index k;
  std::vector<std::byte> bytes;

  random_plane(luq::index k_, std::uint64_t seed)
      : k(k_), bytes(static_cast<std::size_t>(rows * luq::plane_row_bytes<Radix>(k))) {
    const luq::counter_rng rng(seed);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(rng.below(i, 256));
  }

  [[nodiscard]] luq::detail::plane_view view() const {
    const luq::index row_bytes = luq::plane_row_bytes<Radix>(k);
    return {bytes.data(), row_bytes / 4, row_bytes % 4};
  }
  [[nodiscard]] luq::index columns_of_words() const {
    return view().words * 4 * luq::radix_traits<Radix>::symbols_per_byte;
  }

  [[nodiscard]] int symbol(luq::index r, luq::index column) const {
    const auto position = luq::locate_symbol<Radix>(rows, k, r, column);
    const std::byte byte = bytes[static_cast<std::size_t>(position.byte)];
    return luq::radix_traits<Radix>::extract(std::to_integer<std::uint8_t>(byte), position.slot);
  }
};

/// Integers -127 ... 127 of columns first ... end-1, and zeros up to `columns` in all.
inline std::vector<std::int8_t> random_activations(luq::index first, luq::index end, luq::index columns,
                                                   std::uint64_t seed) {
  const luq::counter_rng rng(seed, 1);
  std::vector<std::int8_t> x(static_cast<std::size_t>(columns));
  for (luq::index c = first; c < end; ++c) {
    x[static_cast<std::size_t>(c - first)] =
        static_cast<std::int8_t>(static_cast<int>(rng.below(static_cast<std::uint64_t>(c), 255)) - 127);
  }
  return x;
}

/// Quads of several tokens, [quad][token][4], of their activations.
inline std::vector<std::int8_t> interleaved_quads(const std::vector<std::vector<std::int8_t>>& tokens) {
  std::vector<std::int8_t> quads;
  for (std::size_t column = 0; column < tokens.front().size(); column += 4) {
    for (const std::vector<std::int8_t>& x : tokens) {
      const auto first = x.begin() + static_cast<std::ptrdiff_t>(column);
      quads.insert(quads.end(), first, first + 4);
    }
  }
  return quads;
}

/// Sums of some tokens as kernels hold them.
template <class Arch, luq::index Tokens = 1>
struct held_sums {
  using lanes = luq::detail::integer_lanes<Arch>;
  luq::detail::row_sums<Arch> of_token[Tokens];

  /// @param before  of every token
  explicit held_sums(const std::vector<std::int32_t>& before) {
    for (auto& sums : of_token) {
      for (luq::index r = 0; r < rows; r += lanes::lanes) {
        sums.of[r / lanes::lanes] = lanes::load_sums(&before[static_cast<std::size_t>(r)]);
      }
    }
  }

  [[nodiscard]] std::vector<std::int32_t> values(luq::index t = 0) const {
    std::vector<std::int32_t> result(std::size_t{rows});
    for (luq::index r = 0; r < rows; r += lanes::lanes) {
      lanes::store_sums(&result[static_cast<std::size_t>(r)], of_token[t].of[r / lanes::lanes]);
    }
    return result;
  }
};

/// What the sums held before.
inline std::vector<std::int32_t> sums_before() {
  std::vector<std::int32_t> sums(std::size_t{rows});
  for (std::size_t r = 0; r < sums.size(); ++r) sums[r] = 1000 * static_cast<std::int32_t>(r) - 31000;
  return sums;
}

/// Sums of symbol(row, column) x[column - first] over columns first ... end-1, on top of sums_before().
template <class Symbol>
std::vector<std::int32_t> expected_sums(luq::index first, luq::index end, const std::vector<std::int8_t>& x,
                                        Symbol&& symbol) {
  std::vector<std::int32_t> sums = sums_before();
  for (luq::index r = 0; r < rows; ++r) {
    for (luq::index c = first; c < end; ++c) {
      sums[static_cast<std::size_t>(r)] += symbol(r, c) * int{x[static_cast<std::size_t>(c - first)]};
    }
  }
  return sums;
}

/// The symbols that a source multiplies: those of a plane, or products of the symbols of two.
template <luq::detail::word_source Source, int Radix>
auto symbols_of(const random_plane<Radix>& plane, const random_plane<Radix>& other) {
  return [&](luq::index r, luq::index c) {
    return plane.symbol(r, c) * (Source == luq::detail::word_source::conjunction ? other.symbol(r, c) : 1);
  };
}

}  // namespace luq_test

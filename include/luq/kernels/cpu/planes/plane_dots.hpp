// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Dot products of a few tokens with the symbols of a plane, straight from the packed words: what a single token takes,
// whose time is that of reading the weights.
//
// Symbols stay where they are in their byte: a mask leaves those of one slot, which are then 2^shift times too large,
// and each slot has its own sums, put right once at the end. So a word of int4 takes two masks and, for each token, two
// dot products, and no shift; a word of signs takes eight masks and eight dot products, and one shift by four so that
// four sums do.
#pragma once

#include <algorithm>
#include <bit>
#include <cstring>

#include "luq/core/detail/unrolled.hpp"
#include "luq/kernels/cpu/lanes/integer_lanes.hpp"
#include "luq/kernels/cpu/planes/plane_symbols.hpp"
#include "luq/kernels/cpu/planes/tile_planes.hpp"

namespace luq::detail {

/// Which words are multiplied.
enum class word_source {
  plane,        ///< those of one plane
  conjunction,  ///< two planes of radix 2, bit by bit: the product of their symbols
};

/// One sum for each of the 64 rows of a tile, in registers where the instruction set has enough.
template <class Arch>
struct row_sums {
  using lanes = integer_lanes<Arch>;
  static constexpr index vectors = tile_rows / lanes::lanes;
  typename lanes::sums of[vectors];  ///< vector v: rows v * lanes, ...

  LUQ_ALWAYS_INLINE row_sums() {
    unrolled<vectors>([&](auto v) { of[v()] = lanes::zero(); });
  }
};

/// add_plane_dots() for any radix: symbols are taken out slot by slot, and only then multiplied.
template <class Arch, int Radix, index Tokens>
void add_symbol_dots(const std::byte* plane, index words, const std::int8_t* x, row_sums<Arch> (&dots)[Tokens]) {
  using lanes = integer_lanes<Arch>;
  constexpr index slots = radix_traits<Radix>::symbols_per_byte;
  const typename slot_reader<lanes, Radix>::tables tables{};
  for (index w = 0; w < words; ++w) {
    for (index v = 0; v < row_sums<Arch>::vectors; ++v) {
      const slot_reader<lanes, Radix> reader(lanes::load(plane + (w * tile_rows + v * lanes::lanes) * 4), tables);
      for (index slot = 0; slot < slots; ++slot) {
        const auto symbols = reader.template symbols<1>(slot);
        for (index t = 0; t < Tokens; ++t) {
          std::uint32_t quad;
          std::memcpy(&quad, x + ((w * slots + slot) * Tokens + t) * 4, 4);
          dots[t].of[v] = lanes::dot_wide(dots[t].of[v], symbols, lanes::broadcast(quad));
        }
      }
    }
  }
}

/// dots of row r += sum of symbol * activation over `words` words, for each token.
/// @param plane   first word
/// @param other   the same of the second plane, for conjunctions
/// @param x       quads of the words, as many for each as a byte has symbols: [quad][Tokens][4]
template <class Arch, int Radix, word_source Source = word_source::plane, index Tokens = 1>
LUQ_ALWAYS_INLINE void add_plane_dots(const std::byte* plane, [[maybe_unused]] const std::byte* other, index words,
                                      const std::int8_t* x, row_sums<Arch> (&dots)[Tokens]) {
  using lanes = integer_lanes<Arch>;
  if constexpr (Radix != 3 && !BitFieldRadix<Radix>) return add_symbol_dots<Arch, Radix>(plane, words, x, dots);
  constexpr index slots = radix_traits<Radix>::symbols_per_byte;
  constexpr index bits = Radix == 3 ? 2 : 8 / slots;
  constexpr index slots_in_place =
      Radix == 3 ? slots : std::min<index>(4, (lanes::widest_operand > 127 ? 8 : 4) / std::min<index>(bits, 4));
  constexpr index positions = Radix == 3 ? 4 : (std::min)(slots, slots_in_place);
  // Trits leave half of the registers to their tables.
  constexpr index accumulators = Radix == 3 ? lanes::accumulators / 2 : lanes::accumulators;
  constexpr auto of_tokens = static_cast<std::size_t>(std::max<index>(1, accumulators / (positions * Tokens)));
  constexpr index vectors = (std::min)(tile_rows / lanes::lanes, static_cast<index>(std::bit_floor(of_tokens)));
  static_assert(tile_rows % (vectors * lanes::lanes) == 0);
  constexpr index vector_bytes = lanes::lanes * 4;
  [[maybe_unused]] const typename lanes::trit_unpacker unpack;
  for (index first = 0; first < tile_rows; first += vectors * lanes::lanes) {
    typename lanes::sums sums[Tokens][vectors][positions];
#pragma GCC unroll 4
    for (index t = 0; t < Tokens; ++t) {
#pragma GCC unroll 16
      for (index v = 0; v < vectors; ++v) {
#pragma GCC unroll 8
        for (index position = 0; position < positions; ++position) sums[t][v][position] = lanes::zero();
      }
    }
    for (index w = 0; w < words; ++w) {
      typename lanes::words word[vectors];
      const index offset = (w * tile_rows + first) * 4;
#pragma GCC unroll 16
      for (index v = 0; v < vectors; ++v) {
        word[v] = lanes::load(plane + offset + v * vector_bytes);
        if constexpr (Source == word_source::conjunction) {
          word[v] = lanes::bit_and(word[v], lanes::load(other + offset + v * vector_bytes));
        } else if (v * vector_bytes % 64 == 0) {
          prefetch_weights<lanes, slots>(plane + offset + v * vector_bytes);
        }
        word[v] = lanes::in_register(word[v]);
      }
      const std::int8_t* quad = x + w * slots * Tokens * 4;
      const auto next_quad = [&quad] {
        std::uint32_t bytes;
        std::memcpy(&bytes, quad, 4);
        quad += 4;
        return lanes::broadcast(bytes);
      };
      if constexpr (Radix == 3) {
        typename lanes::words fields[vectors][5];
#pragma GCC unroll 16
        for (index v = 0; v < vectors; ++v) unpack.trits(word[v], fields[v]);
#pragma GCC unroll 8
        for (index i = 0; i < 5; ++i) {
          const auto mask = lanes::broadcast(0x03030303u << lanes::trit_shift[static_cast<std::size_t>(i)]);
          // The last trit has the shift of the first and shares its sums.
#pragma GCC unroll 4
          for (index t = 0; t < Tokens; ++t) {
            const auto quad_of_slot = next_quad();
#pragma GCC unroll 16
            for (index v = 0; v < vectors; ++v) {
              sums[t][v][i % 4] = lanes::dot(sums[t][v][i % 4], lanes::bit_and(fields[v][i], mask), quad_of_slot);
            }
          }
        }
      } else if constexpr (Radix == 256) {
#pragma GCC unroll 4
        for (index t = 0; t < Tokens; ++t) {
          const auto quad_of_slot = next_quad();
#pragma GCC unroll 16
          for (index v = 0; v < vectors; ++v) sums[t][v][0] = lanes::dot_wide(sums[t][v][0], word[v], quad_of_slot);
        }
      } else {
#pragma GCC unroll 8
        for (index slot = 0; slot < slots; ++slot) {
          const index position = slot % positions;
          const auto mask = lanes::broadcast((0x01010101u * (Radix - 1)) << (bits * position));
#pragma GCC unroll 4
          for (index t = 0; t < Tokens; ++t) {
            const auto quad_of_slot = next_quad();
#pragma GCC unroll 16
            for (index v = 0; v < vectors; ++v) {
              sums[t][v][position] = lanes::dot(sums[t][v][position], lanes::bit_and(word[v], mask), quad_of_slot);
            }
          }
#pragma GCC unroll 16
          for (index v = 0; v < vectors; ++v) {
            if (position == positions - 1 && slot + 1 < slots) {
              word[v] = lanes::shift_right(word[v], static_cast<int>(bits * positions));
            }
          }
        }
      }
    }
#pragma GCC unroll 4
    for (index t = 0; t < Tokens; ++t) {
#pragma GCC unroll 16
      for (index v = 0; v < vectors; ++v) {
        auto& total = dots[t].of[first / lanes::lanes + v];
        total = lanes::add(total, sums[t][v][0]);
#pragma GCC unroll 8
        for (index position = 1; position < positions; ++position) {
          const int shift =
              Radix == 3 ? lanes::trit_shift[static_cast<std::size_t>(position)] : static_cast<int>(bits * position);
          total = lanes::add(total, lanes::scale_down(sums[t][v][position], shift));
        }
      }
    }
  }
}

/// The same for the tail of a plane.
/// @param x  quads from the first column of the tail on, 0 beyond the last
template <class Arch, int Radix, word_source Source = word_source::plane, index Tokens = 1>
LUQ_NEVER_INLINE void add_tail_dots(const plane_view& plane, [[maybe_unused]] const plane_view& other,
                                    const std::int8_t* x, row_sums<Arch> (&dots)[Tokens]) {
  using lanes = integer_lanes<Arch>;
  const typename slot_reader<lanes, Radix>::tables tables{};
  with_tail_bytes(plane.tail_bytes, [&](auto bytes) {
    constexpr index quads = (bytes() * radix_traits<Radix>::symbols_per_byte + 3) / 4;
    for (index first = 0; first < tile_rows; first += lanes::lanes) {
      auto packed = lanes::template load_short<bytes()>(plane.tail() + first * bytes());
      if constexpr (Source == word_source::conjunction) {
        packed = lanes::bit_and(packed, lanes::template load_short<bytes()>(other.tail() + first * bytes()));
      }
      typename lanes::words weights[quads];
      for (auto& quad : weights) quad = lanes::broadcast(0);
      place_symbols<lanes, Radix, 1, bytes()>(packed, tables, [&](index quad, typename lanes::words symbols) {
        weights[quad] = lanes::bit_or(weights[quad], symbols);
      });
      for (index t = 0; t < Tokens; ++t) {
        auto& sum = dots[t].of[first / lanes::lanes];
        for (index quad = 0; quad < quads; ++quad) {
          std::uint32_t activations;
          std::memcpy(&activations, x + (quad * Tokens + t) * 4, 4);
          sum = lanes::dot_wide(sum, weights[quad], lanes::broadcast(activations));
        }
      }
    }
  });
}

}  // namespace luq::detail

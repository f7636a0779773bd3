// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Activations as the integer products of plane_product.cuh take them: whole numbers of 8 bits for every group of
// columns, in the order in which lanes ask for them.
//
// A token's activations in a group become x = s q with one scale s. Either q has 8 bits, as on the CPU; or it has 16,
// q = 256 high + low, and high and low are two columns of the product: as good as float, for twice the products, which
// a single token has no other use for. Where codec columns have two classes, each class has columns of its own, zero
// at the places of the other class. So a token has `columns_per_token` columns:
//
//   column = (token * classes + class) * parts + part        part 0: high (or all), part 1: low
//
// Eight columns are a tile, B of one matrix instruction. In memory:
//
//   group | tile of columns | radix of planes | unit | column of the tile | slot: 4 bytes, the columns of that slot
//
// Units are padded to a multiple of four, one for each lane of a row, and columns to whole tiles, all with zeros.
#pragma once

#include <cfloat>
#include <cmath>

#include "luq/kernels/cuda/packed_planes.cuh"

namespace luq::cuda {

/// Of how many bits activations are.
enum class activation_bits {
  eight,    ///< a relative error of about half a percent on normal activations, as activation_mode::int8
  sixteen,  ///< a relative error below 2^-14 of a group's greatest activation
};

inline constexpr int columns_of_tile = 8;  ///< of B of a matrix instruction

/// How activations for a codec are arranged.
template <PlaneCodec Codec, activation_bits Bits>
struct activation_layout {
  static constexpr int parts = Bits == activation_bits::sixteen ? 2 : 1;
  static constexpr int classes = Codec::column_classes;
  static constexpr int columns_per_token = parts * classes;
  static constexpr int tokens_of_tile = columns_of_tile / columns_per_token;
  static constexpr int greatest = Bits == activation_bits::sixteen ? 127 * 256 + 127 : 127;

  /// The different radices of planes, each of which has an arrangement of its own.
  static constexpr int first_radix = Codec::planes.front();
  static constexpr int other_radix = Codec::planes.back();
  static constexpr int arrangements = first_radix == other_radix ? 1 : 2;

  int group;  ///< columns of a whole group
  int tiles;  ///< of columns

  /// Tiles that registers have sums for: of each plane, and of a product of two.
  static constexpr int most_tiles_of_block = [] {
    const int sources = static_cast<int>(Codec::planes.size()) + (luq::detail::has_symbol_products<Codec> ? 1 : 0);
    return sources == 1 ? 8 : sources == 2 ? 4 : 2;
  }();

  /// Tiles that a block computes at once, a power of two.
  [[nodiscard]] static constexpr int tiles_of_block(int tokens) {
    int tiles = 1;
    while (tiles < most_tiles_of_block && tiles * tokens_of_tile < tokens) tiles *= 2;
    return tiles;
  }
  /// Tiles of so many tokens, for whole blocks.
  [[nodiscard]] static constexpr int tiles_of(int tokens) {
    const int of_block = tiles_of_block(tokens);
    const int tokens_of_block = of_block * tokens_of_tile;
    return (tokens + tokens_of_block - 1) / tokens_of_block * of_block;
  }

  /// Units of a plane of this radix, padded.
  template <int Radix>
  [[nodiscard]] constexpr int units() const {
    return (plane_units<Radix>{group}.count() + 3) / 4 * 4;
  }
  template <int Radix>
  [[nodiscard]] constexpr int words_of_radix() const {
    return units<Radix>() * columns_of_tile * plane_units<Radix>::symbols;
  }
  /// 32-bit words of one tile in one group.
  [[nodiscard]] constexpr int words_of_tile() const {
    return words_of_radix<first_radix>() + (arrangements == 2 ? words_of_radix<other_radix>() : 0);
  }
  /// Where the slots of a column of a unit begin.
  template <int Radix>
  [[nodiscard]] constexpr std::int64_t word(int g, int tile, int unit, int column) const {
    const std::int64_t base = (static_cast<std::int64_t>(g) * tiles + tile) * words_of_tile();
    const int before = Radix == first_radix ? 0 : words_of_radix<first_radix>();
    return base + before + (unit * columns_of_tile + column) * plane_units<Radix>::symbols;
  }
};

/// Arranged activations in memory. Plain data, passed to kernels by value.
template <PlaneCodec Codec, activation_bits Bits>
struct arranged_activations {
  activation_layout<Codec, Bits> layout;
  int tokens;
  std::uint32_t* words;  ///< [groups][layout.tiles][layout.words_of_tile()]
  float* scales;         ///< [groups][tokens]; NaN where a token has an activation that is no finite number
  float* sums;           ///< [groups][tokens][classes]: of s q
};

/// What one warp does: the activations of one token in one group.
/// @param X       [tokens x cols], `stride` elements from row to row
/// @param token   below layout.tiles * tokens_of_tile; those from `tokens` on become zeros
template <class Warp, PlaneCodec Codec, activation_bits Bits, class Stored>
LUQ_DEVICE_CODE void arrange_token(const packed_planes<Codec>& W, const Stored* X, std::int64_t stride, int g,
                                   int token, const arranged_activations<Codec, Bits>& out) {
  using layout = activation_layout<Codec, Bits>;
  const int first = g * W.group;
  const int k = W.columns_of(g);
  const bool exists = token < out.tokens;
  const auto activation = [&](int place) {
    const int column = W.stored_columns != nullptr ? W.stored_columns[first + place] : first + place;
    return to_float(X[token * stride + column]);
  };

  typename Warp::template per_lane<float> greatest;
  Warp::each_lane([&](int lane) {
    float most = 0;
    bool finite = true;
    for (int place = lane; exists && place < k; place += lanes_of_warp) {
      const float magnitude = fabsf(activation(place));
      finite = finite && magnitude <= FLT_MAX;
      most = fmaxf(most, magnitude);
    }
    greatest[lane] = finite ? most : INFINITY;
  });
  const float most = Warp::maximum(greatest);
  const bool finite = most <= FLT_MAX;
  const float scale = finite ? most / static_cast<float>(layout::greatest) : NAN;
  const float inverse = finite && most > 0 ? static_cast<float>(layout::greatest) / most : 0.0f;
  // The inverse of a tiny maximum is beyond float; such a group is as good as zero.
  const bool usable = inverse <= FLT_MAX;
  const auto level = [&](int place) { return usable ? static_cast<int>(rintf(activation(place) * inverse)) : 0; };
  const int border = W.class_borders != nullptr ? W.class_borders[g] : 0;

  typename Warp::template per_lane<int> sums[layout::classes];
  Warp::each_lane([&](int lane) {
    unrolled<layout::classes>([&](auto c) { sums[c][lane] = 0; });
    for (int place = lane; exists && finite && place < k; place += lanes_of_warp) {
      const int q = level(place);
      unrolled<layout::classes>([&](auto c) {
        if (layout::classes == 1 || (place < border) == (c == 1)) sums[c][lane] += q;
      });
    }
  });
  if (exists) {
    unrolled<layout::classes>([&](auto c) {
      const int sum = Warp::sum(sums[c]);
      Warp::each_lane([&](int lane) {
        if (lane == 0) {
          out.sums[(static_cast<std::int64_t>(g) * out.tokens + token) * layout::classes + c] =
              scale * static_cast<float>(sum);
        }
      });
    });
    Warp::each_lane([&](int lane) {
      if (lane == 0) out.scales[static_cast<std::int64_t>(g) * out.tokens + token] = scale;
    });
  }

  const int tile = token / layout::tokens_of_tile;
  const int first_column = token % layout::tokens_of_tile * layout::columns_per_token;
  unrolled<layout::arrangements>([&](auto arrangement) {
    constexpr int radix = arrangement == 0 ? layout::first_radix : layout::other_radix;
    constexpr int symbols = plane_units<radix>::symbols;
    const plane_units<radix> units{k};
    const int words = out.layout.template units<radix>() * symbols;
    Warp::each_lane([&](int lane) {
      for (int w = lane; w < words; w += lanes_of_warp) {
        const int unit = w / symbols;
        const int slot = w % symbols;
        std::uint32_t packed[layout::columns_per_token] = {};
        for (int byte = 0; byte < 4; ++byte) {
          const int place = exists && finite && unit < units.count() ? units.column(unit, slot, byte) : k;
          if (place >= k) continue;
          const int q = level(place);
          // high is the nearest multiple of 256, so that low fits eight bits with a sign.
          const int high = layout::parts == 2 ? (q + 128) >> 8 : q;
          [[maybe_unused]] const int low = q - 256 * high;
          const int of_class = layout::classes == 2 && place < border ? 1 : 0;
          unrolled<layout::classes>([&](auto c) {
            if (layout::classes == 2 && c != of_class) return;
            packed[c * layout::parts] |= static_cast<std::uint32_t>(high & 0xff) << (8 * byte);
            if constexpr (layout::parts == 2) {
              packed[c * layout::parts + 1] |= static_cast<std::uint32_t>(low & 0xff) << (8 * byte);
            }
          });
        }
        unrolled<layout::columns_per_token>([&](auto c) {
          out.words[out.layout.template word<radix>(g, tile, unit, first_column + c) + slot] = packed[c];
        });
      }
    });
  });
}

}  // namespace luq::cuda

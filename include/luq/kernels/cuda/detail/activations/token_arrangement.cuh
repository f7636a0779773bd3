// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// How a warp rounds the activations of a token to whole numbers, and writes them as activation_layout.cuh has them.
#pragma once

#include <bit>
#include <cfloat>
#include <cmath>
#include <cstdint>

#include "luq/kernels/cuda/detail/activations/activation_layout.cuh"
#include "luq/kernels/cuda/detail/planes/packed_planes.cuh"
#include "luq/kernels/cuda/detail/warp/numbers.cuh"

namespace luq::cuda::detail {

/// A scale cut to 22 significant bits. Its product with 3 2^n is then a float; chunk_product.cuh subtracts such
/// products.
[[nodiscard]] LUQ_DEVICE_CODE float of_22_bits(float scale) {
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(scale) & ~std::uint32_t{3});
}

/// Activations before they are arranged, [tokens x cols]. Plain data, passed to kernels by value.
struct activation_rows {
  const void* first;
  number_type type;
  std::int64_t stride;  ///< elements from row to row
};

/// The activations of one token in one chunk, which one warp arranges for planes of one radix.
template <class Warp, activation_bits Bits, arithmetic Arithmetic, int Radix, PlaneCodec Codec>
class token_arrangement {
  using layout = activation_layout<Codec, Bits, Arithmetic>;
  template <class T>
  using per_lane = typename Warp::template per_lane<T>;
  static constexpr int symbols = plane_units<Radix>::symbols;

  /// A chunk has so many slots. A lane makes the word of slot `lane`, and of every 32nd slot after it if there are more
  /// slots than lanes.
  static constexpr int slots = 4 * layout::template slots<Radix>;
  static constexpr int words = (slots + lanes_of_warp - 1) / lanes_of_warp;

  struct lane_activations {
    float x[words][4];
    bool first_class[words][4];  ///< the column is of class 0
  };
  struct lane_levels {
    int q[words][4];
  };

 public:
  LUQ_DEVICE_CODE token_arrangement(const packed_planes<Codec>& W, const activation_rows& X, int chunk, int token)
      : token_(token) {
    const auto [g, of_group] = chunk_place(W, chunk);
    const int first_unit = of_group * fours_of_chunk<Radix> * 4;
    const int k = W.shape(g).columns;
    const int border = W.class_borders != nullptr ? W.class_borders[g] : 0;
    const plane_units<Radix> units{k};
    per_lane<float> greatest;
    Warp::each_lane([&, g = g](int lane) {
      int columns[words * 4];
      unrolled<words * 4>([&](auto i) {
        constexpr int w = i / 4;
        const int slot = lane + w * lanes_of_warp;
        const int unit = first_unit + slot / symbols;
        const int place = slot < slots && unit < units.count() ? units.column(unit, slot % symbols, i % 4) : k;
        columns[i] = no_column;
        if (place < k) {
          const int stored = g * W.group + place;
          columns[i] = W.stored_columns != nullptr ? W.stored_columns[stored] : stored;
        }
        activations_[lane].first_class[w][i % 4] = place >= border;
      });
      float x[words * 4];
      read_numbers(X.first, X.type, token * X.stride, columns, x);
      float most = 0;
      bool finite = true;
      unrolled<words * 4>([&](auto i) {
        activations_[lane].x[i / 4][i % 4] = x[i];
        finite = finite && fabsf(x[i]) <= FLT_MAX;
        most = fmaxf(most, fabsf(x[i]));
      });
      greatest[lane] = finite ? most : INFINITY;
    });
    const float most = Warp::maximum(greatest);
    const bool finite = most <= FLT_MAX;
    scale_ = finite ? of_22_bits(most / static_cast<float>(layout::greatest)) : NAN;
    // The inverse of a tiny maximum is beyond float; such a chunk is as good as zero.
    const float inverse = finite && most > 0 ? static_cast<float>(layout::greatest) / most : 0.0f;
    inverse_ = inverse <= FLT_MAX ? inverse : 0.0f;
    if (inverse_ == 0.0f) {
      Warp::each_lane([&](int lane) {
        unrolled<words * 4>([&](auto i) { activations_[lane].x[i / 4][i % 4] = 0; });  // infinity times 0 is no level
      });
    }
  }

  /// Writes the words of all classes.
  /// @param words_of_chunk  of arranged_activations
  LUQ_DEVICE_CODE void write_words(std::uint32_t* words_of_chunk) {
    unrolled<layout::classes>([&](auto c) {
      const int value = token_ * layout::classes + c;
      const per_lane<lane_levels> levels = levels_of(c);
      if constexpr (Arithmetic == arithmetic::bytes) {
        write_bytes(levels, value * layout::parts, words_of_chunk);
      } else {
        write_bits(levels, words_of_chunk + value * lanes_of_warp * layout::parts);
      }
    });
  }

  /// Writes the scale, and the sums of all classes.
  LUQ_DEVICE_CODE void write_factors(float* factors) {
    unrolled<layout::classes>([&](auto c) {
      const per_lane<lane_levels> levels = levels_of(c);
      per_lane<int> sums;
      Warp::each_lane([&](int lane) {
        sums[lane] = 0;
        unrolled<words * 4>([&](auto i) { sums[lane] += levels[lane].q[i / 4][i % 4]; });
      });
      const int sum = Warp::sum(sums);
      Warp::each_lane([&](int lane) {
        if (lane != 0) return;
        factors[0] = scale_;
        factors[1 + c] = scale_ * static_cast<float>(sum);
      });
    });
  }

 private:
  /// Activations as whole numbers, zero in columns of the other class.
  LUQ_DEVICE_CODE per_lane<lane_levels> levels_of(int column_class) {
    per_lane<lane_levels> levels;
    Warp::each_lane([&](int lane) {
      unrolled<words * 4>([&](auto i) {
        const bool of_class =
            layout::classes == 1 || activations_[lane].first_class[i / 4][i % 4] == (column_class == 0);
        const float x = activations_[lane].x[i / 4][i % 4] * inverse_;
        levels[lane].q[i / 4][i % 4] = of_class ? static_cast<int>(rintf(x)) : 0;
      });
    });
    return levels;
  }

  LUQ_DEVICE_CODE void write_bytes(const per_lane<lane_levels>& levels, int column, std::uint32_t* words_of_chunk) {
    std::uint32_t* const tile = words_of_chunk + column / columns_of_tile * layout::words_of_tile;
    Warp::each_lane([&](int lane) {
      unrolled<words>([&](auto w) {
        const int slot = lane + w * lanes_of_warp;
        if (slot >= slots) return;
        std::uint32_t packed[2] = {};
        unrolled<4>([&](auto byte) {
          const int q = levels[lane].q[w][byte];
          // high is the nearest multiple of 256, so that low fits eight bits with a sign.
          const int high = layout::parts == 2 ? (q + 128) >> 8 : q;
          packed[0] |= static_cast<std::uint32_t>(high & 0xff) << (8 * byte);
          packed[1] |= static_cast<std::uint32_t>(q & 0xff) << (8 * byte);
        });
        const int unit = slot / symbols;
        const int of_lane = unit / 4 * symbols + slot % symbols;
        unrolled<layout::parts>([&](auto part) {
          const int reader = (column + part) % columns_of_tile * 4 + unit % 4;
          tile[layout::template word_of_read<Radix>(of_lane / 4, reader) + of_lane % 4] = packed[part];
        });
      });
    });
  }

  LUQ_DEVICE_CODE void write_bits(const per_lane<lane_levels>& levels, std::uint32_t* words_of_value) {
    // Lanes 8u ... 8u+7 have the slots of unit u, and each lane has the four bytes of its slot. A ballot over one bit
    // of one byte therefore has 8 bits for each of four units.
    per_lane<lane_words> ballots[layout::parts];
    unrolled<8 * layout::parts>([&](auto b) {
      lane_words of_bytes;
      unrolled<4>([&](auto byte) {
        per_lane<bool> one;
        Warp::each_lane([&](int lane) { one[lane] = ((levels[lane].q[0][byte] >> b) & 1) != 0; });
        of_bytes.word[byte] = Warp::ballot(one);
      });
      Warp::each_lane([&](int lane) {
        if (lane / 4 == b % 8) ballots[b / 8][lane] = of_bytes;
      });
    });
    Warp::each_lane([&](int lane) {
      unrolled<layout::parts>([&](auto part) {
        std::uint32_t word = 0;
        unrolled<4>(
            [&](auto byte) { word |= ((ballots[part][lane].word[byte] >> (8 * (lane % 4))) & 0xffu) << (8 * byte); });
        words_of_value[lane * layout::parts + part] = word;
      });
    });
  }

  int token_;
  float scale_;
  float inverse_;
  per_lane<lane_activations> activations_;
};

/// What one warp does: arranges the activations of one token in one chunk.
template <class Warp, activation_bits Bits, arithmetic Arithmetic, PlaneCodec Codec>
LUQ_DEVICE_CODE void arrange_token(const packed_planes<Codec>& W, const activation_rows& X, int chunk, int token,
                                   const arranged_activations& out) {
  using layout = activation_layout<Codec, Bits, Arithmetic>;
  std::uint32_t* const words = out.words + static_cast<std::int64_t>(chunk) * out.tiles * layout::words_of_tile;
  token_arrangement<Warp, Bits, Arithmetic, layout::first_radix, Codec> first(W, X, chunk, token);
  first.write_words(words);
  first.write_factors(out.factors + (static_cast<std::int64_t>(chunk) * out.tokens + token) * (1 + layout::classes));
  if constexpr (layout::arrangements == 2) {
    token_arrangement<Warp, Bits, Arithmetic, layout::other_radix, Codec>(W, X, chunk, token).write_words(words);
  }
}

}  // namespace luq::cuda::detail

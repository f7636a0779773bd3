// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Products of a packed matrix with arranged activations by 8-bit matrix instructions, straight from packed words: one
// slot of a word is four symbols in four bytes after a shift and a mask, which is what the instruction takes from a
// lane. Nothing is expanded to floats, and bytes are read as they are stored.
//
// With T_p = sum_c symbol_p x_c over the columns of a group, for each plane p, and for two planes of bits whose product
// a component needs T_01 = sum_c symbol_0 symbol_1 x_c,
//
//   y += A_0 X + sum_p A_p T_p + A_01 T_01        X = sum_c x_c
//
// where A follows from the codec's coefficients and the forms of its components (component_form.hpp).
//
// A block has half a row tile, 32 rows, and some tiles of activation columns; its warps share out the groups and add up
// in the end, in the order of warps: the same bits every time. A lane has four neighbouring rows, whose words are one
// read of 16 bytes, and every fourth unit:
//
//   lane = 4 g + t      rows 4g ... 4g+3      units t, t + 4, t + 8, ...
//
// which makes rows 4g and 4g+1 (then 4g+2 and 4g+3) the rows g and g + 8 of the instruction.
#pragma once

#include "luq/kernels/cuda/arranged_activations.cuh"

namespace luq::cuda {

inline constexpr int rows_of_block = 32;
static_assert(tile_rows == 2 * rows_of_block);

/// How the sums of planes become outputs, from the codec's forms.
template <PlaneCodec Codec>
struct plane_coefficients {
  static constexpr int planes = static_cast<int>(Codec::planes.size());
  static constexpr bool has_product = luq::detail::has_symbol_products<Codec>;
  static constexpr int sources = planes + (has_product ? 1 : 0);

  float of_sum;              ///< A_0
  float of_source[sources];  ///< A_p, then A_01

  /// @param parameters  of one row and group
  LUQ_DEVICE_CODE plane_coefficients(const Codec& codec, const float* parameters, int column_class) {
    const auto a = codec.coefficients(parameters, column_class);
    of_sum = a[Codec::components];
    unrolled<sources>([&](auto s) { of_source[s] = 0; });
    unrolled<Codec::components>([&](auto i) {
      constexpr auto form = luq::detail::form_of_component<Codec>(i);
      of_sum += a[i] * static_cast<float>(form.offset);
      unrolled<planes>([&](auto p) {
        constexpr int factor = form.factor[p];
        of_source[p] += a[i] * static_cast<float>(factor);
      });
      if constexpr (has_product) of_source[planes] += a[i] * static_cast<float>(form.product);
    });
  }
};

/// Half a row tile times some tiles of activation columns.
/// @tparam Tiles  of columns that a block computes at once
template <class Warp, PlaneCodec Codec, activation_bits Bits, int Tiles>
class plane_product {
  using layout = activation_layout<Codec, Bits>;
  using coefficients = plane_coefficients<Codec>;
  template <class T>
  using per_lane = typename Warp::template per_lane<T>;
  static constexpr int planes = coefficients::planes;
  static constexpr int sources = coefficients::sources;
  static constexpr int row_pairs = rows_of_lane / 2;

 public:
  /// Sums that a lane has of each row: it holds two columns of a tile, with 16 bits the parts of one number.
  static constexpr int values_of_tile = 2 / layout::parts;
  static constexpr int values_of_block = 4 * values_of_tile * Tiles;

  /// Floats that a warp leaves for finish(): [rows_of_block][values_of_block].
  static constexpr int partial_floats = rows_of_block * values_of_block;

  /// What warp `warp` of a block of `warps` does: its groups, and their sums.
  /// @param half_tile   of 32 rows
  /// @param first_tile  of columns
  /// @param partial     [warps][partial_floats]
  LUQ_DEVICE_CODE static void accumulate(const packed_planes<Codec>& W, const arranged_activations<Codec, Bits>& X,
                                         int half_tile, int first_tile, int warp, int warps, float* partial) {
    per_lane<lane_sums> sums;
    Warp::each_lane([&](int lane) {
      unrolled<rows_of_lane>(
          [&](auto r) { unrolled<Tiles * values_of_tile>([&](auto v) { sums[lane].value[r][v] = 0; }); });
    });
    for (int g = warp; g < W.groups; g += warps) add_group(W, X, half_tile, first_tile, g, sums);
    Warp::each_lane([&](int lane) {
      float* const of_warp = partial + static_cast<std::int64_t>(warp) * partial_floats;
      unrolled<rows_of_lane>([&](auto r) {
        unrolled<Tiles * values_of_tile>([&](auto v) {
          const int tile = v / values_of_tile;
          const int value = tile * 4 * values_of_tile + lane % 4 * values_of_tile + v % values_of_tile;
          of_warp[(lane / 4 * rows_of_lane + r) * values_of_block + value] = sums[lane].value[r][v];
        });
      });
    });
  }

  /// What thread `thread` of a block of `threads` does when all warps are done: outputs from the sums of warps.
  /// @param bias  [rows], or null
  /// @param Y     [tokens x rows], `stride` elements from row to row
  template <class Output, class Bias>
  LUQ_DEVICE_CODE static void finish(const packed_planes<Codec>& W, int tokens, int half_tile, int first_tile,
                                     int thread, int threads, int warps, const float* partial, const Bias* bias,
                                     Output* Y, std::int64_t stride) {
    constexpr int tokens_of_block = Tiles * layout::tokens_of_tile;
    for (int i = thread; i < rows_of_block * tokens_of_block; i += threads) {
      const int row_of_block = i % rows_of_block;
      const int token_of_block = i / rows_of_block;
      const int row = half_tile * rows_of_block + row_of_block;
      const int token = first_tile * layout::tokens_of_tile + token_of_block;
      if (row >= W.rows || token >= tokens) continue;
      float y = bias != nullptr ? to_float(bias[row]) : 0.0f;
      const float* const first = partial + row_of_block * values_of_block + token_of_block * layout::classes;
      for (int warp = 0; warp < warps; ++warp) {
        for (int c = 0; c < layout::classes; ++c) y += first[warp * partial_floats + c];
      }
      Y[token * stride + row] = static_cast<Output>(y);
    }
  }

 private:
  struct lane_sums {
    float value[rows_of_lane][Tiles * values_of_tile];
  };

  LUQ_DEVICE_CODE static void add_group(const packed_planes<Codec>& W, const arranged_activations<Codec, Bits>& X,
                                        int half_tile, int first_tile, int g, per_lane<lane_sums>& sums) {
    const int k = W.columns_of(g);
    const std::byte* const tile = W.tile(half_tile / 2, g);
    const int first_row = half_tile % 2 * rows_of_block;  // in the tile

    per_lane<fragment_c> dots[sources][row_pairs][Tiles];
    Warp::each_lane([&](int lane) {
      unrolled<sources * row_pairs * Tiles>([&](auto i) {
        fragment_c& dot = dots[i / (row_pairs * Tiles)][i / Tiles % row_pairs][i % Tiles][lane];
        unrolled<4>([&](auto s) { dot.sum[s] = 0; });
      });
    });

    if constexpr (layout::arrangements == 1) {
      // All planes have the same units, and a product of symbols takes a word of each.
      const std::byte* plane[planes];
      unrolled<planes>(
          [&](auto p) { plane[p] = tile + p * tile_rows * plane_units<layout::first_radix>{k}.row_bytes(); });
      add_planes<layout::first_radix, planes, 0>(plane, k, first_row, X, g, first_tile, dots);
    } else {
      static_assert(planes == 2);
      const std::byte* const first_plane[1] = {tile};
      const std::byte* const other_plane[1] = {tile + tile_rows * plane_units<layout::first_radix>{k}.row_bytes()};
      add_planes<layout::first_radix, 1, 0>(first_plane, k, first_row, X, g, first_tile, dots);
      add_planes<layout::other_radix, 1, 1>(other_plane, k, first_row, X, g, first_tile, dots);
    }
    add_outputs(W, X, tile, first_row, g, first_tile, dots, sums);
  }

  /// Multiplies planes of one radix.
  /// @tparam First  source of the first of them
  template <int Radix, int Count, int First, class Dots>
  LUQ_DEVICE_CODE static void add_planes(const std::byte* const (&plane)[Count], int k, int first_row,
                                         const arranged_activations<Codec, Bits>& X, int g, int first_tile,
                                         Dots& dots) {
    const plane_units<Radix> units{k};
    constexpr int symbols = plane_units<Radix>::symbols;
    for (int four = 0; four < units.count(); four += 4) {
      per_lane<lane_words> words[Count];
      Warp::each_lane([&](int lane) {
        unrolled<Count>([&](auto p) {
          words[p][lane] = load_words(plane[p], units, four + lane % 4, first_row + lane / 4 * rows_of_lane);
        });
      });
      // Two slots are the 32 columns of an instruction: the words of four lanes, four columns of each in each slot.
      unrolled<(symbols + 1) / 2>([&](auto pair_of_slots) {
        constexpr int slot = 2 * pair_of_slots;
        constexpr bool both = slot + 1 < symbols;
        per_lane<fragment_b> B[Tiles];
        Warp::each_lane([&](int lane) {
          unrolled<Tiles>([&](auto t) {
            const std::uint32_t* const first =
                X.words + X.layout.template word<Radix>(g, first_tile + t, four + lane % 4, lane / 4);
            B[t][lane].word[0] = first[slot];
            B[t][lane].word[1] = both ? first[slot + (both ? 1 : 0)] : 0;
          });
        });
        unrolled<row_pairs>([&](auto r) {
          per_lane<fragment_a> A[Count + (coefficients::has_product ? 1 : 0)];
          Warp::each_lane([&](int lane) {
            unrolled<Count>([&](auto p) {
              unrolled<4>([&](auto i) {
                const std::uint32_t word = words[p][lane].word[2 * r + i % 2];
                A[p][lane].word[i] = i < 2 || both ? symbols_of_slot<Radix>(word, slot + i / 2) : 0u;
              });
            });
            if constexpr (coefficients::has_product) {
              unrolled<4>([&](auto i) { A[Count][lane].word[i] = A[0][lane].word[i] & A[1][lane].word[i]; });
            }
          });
          unrolled<Count + (coefficients::has_product ? 1 : 0)>([&](auto p) {
            unrolled<Tiles>([&](auto t) { Warp::multiply_accumulate(dots[First + p][r][t], A[p], B[t]); });
          });
        });
      });
    }
  }

  /// A unit of four rows; zeros beyond the last.
  template <int Radix>
  [[nodiscard]] LUQ_DEVICE_CODE static lane_words load_words(const std::byte* plane, const plane_units<Radix>& units,
                                                             int unit, int row) {
    lane_words result{};
    if (unit < units.words()) {
#ifdef __CUDA_ARCH__
      const uint4 loaded = __ldcs(reinterpret_cast<const uint4*>(plane + (unit * tile_rows + row) * 4));
      result = {{loaded.x, loaded.y, loaded.z, loaded.w}};
#else
      memcpy(&result, plane + (unit * tile_rows + row) * 4, sizeof(result));
#endif
    } else if (unit < units.count()) {
      const int bytes = units.tail_bytes();
      const std::byte* const tail = plane + units.words() * tile_rows * 4 + row * bytes;
      unrolled<rows_of_lane>([&](auto r) {
        for (int b = 0; b < bytes; ++b) {
          result.word[r] |= std::to_integer<std::uint32_t>(tail[r * bytes + b]) << (8 * b);
        }
      });
    }
    return result;
  }

  /// Adds the sums of one group, scaled, to the outputs.
  template <class Dots>
  LUQ_DEVICE_CODE static void add_outputs(const packed_planes<Codec>& W, const arranged_activations<Codec, Bits>& X,
                                          const std::byte* tile, int first_row, int g, int first_tile, Dots& dots,
                                          per_lane<lane_sums>& sums) {
    const int k = W.columns_of(g);
    std::int64_t code_bytes = 0;
    unrolled<planes>([&](auto p) {
      code_bytes += static_cast<std::int64_t>(tile_rows) * plane_units<Codec::planes[p]>{k}.row_bytes();
    });
    Warp::each_lane([&](int lane) {
      const lane_parameters<Codec> parameters(W.parameters, tile + code_bytes, first_row + lane / 4 * rows_of_lane);
      unrolled<values_of_tile>([&](auto v) {
        // A tile's eight columns in the order of arranged_activations.cuh; a value is a token, or a class of one.
        const int value = lane % 4 * values_of_tile + v;
        const int column_class = value % layout::classes;
        const int token_of_tile = value / layout::classes;
        unrolled<rows_of_lane>([&](auto r) {
          const coefficients a(W.codec, parameters.values[r], column_class);
          unrolled<Tiles>([&](auto t) {
            const int token = (first_tile + t) * layout::tokens_of_tile + token_of_tile;
            if (token >= X.tokens) return;
            const std::int64_t of_token = static_cast<std::int64_t>(g) * X.tokens + token;
            float sum = 0;
            unrolled<sources>([&](auto s) {
              const fragment_c& dot = dots[s][r / 2][t][lane];
              const std::int32_t* const columns = dot.sum + 2 * (r % 2);
              const float total = layout::parts == 2
                                      ? 256.0f * static_cast<float>(columns[0]) + static_cast<float>(columns[1])
                                      : static_cast<float>(columns[v]);
              sum += a.of_source[s] * total;
            });
            sums[lane].value[r][t * values_of_tile + v] +=
                X.scales[of_token] * sum + a.of_sum * X.sums[of_token * layout::classes + column_class];
          });
        });
      });
    });
  }
};

}  // namespace luq::cuda

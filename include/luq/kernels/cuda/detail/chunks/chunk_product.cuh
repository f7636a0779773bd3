// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The product of a chunk of 32 rows of weights in shared memory with a chunk of activations, by one warp. Integer
// matrix instructions take the packed words; weights are not expanded to floats.
//
// Sums of planes are multiplied by their coefficients (plane_coefficients.cuh) once for each chunk. How the sum T of a
// plane is computed depends on the arrangement of activations (activation_layout.cuh):
//
//   bytes       A slot of a word becomes four symbols in four bytes by a shift and a mask. The instruction takes four
//               bytes from a lane.
//   bit_serial  A word of a plane of bits is 32 columns of a row. The instruction takes 32 bits from a lane.
//               T = sum_b 2^b T^(b) over the bits b of q; the last bit counts negative.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "luq/kernels/cuda/detail/chunks/chunk_activations.cuh"
#include "luq/kernels/cuda/detail/chunks/plane_coefficients.cuh"
#include "luq/kernels/cuda/detail/chunks/staged_chunk.cuh"

namespace luq::cuda::detail {

/// Products of chunks of 32 rows of weights and `Tokens` tokens, and their sums.
template <class Warp, PlaneCodec Codec, activation_bits Bits, arithmetic Arithmetic, int Tokens>
class chunk_product {
  using layout = activation_layout<Codec, Bits, Arithmetic>;
  using coefficients = plane_coefficients<Codec>;
  template <class T>
  using per_lane = typename Warp::template per_lane<T>;
  static constexpr int planes = coefficients::planes;
  static constexpr int sources = coefficients::sources;
  static constexpr int row_pairs = rows_of_lane / 2;
  using values = lane_values<Codec, Bits, Arithmetic, Tokens>;
  using words_read = typename values::words_read;
  using value_factors = typename values::value_factors;
  static constexpr bool bit_serial = values::bit_serial;
  static constexpr int tiles = values::tiles;

 public:
  using weights = staged_weights<Warp, Codec>;
  using in_memory = activations_in_memory<Warp, values>;
  using in_registers = activations_in_registers<Warp, values>;

  struct lane_sums {
    float value[rows_of_lane][values::count];  ///< complete sums: of tokens, values::tokens of them
  };
  using sums_of_warp = per_lane<lane_sums>;

  /// Calls body(i, token) for the outputs value[r][i] of complete sums that a lane has.
  template <class Body>
  static LUQ_DEVICE_CODE void each_token(int lane, const Body& body) {
    const int t = lane % 4;
    unrolled<values::tokens>([&](auto i) {
      if constexpr (bit_serial) {
        if (t == 0) body(i, int{i});
      } else if constexpr (layout::classes == 1) {
        body(i, values::value(lane, i));
      } else if constexpr (layout::parts == 1) {
        body(i, values::value(lane, 2 * i) / 2);
      } else {
        if (t % 2 == 0) body(i, values::value(lane, i) / 2);
      }
    });
  }

  static LUQ_DEVICE_CODE void clear(sums_of_warp& sums) {
    Warp::each_lane([&](int lane) {
      unrolled<rows_of_lane>([&](auto r) { unrolled<values::count>([&](auto v) { sums[lane].value[r][v] = 0; }); });
    });
  }

  /// A lane's words of a chunk of weights.
  struct weight_words {
    per_lane<lane_words> copy[weights::copies];

    explicit LUQ_DEVICE_CODE weight_words(const std::byte* staged_weights) {
      unrolled<weights::copies>(
          [&](auto i) { Warp::each_lane([&](int lane) { copy[i][lane] = weights::words(staged_weights, i, lane); }); });
    }
  };

  /// Adds the product of one chunk.
  /// @param words  of the chunk of weights
  /// @param x      in_memory or in_registers
  template <class Activations>
  static LUQ_DEVICE_CODE void add(const packed_planes<Codec>& W, const weight_words& words,
                                  const std::byte* staged_weights, const Activations& x, sums_of_warp& sums) {
    if constexpr (bit_serial) {
      add_bits(W, words, staged_weights + weights::code_bytes, x, sums);
    } else {
      add_bytes(W, words, staged_weights + weights::code_bytes, x, sums);
    }
  }

  /// Makes outputs of tokens of the sums when all chunks are added: sums of classes, and shares of lanes, become one.
  static LUQ_DEVICE_CODE void complete(sums_of_warp& sums) {
    constexpr bool classes_of_a_lane = layout::classes == 2 && (bit_serial || layout::parts == 1);
    if constexpr (classes_of_a_lane) {
      Warp::each_lane([&](int lane) {
        unrolled<rows_of_lane>([&](auto r) {
          unrolled<values::count / 2>(
              [&](auto i) { sums[lane].value[r][i] = sums[lane].value[r][2 * i] + sums[lane].value[r][2 * i + 1]; });
        });
      });
    }
    if constexpr (bit_serial || (layout::classes == 2 && !classes_of_a_lane)) {
      unrolled<rows_of_lane>([&](auto r) {
        unrolled<values::tokens>([&](auto i) {
          per_lane<float> value;
          Warp::each_lane([&](int lane) {
            // A lane has counted bits 2t and 2t + 1 of each part as if they were bits 0 and 1.
            const float weight = bit_serial ? static_cast<float>(1 << (2 * (lane % 4))) : 1.0f;
            value[lane] = weight * sums[lane].value[r][i];
          });
          if constexpr (bit_serial) {
            Warp::sum_of_four(value);
          } else {
            Warp::sum_of_two(value);  // the classes of a token are values of neighbours
          }
          Warp::each_lane([&](int lane) { sums[lane].value[r][i] = value[lane]; });
        });
      });
    }
  }

 private:
  /// Integer sums T of 8-bit activations begin at the bit pattern of the float 1.5 * 2^23. T is below 2^22 in magnitude
  /// (128 columns, symbols below 256, activations below 128), so that the sum read as a float is 1.5 * 2^23 + T. This
  /// saves a conversion from integer to float.
  static constexpr float sums_begin = 0x1.8p23f;
  static constexpr bool sums_are_floats = !bit_serial && layout::parts == 1;
  static constexpr std::int32_t first_sum = sums_are_floats ? std::bit_cast<std::int32_t>(sums_begin) : 0;

  /// A lane's coefficients of its rows.
  struct lane_coefficients {
    float of_sum[rows_of_lane];
    float of_source[rows_of_lane][sources];
  };
  static LUQ_DEVICE_CODE lane_coefficients coefficients_of(const packed_planes<Codec>& W, const std::byte* parameters,
                                                           int lane, int column_class) {
    const lane_parameters<Codec> of_rows(W.codec, parameters, lane / 4 * rows_of_lane);
    lane_coefficients result;
    unrolled<rows_of_lane>([&](auto r) {
      const coefficients a(W.codec, of_rows.values[r], column_class);
      result.of_sum[r] = a.of_sum;
      unrolled<sources>([&](auto s) { result.of_source[r][s] = a.of_source[s]; });
    });
    return result;
  }

  template <class Activations>
  static LUQ_DEVICE_CODE void add_bytes(const packed_planes<Codec>& W, const weight_words& words,
                                        const std::byte* parameters, const Activations& x, sums_of_warp& sums) {
    per_lane<fragment_c> dots[sources][row_pairs][tiles];
    if constexpr (layout::arrangements == 1) {
      add_planes<layout::first_radix, planes, 0, 0>(words, x, dots);
    } else {
      static_assert(planes == 2);
      add_planes<layout::first_radix, 1, 0, 0>(words, x, dots);
      add_planes<layout::other_radix, 1, 1, fours_of_chunk<layout::first_radix>>(words, x, dots);
    }
    Warp::each_lane([&](int lane) {
      unrolled<layout::classes>([&](auto column_class) {
        const lane_coefficients a = coefficients_of(W, parameters, lane, column_class);
        unrolled<values::count>([&](auto v) {
          const int value = values::value(lane, v);
          if (layout::classes > 1 && value % layout::classes != column_class) return;
          const value_factors factors = x.factors(lane, v);
          unrolled<rows_of_lane>([&](auto r) {
            float& y = sums[lane].value[r][v];
            y += a.of_sum[r] * factors.sum;
            unrolled<sources>([&](auto s) {
              const fragment_c& dot = dots[s][r / 2][v / values::of_tile][lane];
              const std::int32_t* const columns = dot.sum + 2 * (r % 2);
              if constexpr (sums_are_floats) {
                const auto sum = std::bit_cast<float>(columns[v % values::of_tile]);
                y += a.of_source[r][s] * fmaf(factors.scale, sum, -sums_begin * factors.scale);
              } else {
                // Below 2^31: 128 columns, symbols below 256, levels up to 2^15.
                y += a.of_source[r][s] * factors.scale * static_cast<float>(256 * columns[0] + columns[1]);
              }
            });
          });
        });
      });
    });
  }

  /// Multiplies `Count` planes of one radix.
  /// @tparam First      source of the first plane
  /// @tparam FirstCopy  copy of the first plane's words
  template <int Radix, int Count, int First, int FirstCopy, class Activations, class Dots>
  static LUQ_DEVICE_CODE void add_planes(const weight_words& words, const Activations& x, Dots& dots) {
    constexpr int symbols = plane_units<Radix>::symbols;
    constexpr int slots = layout::template slots<Radix>;
    constexpr bool has_product = coefficients::has_product;
    static_assert(slots % 2 == 0);
    unrolled<layout::template reads<Radix>>([&](auto read) {
      per_lane<words_read> B_words[tiles];
      Warp::each_lane([&](int lane) {
        constexpr int before = Radix == layout::first_radix ? 0 : layout::template reads<layout::first_radix>;
        unrolled<tiles>([&](auto t) { B_words[t][lane] = x.words(lane, t * layout::all_reads + before + read); });
      });
      // Two slots are the 32 columns of an instruction: the words of four lanes, four columns of each in each slot.
      unrolled<2>([&](auto pair) {
        constexpr int slot = 4 * read + 2 * pair;
        if constexpr (slot < slots) {
          per_lane<fragment_b> B[tiles];
          Warp::each_lane([&](int lane) {
            unrolled<tiles>(
                [&](auto t) { B[t][lane] = {{B_words[t][lane].word[2 * pair], B_words[t][lane].word[2 * pair + 1]}}; });
          });
          unrolled<row_pairs>([&](auto r) {
            per_lane<fragment_a> A[Count + (has_product ? 1 : 0)];
            Warp::each_lane([&](int lane) {
              unrolled<Count>([&](auto p) {
                unrolled<4>([&](auto i) {
                  constexpr int of_lane = slot + i / 2;
                  constexpr int copy = FirstCopy + p * fours_of_chunk<Radix> + of_lane / symbols;
                  A[p][lane].word[i] =
                      symbols_of_slot<Radix>(words.copy[copy][lane].word[2 * r + i % 2], of_lane % symbols);
                });
              });
              if constexpr (has_product) {
                unrolled<4>([&](auto i) { A[Count][lane].word[i] = A[0][lane].word[i] & A[1][lane].word[i]; });
              }
            });
            unrolled<Count + (has_product ? 1 : 0)>([&](auto p) {
              unrolled<tiles>([&](auto t) {
                per_lane<fragment_c>& dot = dots[First + p][r][t];
                if constexpr (slot == 0) {
                  per_lane<fragment_c> begin;
                  Warp::each_lane([&](int lane) { unrolled<4>([&](auto i) { begin[lane].sum[i] = first_sum; }); });
                  Warp::multiply_add(dot, A[p], B[t], begin);
                } else {
                  Warp::multiply_add(dot, A[p], B[t], dot);
                }
              });
            });
          });
        }
      });
    });
  }

  template <class Activations>
  static LUQ_DEVICE_CODE void add_bits(const packed_planes<Codec>& W, const weight_words& words,
                                       const std::byte* parameters, const Activations& x, sums_of_warp& sums) {
    unrolled<layout::classes>([&](auto column_class) {
      per_lane<lane_coefficients> a;
      Warp::each_lane([&](int lane) { a[lane] = coefficients_of(W, parameters, lane, column_class); });
      unrolled<Tokens>([&](auto token) {
        constexpr int value = token * layout::classes + column_class;
        per_lane<std::uint32_t> B[layout::parts];
        Warp::each_lane([&](int lane) {
          const words_read bits = x.words(lane, value);
          unrolled<layout::parts>([&](auto part) { B[part][lane] = bits.word[part]; });
        });
        per_lane<fragment_c> dots[sources][row_pairs][layout::parts];
        unrolled<row_pairs>([&](auto r) {
          per_lane<bit_fragment_a> A[sources];
          Warp::each_lane([&](int lane) {
            unrolled<planes>(
                [&](auto p) { A[p][lane] = {{words.copy[p][lane].word[2 * r], words.copy[p][lane].word[2 * r + 1]}}; });
            if constexpr (coefficients::has_product) {
              unrolled<2>([&](auto i) { A[planes][lane].word[i] = A[0][lane].word[i] & A[1][lane].word[i]; });
            }
          });
          unrolled<sources>([&](auto s) {
            unrolled<layout::parts>([&](auto part) { Warp::multiply_bits(dots[s][r][part], A[s], B[part]); });
          });
        });
        Warp::each_lane([&](int lane) {
          const value_factors factors = x.factors(lane, value);
          // Of four lanes, the first adds the sum over all columns, and the last has the sign bit of q.
          const float sum_of_lane = lane % 4 == 0 ? factors.sum : 0.0f;
          const std::int32_t last_bit = lane % 4 == 3 ? -2 : 2;
          unrolled<rows_of_lane>([&](auto r) {
            float& y = sums[lane].value[r][value];
            y += a[lane].of_sum[r] * sum_of_lane;
            unrolled<sources>([&](auto s) {
              const std::int32_t* const high = dots[s][r / 2][layout::parts - 1][lane].sum + 2 * (r % 2);
              std::int32_t total = high[0] + last_bit * high[1];
              if constexpr (layout::parts == 2) {
                const std::int32_t* const low = dots[s][r / 2][0][lane].sum + 2 * (r % 2);
                total = 256 * total + low[0] + 2 * low[1];
              }
              y += a[lane].of_source[r][s] * factors.scale * static_cast<float>(total);
            });
          });
        });
      });
    });
  }
};

}  // namespace luq::cuda::detail

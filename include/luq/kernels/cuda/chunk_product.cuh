// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What one warp multiplies: a chunk of 32 rows of weights, in shared memory, with a chunk of activations, by integer
// matrix instructions and straight from packed words. Nothing is expanded to floats.
//
// With T_p = sum_c symbol_p x_c over the columns of the chunk, for each plane p, and for two planes of bits whose
// product a component needs T_01 = sum_c symbol_0 symbol_1 x_c,
//
//   y += A_0 X + sum_p A_p T_p + A_01 T_01        X = sum_c x_c
//
// where A follows from the codec's coefficients and the forms of its components (component_form.hpp). How T is summed
// depends on how activations are arranged (arranged_activations.cuh):
//
//   bytes       one slot of a word is four symbols in four bytes after a shift and a mask, which is what the
//               instruction takes from a lane
//   bit_serial  a word of a plane of bits is 32 columns of a row, which is what the instruction takes from a lane;
//               T = sum_b 2^b T^(b) over the bits b of q, the last of them counted negative
#pragma once

#include "luq/kernels/cuda/staged_chunk.cuh"

namespace luq::cuda {

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
    unrolled<Codec::components>([&](auto i) {
      constexpr auto form = luq::detail::form_of_component<Codec>(i);
      if constexpr (form.offset != 0) of_sum += a[i] * static_cast<float>(form.offset);
      unrolled<sources>([&](auto s) {
        constexpr int factor = factor_of(i, s);
        if constexpr (factor == 0) return;
        of_source[s] =
            is_first(i, s) ? a[i] * static_cast<float>(factor) : of_source[s] + a[i] * static_cast<float>(factor);
      });
    });
  }

 private:
  /// Of component i in source s.
  static constexpr int factor_of(int i, int s) {
    const auto form = luq::detail::form_of_component<Codec>(i);
    return s < planes ? form.factor[static_cast<std::size_t>(s)] : form.product;
  }
  /// No component before i has source s. Every source is in some component.
  static constexpr bool is_first(int i, int s) {
    for (int before = 0; before < i; ++before) {
      if (factor_of(before, s) != 0) return false;
    }
    return true;
  }
};

/// Tiles of columns that a warp computes at most: as many as registers have sums for, of each plane and of a product of
/// two.
template <PlaneCodec Codec>
inline constexpr int most_tiles = plane_coefficients<Codec>::sources == 1 ? 4 : 2;

/// Products of chunks for `Tokens` tokens at once, and their sums.
template <class Warp, PlaneCodec Codec, activation_bits Bits, arithmetic Arithmetic, int Tokens>
class chunk_product {
  using layout = activation_layout<Codec, Bits, Arithmetic>;
  using coefficients = plane_coefficients<Codec>;
  template <class T>
  using per_lane = typename Warp::template per_lane<T>;
  static constexpr int planes = coefficients::planes;
  static constexpr int sources = coefficients::sources;
  static constexpr int row_pairs = rows_of_lane / 2;
  static constexpr bool bit_serial = Arithmetic == arithmetic::bit_serial;

 public:
  using weights = staged_weights<Warp, Codec>;
  static constexpr int tiles = layout::tiles_of_tokens(Tokens);
  static_assert(bit_serial || Tokens * layout::classes * layout::parts == tiles * columns_of_tile, "whole tiles");

  /// Values that a lane sums for each of its rows. With bytes it has two columns of every tile, with 16 bits the parts
  /// of one value; with bits it has a share of every value.
  static constexpr int values_of_tile = 2 / layout::parts;
  static constexpr int values_of_lane = bit_serial ? Tokens * layout::classes : tiles * values_of_tile;

  /// Tokens that a lane may have outputs of when sums are complete.
  static constexpr int tokens_of_lane = bit_serial            ? Tokens
                                        : layout::classes > 1 ? (values_of_lane* layout::parts + 1) / 2
                                                              : values_of_lane;

  /// Words of activations that a lane has of a chunk, and of one read among them.
  static constexpr int words_of_read = bit_serial ? layout::parts : 4;
  static constexpr int words_of_lane = words_of_read * (bit_serial ? values_of_lane : tiles * layout::all_reads);

  struct lane_sums {
    float value[rows_of_lane][values_of_lane];  ///< of tokens, tokens_of_lane of them, when sums are complete
  };
  using sums_of_warp = per_lane<lane_sums>;

  /// Calls body(i, token) for the outputs value[r][i] of complete sums that a lane has.
  template <class Body>
  static LUQ_DEVICE_CODE void each_token(int lane, const Body& body) {
    const int t = lane % 4;
    unrolled<tokens_of_lane>([&](auto i) {
      if constexpr (bit_serial) {
        if (t == 0) body(i, int{i});
      } else if constexpr (layout::classes == 1) {
        body(i, value_of(lane, i));
      } else if constexpr (layout::parts == 1) {
        body(i, value_of(lane, 2 * i) / 2);
      } else {
        if (t % 2 == 0) body(i, value_of(lane, i) / 2);
      }
    });
  }

  static LUQ_DEVICE_CODE void clear(sums_of_warp& sums) {
    Warp::each_lane([&](int lane) {
      unrolled<rows_of_lane>([&](auto r) { unrolled<values_of_lane>([&](auto v) { sums[lane].value[r][v] = 0; }); });
    });
  }

  /// The factors of a value's token: s, and the sum of s q of the value's class.
  struct alignas(8) value_factors {
    float scale;
    float sum;
  };
  struct alignas(4 * words_of_read) words_read {
    std::uint32_t word[words_of_read];
  };

  /// A chunk of activations in shared or global memory, read when it is asked for.
  class activations_in_memory {
   public:
    LUQ_DEVICE_CODE activations_in_memory(const std::uint32_t* words_of_chunk, const float* factors_of_chunk)
        : factors_(factors_of_chunk) {
      Warp::each_lane([&](int lane) { words_[lane] = words_of_chunk + lane * words_of_read; });
    }
    LUQ_DEVICE_CODE void move(int by_words, int by_factors) {
      Warp::each_lane([&](int lane) { words_[lane] += by_words; });
      factors_ += by_factors;
    }

    /// A lane's i-th read.
    [[nodiscard]] LUQ_DEVICE_CODE words_read words(int lane, int i) const {
      return load<words_read>(words_[lane] + i * lanes_of_warp * words_of_read);
    }
    /// The factors of a lane's v-th value.
    [[nodiscard]] LUQ_DEVICE_CODE value_factors factors(int lane, int v) const {
      const int value = bit_serial ? v : value_of(lane, v);
      const float* const of_token = factors_ + value / layout::classes * (1 + layout::classes);
      if constexpr (layout::classes == 1) {
        return load<value_factors>(of_token);
      } else {
        return {of_token[0], of_token[1 + value % layout::classes]};
      }
    }

   private:
    per_lane<const std::uint32_t*> words_;
    const float* factors_;
  };

  /// A chunk of activations in registers.
  class activations_in_registers {
   public:
    activations_in_registers() = default;

    /// @param tokens  that exist; what others would have is zero, and not read
    LUQ_DEVICE_CODE activations_in_registers(const activations_in_memory& from, int tokens) {
      const int existing = tokens * layout::classes;
      Warp::each_lane([&](int lane) {
        unrolled<words_of_lane / words_of_read>([&](auto i) {
          const int value = bit_serial ? int{i} : (i / layout::all_reads * columns_of_tile + lane / 4) / layout::parts;
          held_[lane].words[i] = value < existing ? from.words(lane, i) : words_read{};
        });
        unrolled<values_of_lane>([&](auto v) {
          const int value = bit_serial ? int{v} : value_of(lane, v);
          held_[lane].factors[v] = value < existing ? from.factors(lane, v) : value_factors{};
        });
      });
    }
    [[nodiscard]] LUQ_DEVICE_CODE words_read words(int lane, int i) const { return held_[lane].words[i]; }
    [[nodiscard]] LUQ_DEVICE_CODE value_factors factors(int lane, int v) const { return held_[lane].factors[v]; }

   private:
    struct lane_activations {
      words_read words[words_of_lane / words_of_read];
      value_factors factors[values_of_lane];
    };
    per_lane<lane_activations> held_;
  };

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
  /// @param x      activations_in_memory or activations_in_registers
  template <class Activations>
  static LUQ_DEVICE_CODE void add(const packed_planes<Codec>& W, const weight_words& words,
                                  const std::byte* staged_weights, const Activations& x, sums_of_warp& sums) {
    if constexpr (bit_serial) {
      add_bits(W, words, staged_weights + weights::code_bytes, x, sums);
    } else {
      add_bytes(W, words, staged_weights + weights::code_bytes, x, sums);
    }
  }

  /// What is left to do when all chunks are added.
  static LUQ_DEVICE_CODE void complete(sums_of_warp& sums) {
    constexpr bool classes_of_a_lane = layout::classes == 2 && (bit_serial || layout::parts == 1);
    if constexpr (classes_of_a_lane) {
      Warp::each_lane([&](int lane) {
        unrolled<rows_of_lane>([&](auto r) {
          unrolled<values_of_lane / 2>(
              [&](auto i) { sums[lane].value[r][i] = sums[lane].value[r][2 * i] + sums[lane].value[r][2 * i + 1]; });
        });
      });
    }
    if constexpr (bit_serial || (layout::classes == 2 && !classes_of_a_lane)) {
      unrolled<rows_of_lane>([&](auto r) {
        unrolled<tokens_of_lane>([&](auto i) {
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
  /// Which value of bytes a lane's v-th is.
  [[nodiscard]] static LUQ_DEVICE_CODE int value_of(int lane, int v) {
    return (v / values_of_tile * 4 + lane % 4) * values_of_tile + v % values_of_tile;
  }

  /// Sums of 8-bit levels begin with the bits of 1.5 * 2^23, as floats of which such numbers count units: below 2^22 in
  /// magnitude (128 columns, symbols below 256, levels below 128), they are 1.5 * 2^23 + T without a conversion.
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
      add_planes<layout::other_radix, 1, 1, fours_of_chunk(layout::first_radix)>(words, x, dots);
    }
    Warp::each_lane([&](int lane) {
      unrolled<layout::classes>([&](auto column_class) {
        const lane_coefficients a = coefficients_of(W, parameters, lane, column_class);
        unrolled<values_of_lane>([&](auto v) {
          const int value = value_of(lane, v);
          if (layout::classes > 1 && value % layout::classes != column_class) return;
          const value_factors factors = x.factors(lane, v);
          unrolled<rows_of_lane>([&](auto r) {
            float& y = sums[lane].value[r][v];
            y += a.of_sum[r] * factors.sum;
            unrolled<sources>([&](auto s) {
              const fragment_c& dot = dots[s][r / 2][v / values_of_tile][lane];
              const std::int32_t* const columns = dot.sum + 2 * (r % 2);
              if constexpr (sums_are_floats) {
                const auto sum = std::bit_cast<float>(columns[v % values_of_tile]);
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

  /// Multiplies planes of one radix.
  /// @tparam First      source of the first of them
  /// @tparam FirstCopy  of its words
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
            unrolled<tiles>([&](auto t) {
              B[t][lane] = {{B_words[t][lane].word[2 * pair], B_words[t][lane].word[2 * pair + 1]}};
            });
          });
          unrolled<row_pairs>([&](auto r) {
            per_lane<fragment_a> A[Count + (has_product ? 1 : 0)];
            Warp::each_lane([&](int lane) {
              unrolled<Count>([&](auto p) {
                unrolled<4>([&](auto i) {
                  constexpr int of_lane = slot + i / 2;
                  constexpr int copy = FirstCopy + p * fours_of_chunk(Radix) + of_lane / symbols;
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
            unrolled<planes>([&](auto p) {
              A[p][lane] = {{words.copy[p][lane].word[2 * r], words.copy[p][lane].word[2 * r + 1]}};
            });
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
          // Of four lanes, one counts what all have, and one has the bit of the sign.
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

}  // namespace luq::cuda

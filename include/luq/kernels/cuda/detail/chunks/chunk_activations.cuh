// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The activations of a chunk that a lane multiplies: which values it has, and how it reads them.
#pragma once

#include <cstdint>

#include "luq/kernels/cuda/detail/activations/activation_layout.cuh"
#include "luq/kernels/cuda/detail/warp/numbers.cuh"

namespace luq::cuda::detail {

/// The values of a chunk that a lane works on, for `Tokens` tokens at once.
template <PlaneCodec Codec, activation_bits Bits, arithmetic Arithmetic, int Tokens>
struct lane_values {
  using layout = activation_layout<Codec, Bits, Arithmetic>;
  static constexpr bool bit_serial = Arithmetic == arithmetic::bit_serial;
  static constexpr int tiles = layout::tiles_of_tokens(Tokens);
  static_assert(bit_serial || Tokens * layout::classes * layout::parts == tiles * columns_of_tile, "whole tiles");

  /// Values that a lane sums for each of its rows. With bytes a lane has two columns of every tile: two values of 8
  /// bits, or the two parts of one value of 16. With bits it has a share of every value.
  static constexpr int of_tile = 2 / layout::parts;
  static constexpr int count = bit_serial ? Tokens * layout::classes : tiles * of_tile;

  /// Tokens whose outputs a lane may have when sums are complete.
  static constexpr int tokens = bit_serial ? Tokens : layout::classes > 1 ? (count * layout::parts + 1) / 2 : count;

  /// Words of activations that a lane reads at once, and that it has of a chunk.
  static constexpr int words_of_read = bit_serial ? layout::parts : 4;
  static constexpr int words = words_of_read * (bit_serial ? count : tiles * layout::all_reads);

  /// Which value a lane's v-th is.
  [[nodiscard]] static LUQ_DEVICE_CODE int value(int lane, int v) {
    return bit_serial ? v : (v / of_tile * 4 + lane % 4) * of_tile + v % of_tile;
  }

  /// The scale s of a value's token, and the sum of s q over the columns of the value's class.
  struct alignas(8) value_factors {
    float scale;
    float sum;
  };
  struct alignas(4 * words_of_read) words_read {
    std::uint32_t word[words_of_read];
  };
};

/// A chunk of activations in shared or global memory. Each access reads it.
/// @tparam Values  lane_values
template <class Warp, class Values>
class activations_in_memory {
  using layout = typename Values::layout;
  using words_read = typename Values::words_read;
  using value_factors = typename Values::value_factors;

 public:
  LUQ_DEVICE_CODE activations_in_memory(const std::uint32_t* words_of_chunk, const float* factors_of_chunk)
      : factors_(factors_of_chunk) {
    Warp::each_lane([&](int lane) { words_[lane] = words_of_chunk + lane * Values::words_of_read; });
  }
  LUQ_DEVICE_CODE void move(int by_words, int by_factors) {
    Warp::each_lane([&](int lane) { words_[lane] += by_words; });
    factors_ += by_factors;
  }

  /// A lane's i-th read.
  [[nodiscard]] LUQ_DEVICE_CODE words_read words(int lane, int i) const {
    return load<words_read>(words_[lane] + i * lanes_of_warp * Values::words_of_read);
  }
  /// The factors of a lane's v-th value.
  [[nodiscard]] LUQ_DEVICE_CODE value_factors factors(int lane, int v) const {
    const int value = Values::value(lane, v);
    const float* const of_token = factors_ + value / layout::classes * (1 + layout::classes);
    if constexpr (layout::classes == 1) {
      return load<value_factors>(of_token);
    } else {
      return {of_token[0], of_token[1 + value % layout::classes]};
    }
  }

 private:
  typename Warp::template per_lane<const std::uint32_t*> words_;
  const float* factors_;
};

/// A chunk of activations in registers.
template <class Warp, class Values>
class activations_in_registers {
  using layout = typename Values::layout;
  using words_read = typename Values::words_read;
  using value_factors = typename Values::value_factors;

 public:
  activations_in_registers() = default;

  /// @param tokens  that exist; words and factors of others are zero, and not read
  LUQ_DEVICE_CODE activations_in_registers(const activations_in_memory<Warp, Values>& from, int tokens) {
    const int existing = tokens * layout::classes;
    Warp::each_lane([&](int lane) {
      unrolled<Values::words / Values::words_of_read>([&](auto i) {
        const int value =
            Values::bit_serial ? int{i} : (i / layout::all_reads * columns_of_tile + lane / 4) / layout::parts;
        held_[lane].words[i] = value < existing ? from.words(lane, i) : words_read{};
      });
      unrolled<Values::count>([&](auto v) {
        const int value = Values::value(lane, v);
        held_[lane].factors[v] = value < existing ? from.factors(lane, v) : value_factors{};
      });
    });
  }
  [[nodiscard]] LUQ_DEVICE_CODE words_read words(int lane, int i) const { return held_[lane].words[i]; }
  [[nodiscard]] LUQ_DEVICE_CODE value_factors factors(int lane, int v) const { return held_[lane].factors[v]; }

 private:
  struct lane_activations {
    words_read words[Values::words / Values::words_of_read];
    value_factors factors[Values::count];
  };
  typename Warp::template per_lane<lane_activations> held_;
};

}  // namespace luq::cuda::detail

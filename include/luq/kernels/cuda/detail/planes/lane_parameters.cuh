// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The parameters of the rows that a lane has: how many bytes they take, and what they are as floats.
#pragma once

#include <cstddef>
#include <cstdint>

#include "luq/kernels/cuda/detail/planes/plane_units.cuh"
#include "luq/kernels/cuda/detail/warp/numbers.cuh"

namespace luq::cuda::detail {

/// How a tile stores its parameters: scales of all rows, one parameter after the other, then at most one bit-packed
/// parameter.
struct parameter_sizes {
  int scales = 0;
  int scale_bytes = 0;
  int bits = 0;  ///< of the bit-packed parameter; 0 if there is none

  /// Bytes for the 32 rows of a warp, rounded up to 16.
  [[nodiscard]] constexpr int bytes_of_warp() const {
    return ((8 * scale_bytes * scales + bits) * rows_of_warp / 8 + 15) / 16 * 16;
  }
};

/// Reader (read_parameters() of WeightCodec) that reads nothing and records the sizes of parameters.
class parameter_measurer {
 public:
  [[nodiscard]] constexpr const parameter_sizes& sizes() const { return sizes_; }

  template <class Stored>
  constexpr void scales(int count) {
    sizes_.scales = count;
    sizes_.scale_bytes = static_cast<int>(sizeof(Stored));
  }
  template <unsigned Bits>
  constexpr void bit_packed() {
    sizes_.bits = static_cast<int>(Bits);
  }
  constexpr void constant(float) {}

 private:
  parameter_sizes sizes_;
};

template <PlaneCodec Codec>
[[nodiscard]] constexpr parameter_sizes measure_parameters(const Codec& codec) {
  parameter_measurer measurer;
  codec.read_parameters(measurer);
  return measurer.sizes();
}

/// The most that parameters of a codec can take. A parameter that is bit-packed by default may be a constant with other
/// options.
template <PlaneCodec Codec>
inline constexpr parameter_sizes most_parameters = measure_parameters(Codec());

/// The parameters of the four rows of one lane as floats.
template <PlaneCodec Codec>
class lane_parameters {
 public:
  float values[rows_of_lane][parameter_count<Codec>];

  /// @param bytes  the parameters of the 32 rows of a warp, 16-byte aligned
  /// @param row    the first row of the lane among the 32
  LUQ_DEVICE_CODE lane_parameters(const Codec& codec, const std::byte* bytes, int row) : next_(bytes), row_(row) {
    codec.read_parameters(*this);
  }

  template <class Stored>
  LUQ_DEVICE_CODE constexpr void scales(int count) {
    struct alignas(sizeof(Stored) * rows_of_lane) four {
      Stored of_row[rows_of_lane];
    };
    unrolled<parameter_count<Codec>>([&](auto p) {
      if (p >= count) return;
      const auto stored = load<four>(next_ + (p * rows_of_warp + row_) * static_cast<int>(sizeof(Stored)));
      unrolled<rows_of_lane>([&](auto r) { values[r][p] = to_float(stored.of_row[r]); });
    });
    next_ += count * rows_of_warp * static_cast<int>(sizeof(Stored));
  }
  template <unsigned Bits>
  LUQ_DEVICE_CODE constexpr void bit_packed() {
    const int bit = row_ * static_cast<int>(Bits);
    auto of_rows = load<std::uint32_t>(next_ + bit / 32 * 4) >> (bit % 32);
    if constexpr (32 % (rows_of_lane * Bits) != 0) {
      const int beyond = bit % 32 + rows_of_lane * static_cast<int>(Bits) - 32;  // bits in the next word
      if (beyond > 0) of_rows |= load<std::uint32_t>(next_ + (bit / 32 + 1) * 4) << (32 - bit % 32);
    }
    unrolled<rows_of_lane>([&](auto r) {
      const std::uint32_t value = (of_rows >> (r * Bits)) & ((1u << Bits) - 1u);
      values[r][parameter_count<Codec> - 1] = static_cast<float>(value);
    });
  }
  LUQ_DEVICE_CODE constexpr void constant(float value) {
    unrolled<rows_of_lane>([&](auto r) { values[r][parameter_count<Codec> - 1] = value; });
  }

 private:
  const std::byte* next_;
  int row_;
};

}  // namespace luq::cuda::detail

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What products on a GPU ask of a codec beside its components: how wide chunks of its planes are, and how it stores
// parameters. Plain C++, for those that ask without nvcc (kernels/kernel_path.hpp).
#pragma once

#include <array>
#include <cstddef>

#include "luq/codecs/weight_codec.hpp"

namespace luq::cuda::detail {

/// How many times four units a chunk has of a plane. Four lanes share the units of a row. A chunk is 128 columns, or
/// the next wider one whose slots are an even number, which matrix instructions take in pairs.
template <int Radix>
inline constexpr int fours_of_chunk = [] {
  constexpr int symbols = static_cast<int>(radix_traits<Radix>::symbols_per_byte);
  constexpr int fours = (8 + symbols - 1) / symbols;
  return fours * symbols % 2 == 0 ? fours : fours + 1;
}();

template <int Radix>
inline constexpr int columns_of_chunk =
    fours_of_chunk<Radix> * 16 * static_cast<int>(radix_traits<Radix>::symbols_per_byte);

/// Visitor of read_parameters() that sees whether parameters are stored as lanes read them: scales of one type, then at
/// most one other.
class parameter_order {
 public:
  [[nodiscard]] constexpr bool is_readable() const { return visits_of_scales_ == 1 && others_ <= 1 && scales_first_; }

  template <class Stored>
  constexpr void scales(int) {
    ++visits_of_scales_;
    scales_first_ = scales_first_ && others_ == 0;
  }
  template <unsigned Bits>
  constexpr void bit_packed() {
    ++others_;
  }
  constexpr void constant(float) { ++others_; }

 private:
  int visits_of_scales_ = 0;
  int others_ = 0;
  bool scales_first_ = true;
};

/// One plane, or two whose chunks have the same columns, and parameters in the order that lanes read.
template <WeightCodec Codec>
inline constexpr bool fits_lanes = [] {
  parameter_order order;
  Codec().read_parameters(order);
  return Codec::planes.size() <= 2 && order.is_readable() &&
         columns_of_chunk<static_cast<int>(Codec::planes.front())> ==
             columns_of_chunk<static_cast<int>(Codec::planes.back())>;
}();

}  // namespace luq::cuda::detail

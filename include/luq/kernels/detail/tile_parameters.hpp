// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The parameters of one tile as vectors of floats, and the coefficients of the codec's linear form that follow.
#pragma once

#include <concepts>
#include <cstring>

#include "luq/codecs/tile_layout.hpp"
#include "luq/kernels/integer_lanes.hpp"

namespace luq::detail {

/// Parameters of the rows of a tile as floats, [parameter][tile_rows]; see read_parameters() of WeightCodec.
template <class Arch, WeightCodec Codec>
class tile_parameters {
  using lanes = integer_lanes<Arch>;

 public:
  tile_parameters(const Codec& codec, const std::byte* bytes, index rows) : codec_(codec), bytes_(bytes), rows_(rows) {
    codec.read_parameters(*this);
  }

  template <class Stored>
  LUQ_ALWAYS_INLINE void scales(int count) {
    for (int p = 0; p < count; ++p, ++next_, bytes_ += rows_ * static_cast<index>(sizeof(Stored))) {
      alignas(64) Stored padded[tile_rows];
      const std::byte* from = bytes_;
      if (rows_ < tile_rows) {
        std::memset(static_cast<void*>(padded), 0, sizeof padded);
        std::memcpy(static_cast<void*>(padded), bytes_, static_cast<std::size_t>(rows_) * sizeof(Stored));
        from = reinterpret_cast<const std::byte*>(padded);
      }
      const auto* stored = reinterpret_cast<const Stored*>(from);
      for (index line = 0; line < rows_ * static_cast<index>(sizeof(Stored)); line += 64) {
        prefetch_to_second_level<lanes>(bytes_ + line);
      }
      for (index r = 0; r < tile_rows; r += lanes::lanes) {
        if constexpr (std::same_as<Stored, half>) {
          lanes::store_floats(values_[next_] + r, lanes::load_halves(stored + r));
        } else {
          lanes::store_floats(values_[next_] + r, lanes::load_floats(stored + r));
        }
      }
    }
  }

  template <unsigned Bits>
  LUQ_ALWAYS_INLINE void bit_packed() {
    constexpr index stream_bytes = tile_rows * static_cast<index>(Bits) / 8;
    std::byte stream[stream_bytes + 8] = {};  // vectors read 8 bytes at a time
    if (rows_ == tile_rows) {
      std::memcpy(stream, bytes_, stream_bytes);
    } else {
      std::memcpy(stream, bytes_, static_cast<std::size_t>(bit_packed_bytes(rows_, Bits)));
    }
    for (index r = 0; r < tile_rows; r += lanes::lanes) {
      lanes::store_floats(values_[next_] + r, lanes::template load_bit_packed<Bits>(stream, r));
    }
    ++next_;
  }

  LUQ_ALWAYS_INLINE void constant(float value) {
    for (index r = 0; r < tile_rows; r += lanes::lanes) {
      lanes::store_floats(values_[next_] + r, lanes::broadcast_float(value));
    }
    ++next_;
  }

  /// The coefficients of the rows r, r + 1, ... of one vector.
  [[nodiscard]] LUQ_ALWAYS_INLINE auto coefficients(int column_class, index r) const {
    typename lanes::floats p[Codec::parameter_count];
    for (int i = 0; i < Codec::parameter_count; ++i) p[i] = lanes::load_floats(values_[i] + r);
    return codec_.coefficients(static_cast<const typename lanes::floats*>(p), column_class);
  }

 private:
  const Codec& codec_;
  const std::byte* bytes_;
  index rows_;
  int next_ = 0;
  alignas(64) float values_[Codec::parameter_count][tile_rows];
};

}  // namespace luq::detail

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The parameters of h rows of a group in the bytes they occupy, as a codec's read_parameters() describes them: reader,
// writer and counter are three visitors of the same description.
//
//   | scales<Stored>: h times parameter 0 | h times parameter 1 | ... | bit_packed<Bits>: one gapless stream of h | ...
//
// Equal parameters of neighbouring rows lie together, so that a kernel loads them as one vector.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "luq/codecs/bit_packing.hpp"
#include "luq/core/assert.hpp"
#include "luq/core/index.hpp"
#include "luq/core/inline.hpp"

namespace luq::detail {

/// Reads parameters into a row-major matrix.
class parameter_reader {
 public:
  /// @param values  row 0 of [rows x parameters], rows `stride` floats apart, overwritten
  parameter_reader(std::span<const std::byte> bytes, float* values, index rows, index stride)
      : bytes_(bytes), values_(values), rows_(rows), stride_(stride) {}

  template <class Stored>
  void scales(int count) {
    for (int end = next_ + count; next_ < end; ++next_) {
      for (index r = 0; r < rows_; ++r) {
        Stored stored;
        std::memcpy(&stored, bytes_.data(), sizeof(Stored));
        bytes_ = bytes_.subspan(sizeof(Stored));
        values_[r * stride_ + next_] = static_cast<float>(stored);
      }
    }
  }

  template <unsigned Bits>
  void bit_packed() {
    for (index r = 0; r < rows_; ++r) values_[r * stride_ + next_] = bit_packed_at(bytes_, r, Bits);
    bytes_ = bytes_.subspan(static_cast<std::size_t>(bit_packed_bytes(rows_, Bits)));
    ++next_;
  }

  void constant(float value) {
    for (index r = 0; r < rows_; ++r) values_[r * stride_ + next_] = value;
    ++next_;
  }

 private:
  std::span<const std::byte> bytes_;
  float* values_;
  index rows_;
  index stride_;
  int next_ = 0;
};

/// Writes parameters that are exactly what storage holds.
class parameter_writer {
 public:
  /// @param values  row 0 of [rows x parameters], rows `stride` floats apart
  /// @param bytes   as many as parameter_bytes() counts
  parameter_writer(const float* values, index rows, index stride, std::span<std::byte> bytes)
      : values_(values), rows_(rows), stride_(stride), bytes_(bytes) {}

  template <class Stored>
  void scales(int count) {
    for (int end = next_ + count; next_ < end; ++next_) {
      for (index r = 0; r < rows_; ++r) {
        const auto stored = static_cast<Stored>(values_[r * stride_ + next_]);
        LUQ_ASSERT(bytes_.size() >= sizeof(Stored));
        std::memcpy(bytes_.data(), &stored, sizeof(Stored));
        bytes_ = bytes_.subspan(sizeof(Stored));
      }
    }
  }

  template <unsigned Bits>
  void bit_packed() {
    std::vector<std::uint8_t> integers;
    for (index r = 0; r < rows_; ++r) integers.push_back(static_cast<std::uint8_t>(values_[r * stride_ + next_]));
    const auto size = static_cast<std::size_t>(bit_packed_bytes(rows_, Bits));
    bit_pack(integers, Bits, bytes_.first(size));
    bytes_ = bytes_.subspan(size);
    ++next_;
  }

  void constant(float) { ++next_; }

 private:
  const float* values_;
  index rows_;
  index stride_;
  std::span<std::byte> bytes_;
  int next_ = 0;
};

/// Counts bytes.
struct parameter_counter {
  index rows;
  index bytes = 0;

  template <class Stored>
  LUQ_ALWAYS_INLINE constexpr void scales(int count) {
    bytes += count * rows * static_cast<index>(sizeof(Stored));
  }
  template <unsigned Bits>
  LUQ_ALWAYS_INLINE constexpr void bit_packed() {
    bytes += bit_packed_bytes(rows, Bits);
  }
  LUQ_ALWAYS_INLINE constexpr void constant(float) {}
};

/// Bytes of the parameters of `rows` rows of a group.
template <class Codec>
[[nodiscard]] LUQ_ALWAYS_INLINE constexpr index parameter_bytes(const Codec& codec, index rows) {
  parameter_counter counter{rows};
  codec.read_parameters(counter);
  return counter.bytes;
}

}  // namespace luq::detail

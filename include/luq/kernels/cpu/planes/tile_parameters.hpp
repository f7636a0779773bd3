// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The parameters of one tile as vectors of floats, and the coefficients of the codec's linear form that follow. Always
// of 64 rows: those of a tile with fewer are copied to a buffer first.
#pragma once

#include <concepts>
#include <cstring>

#include "luq/codecs/tile_layout.hpp"
#include "luq/kernels/cpu/lanes/integer_lanes.hpp"
#include "luq/kernels/cpu/lanes/prefetch.hpp"
#include "luq/kernels/cpu/planes/tile_planes.hpp"

namespace luq::detail {

/// Reader (read_parameters() of WeightCodec) that copies the parameters of h rows to where those of tile_rows have
/// room.
template <class Arch>
class parameter_padder {
 public:
  parameter_padder(const std::byte* bytes, index h, std::byte* padded) : from_(bytes), h_(h), to_(padded) {}

  template <class Stored>
  void scales(int count) {
    for (int p = 0; p < count; ++p) copy(h_ * size_of<Stored>, tile_rows * size_of<Stored>);
  }
  template <unsigned Bits>
  void bit_packed() {
    copy(bit_packed_bytes(h_, Bits), bit_packed_bytes(tile_rows, Bits));
  }
  void constant(float) {}

 private:
  template <class Stored>
  static constexpr index size_of = static_cast<index>(sizeof(Stored));

  void copy(index bytes, index room) {
    std::memcpy(to_, from_, static_cast<std::size_t>(bytes));
    from_ += bytes;
    to_ += room;
  }

  const std::byte* from_;
  index h_;
  std::byte* to_;
};

/// Copies the parameters of h < tile_rows rows of a tile into those of tile_rows rows, the missing ones 0.
/// @param padded  parameter_bytes(codec, tile_rows) bytes
template <class Arch, WeightCodec Codec>
void pad_parameters(const Codec& codec, const std::byte* bytes, index h, std::byte* padded) {
  std::memset(padded, 0, static_cast<std::size_t>(parameter_bytes(codec, tile_rows)));
  codec.read_parameters(parameter_padder<Arch>(bytes, h, padded));
}

/// Bytes of a tile of tile_rows rows, the widest of a matrix.
template <WeightCodec Codec>
[[nodiscard]] index full_tile_bytes(const Codec& codec, index group_columns) {
  return tile_layout<Codec>::code_bytes(tile_rows, group_columns) + parameter_bytes(codec, tile_rows);
}

/// Copies a tile of h < tile_rows rows and k columns into one of tile_rows rows.
/// @param padded  full_tile_bytes()
template <class Arch, WeightCodec Codec>
LUQ_NEVER_INLINE void pad_tile(const Codec& codec, const std::byte* tile, index h, index k, std::byte* padded) {
  pad_codes<Arch, Codec>(tile, h, k, padded);
  pad_parameters<Arch>(codec, tile + tile_layout<Codec>::code_bytes(h, k), h,
                       padded + tile_layout<Codec>::code_bytes(tile_rows, k));
}

/// A tile of h rows and k columns, or a copy of tile_rows rows if it has fewer.
/// @param padded  full_tile_bytes()
template <class Arch, WeightCodec Codec>
[[nodiscard]] LUQ_ALWAYS_INLINE const std::byte* full_tile(const Codec& codec, const std::byte* tile, index h, index k,
                                                           std::byte* padded) {
  if (h == tile_rows) return tile;
  pad_tile<Arch>(codec, tile, h, k, padded);
  return padded;
}

/// A view of the parameters of a tile of tile_rows rows.
template <class Arch, WeightCodec Codec>
class tile_parameters {
  using lanes = integer_lanes<Arch>;
  using floats = typename lanes::floats;

 public:
  /// @param bytes  of a matrix whose next tiles are read soon, or padded ones
  LUQ_ALWAYS_INLINE tile_parameters(const Codec& codec, const std::byte* bytes) : codec_(codec), bytes_(bytes) {
    const index size = parameter_bytes(codec, tile_rows);
    for (index line = 0; line < size; line += 64) prefetch_weights<lanes>(bytes + line);
  }

  /// The coefficients of the rows r, r + 1, ... of one vector.
  [[nodiscard]] LUQ_ALWAYS_INLINE auto coefficients(int column_class, index r) const {
    row_reader reader(bytes_, r);
    codec_.read_parameters(reader);
    return luq::coefficients(codec_, static_cast<const floats*>(reader.values), column_class);
  }

 private:
  /// Reads the parameters of the rows of one vector.
  struct row_reader {
    const std::byte* bytes;
    index r;
    int next = 0;
    floats values[parameter_count<Codec>];

    LUQ_ALWAYS_INLINE row_reader(const std::byte* first, index row) : bytes(first), r(row) {}

    template <class Stored>
    LUQ_ALWAYS_INLINE void scales(int count) {
      for (int p = 0; p < count; ++p, bytes += tile_rows * static_cast<index>(sizeof(Stored))) {
        const auto* stored = reinterpret_cast<const Stored*>(bytes) + r;
        if constexpr (std::same_as<Stored, half>) {
          values[next++] = lanes::load_halves(stored);
        } else {
          values[next++] = lanes::load_floats(stored);
        }
      }
    }
    template <unsigned Bits>
    LUQ_ALWAYS_INLINE void bit_packed() {
      values[next++] = lanes::template load_bit_packed<Bits>(bytes, r);
      bytes += bit_packed_bytes(tile_rows, Bits);
    }
    LUQ_ALWAYS_INLINE void constant(float value) { values[next++] = lanes::broadcast_float(value); }
  };

  const Codec& codec_;
  const std::byte* bytes_;
};

}  // namespace luq::detail

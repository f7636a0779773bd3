// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A packed matrix in device memory as kernels read it: where planes and parameters of each tile are.
//
// The bytes are those of packed_matrix (tile_layout.hpp), padded so that all tiles are alike (padded_tiles.cuh):
//
//   - a last row tile of fewer than 64 rows is filled up to 64;
//   - the 1 to 3 bytes that are left of a row after its words become a word;
//   - a tile begins at a multiple of 128 bytes. (4-bit codes in groups of 128 take 2 % more bytes so, and are read up
//     to a quarter faster.)
//
// In a tile the planes are followed by the parameters of its first 32 rows, then by those of its last 32.
#pragma once

#include <cstddef>
#include <cstdint>

#include "luq/core/detail/unrolled.hpp"
#include "luq/kernels/cuda/detail/planes/lane_parameters.cuh"

namespace luq::cuda::detail {

/// How a tile of one group is laid out.
template <PlaneCodec Codec>
struct group_shape {
  struct plane {
    int offset;  ///< bytes from the start of the tile
    int units;
  };
  int columns;
  plane planes[Codec::planes.size()];  ///< the first has offset 0
  int parameters;                      ///< bytes from the start of the tile

  [[nodiscard]] static constexpr group_shape of(int columns) {
    group_shape shape{};
    shape.columns = columns;
    luq::detail::unrolled<static_cast<index>(Codec::planes.size())>([&](auto p) {
      const auto row_bytes = static_cast<int>(plane_row_bytes<static_cast<int>(Codec::planes[p()])>(columns));
      shape.planes[p()] = {shape.parameters, (row_bytes + 3) / 4};
      shape.parameters += static_cast<int>(tile_rows) * 4 * shape.planes[p()].units;
    });
    return shape;
  }

  /// Bytes of a tile, a multiple of the 128 of a line of the second level of cache.
  [[nodiscard]] constexpr int bytes(const parameter_sizes& sizes) const {
    return (parameters + 2 * sizes.bytes_of_warp() + 127) / 128 * 128;
  }
};

/// A packed matrix in memory that device code reads. Plain data, passed to kernels by value.
template <PlaneCodec Codec>
struct packed_planes {
  const std::byte* tiles;  ///< as padded_tiles() makes them, aligned to 128 bytes
  Codec codec;
  int rows;
  int cols;
  int group;  ///< columns
  int groups;
  int chunks_of_group;
  int parameter_bytes;       ///< of 32 rows in a tile, a multiple of 16
  group_shape<Codec> whole;  ///< of all groups but the last
  group_shape<Codec> last;   ///< of the last group
  std::int64_t row_tile_bytes;
  int tile_bytes;                      ///< of a whole group, a multiple of 128
  const std::int32_t* stored_columns;  ///< column of each stored place, or null where the two are the same
  const std::int32_t* class_borders;   ///< columns of class 1 in each group, stored first; null with one class

  [[nodiscard]] constexpr int chunks() const { return groups * chunks_of_group; }
  [[nodiscard]] constexpr int half_tiles() const { return (rows + rows_of_warp - 1) / rows_of_warp; }
  [[nodiscard]] constexpr group_shape<Codec> shape(int g) const { return g + 1 == groups ? last : whole; }
};

/// A chunk as a group and a chunk of the group.
struct chunk_place {
  int group;
  int of_group;

  template <PlaneCodec Codec>
  constexpr chunk_place(const packed_planes<Codec>& W, int chunk) : group(chunk), of_group(0) {
    if (W.chunks_of_group != 1) {
      group = chunk / W.chunks_of_group;
      of_group = chunk % W.chunks_of_group;
    }
  }
};

}  // namespace luq::cuda::detail

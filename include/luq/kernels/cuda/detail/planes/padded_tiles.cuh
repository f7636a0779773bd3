// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What the host makes of a packed matrix before it is copied to a GPU: padded tiles, the order of stored columns, and a
// description of where things are.
#pragma once

#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

#include "luq/codecs/packed_matrix.hpp"
#include "luq/core/aligned_buffer.hpp"
#include "luq/core/detail/unrolled.hpp"
#include "luq/core/error.hpp"
#include "luq/kernels/cuda/detail/planes/packed_planes.cuh"

namespace luq::cuda::detail {

/// Copies one plane of a tile of h rows, as it is stored, to 64 rows of words.
/// @param row_bytes  of the plane
/// @param padded     zeros; rows and bytes that do not exist stay 0
inline void pad_plane(const std::byte* stored, index h, index row_bytes, std::byte* padded) {
  const index units = (row_bytes + 3) / 4;
  for (index unit = 0; unit < units; ++unit) {
    const index width = (std::min)(index{4}, row_bytes - 4 * unit);
    for (index row = 0; row < h; ++row) {
      std::memcpy(padded + (unit * tile_rows + row) * 4, stored + (4 * unit * h + row * width),
                  static_cast<std::size_t>(width));
    }
  }
}

/// Reader (read_parameters() of WeightCodec) that copies the parameters of h rows of a tile to two blocks, of its first
/// 32 rows and of its last 32.
class parameter_splitter {
 public:
  /// @param halves  two blocks of `half_bytes` zeros each; parameters of rows that do not exist stay 0
  parameter_splitter(const std::byte* bytes, index h, std::byte* halves, int half_bytes)
      : from_(bytes), h_(h), to_(halves), half_bytes_(half_bytes) {}

  template <class Stored>
  void scales(int count) {
    constexpr auto size = static_cast<index>(sizeof(Stored));
    for (int p = 0; p < count; ++p) split(h_ * size, rows_of_warp * size);
  }
  template <unsigned Bits>
  void bit_packed() {
    split(bit_packed_bytes(h_, Bits), bit_packed_bytes(rows_of_warp, Bits));
  }
  void constant(float) {}

 private:
  /// @param bytes  of h rows
  /// @param room   of 32 rows, a whole number of bytes
  void split(index bytes, index room) {
    const index first = (std::min)(bytes, room);
    std::memcpy(to_, from_, static_cast<std::size_t>(first));
    std::memcpy(to_ + half_bytes_, from_ + first, static_cast<std::size_t>(bytes - first));
    from_ += bytes;
    to_ += room;
  }

  const std::byte* from_;
  index h_;
  std::byte* to_;
  int half_bytes_;
};

/// The tiles of a packed matrix, padded as packed_planes describes them.
template <PlaneCodec Codec>
[[nodiscard]] aligned_buffer<std::byte> padded_tiles(const packed_matrix<Codec>& W,
                                                     const packed_planes<Codec>& planes) {
  const auto& layout = W.layout();
  const int half_bytes = measure_parameters(W.codec()).bytes_of_warp();
  aligned_buffer<std::byte> result(static_cast<std::size_t>(layout.row_tiles() * planes.row_tile_bytes));
  std::memset(result.data(), 0, result.size());
  for (index t = 0; t < layout.row_tiles(); ++t) {
    const index h = layout.rows_of(t);
    for (index g = 0; g < layout.groups(); ++g) {
      const index k = layout.columns_of(g);
      const auto shape = planes.shape(static_cast<int>(g));
      const std::byte* stored = W.tile(t, g).data();
      std::byte* const padded = result.data() + t * planes.row_tile_bytes + g * planes.tile_bytes;
      luq::detail::unrolled<static_cast<index>(Codec::planes.size())>([&](auto p) {
        const index row_bytes = plane_row_bytes<static_cast<int>(Codec::planes[p()])>(k);
        pad_plane(stored, h, row_bytes, padded + shape.planes[p()].offset);
        stored += h * row_bytes;
      });
      W.codec().read_parameters(parameter_splitter(stored, h, padded + shape.parameters, half_bytes));
    }
  }
  return result;
}

/// The order in which columns are stored. Both are empty if the codec has one class of columns.
struct stored_column_order {
  std::vector<std::int32_t> columns;  ///< of each stored place
  std::vector<std::int32_t> borders;  ///< columns of class 1 in each group
};

template <PlaneCodec Codec>
[[nodiscard]] stored_column_order order_of_columns(const packed_matrix<Codec>& W) {
  stored_column_order order;
  if constexpr (column_class_count<Codec> > 1) {
    for (const index column : W.stored_columns()) order.columns.push_back(static_cast<std::int32_t>(column));
    for (index g = 0; g < W.layout().groups(); ++g) {
      order.borders.push_back(static_cast<std::int32_t>(W.class_border(g)));
    }
  }
  return order;
}

/// Where planes and parameters are in the padded tiles of W; the pointers are null.
/// @throws luq::error unsupported for a matrix beyond 2^28 - 65 rows or columns, with groups so wide that bytes of a
///   tile may not fit 31 bits, or with an input transform
template <PlaneCodec Codec>
[[nodiscard]] packed_planes<Codec> describe_planes(const packed_matrix<Codec>& W) {
  const auto& layout = W.layout();
  constexpr index most = (std::numeric_limits<std::int32_t>::max)() / 8 - tile_rows;
  const index group = layout.groups() == 0 ? 0 : layout.columns_of(0);
  require_no_transform(W.transform(), "packed matrix on a GPU");
  if (W.rows() > most || W.cols() > most || group * tile_rows > most) {
    fail(errc::unsupported, "packed matrix on a GPU: expected at most ", most, " rows and columns, and ",
         most / tile_rows, " columns of a group, got ", W.rows(), ", ", W.cols(), " and ", group);
  }
  const parameter_sizes sizes = measure_parameters(W.codec());
  packed_planes<Codec> planes{};
  planes.codec = W.codec();
  planes.rows = static_cast<int>(W.rows());
  planes.cols = static_cast<int>(W.cols());
  planes.group = static_cast<int>(group);
  planes.groups = static_cast<int>(layout.groups());
  planes.chunks_of_group = static_cast<int>((group + chunk_columns<Codec> - 1) / chunk_columns<Codec>);
  planes.parameter_bytes = sizes.bytes_of_warp();
  planes.whole = group_shape<Codec>::of(planes.group);
  planes.tile_bytes = planes.whole.bytes(sizes);
  if (planes.groups > 0) {
    planes.last = group_shape<Codec>::of(planes.cols - (planes.groups - 1) * planes.group);
    planes.row_tile_bytes = static_cast<std::int64_t>(planes.groups - 1) * planes.tile_bytes + planes.last.bytes(sizes);
  }
  return planes;
}

}  // namespace luq::cuda::detail

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The planes and parameters of a packed matrix as device code reads them. The bytes are those of packed_matrix, with
// two differences: a last row tile of fewer than 64 rows is padded to 64, so that every tile is alike, and tiles whose
// bytes are no multiple of 16 are padded to one (padded_tiles()).
//
// A plane of a tile is a sequence of units: its words, and after them what is left of each row, 1 to 3 bytes, as one
// more unit (tile_layout.hpp). One slot of a unit is four columns, or as many as the last unit has bytes.
//
// Kernels work by chunks: 128 columns of a group (160 of three symbols to a digit), or what is left of it. A warp has
// half a row tile, 32 rows; a lane four neighbouring rows, whose words are 16 bytes, and every fourth unit:
//
//   lane = 4 g + t      rows 4g ... 4g+3      units t, t + 4, t + 8, ... of the chunk
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

#include "luq/codecs/packed_matrix.hpp"
#include "luq/core/aligned_buffer.hpp"
#include "luq/core/error.hpp"
#include "luq/core/half.hpp"
#include "luq/kernels/component_form.hpp"
#include "luq/kernels/cuda/warp.cuh"
#include "luq/kernels/detail/tile_parameters.hpp"

namespace luq::cuda {

/// Codecs that the kernels here take: those whose components are sums of symbols, or products of two bits.
template <class Codec>
concept PlaneCodec = WeightCodec<Codec> && luq::detail::has_exact_forms<Codec>;

/// The units of one row of a plane of k columns.
template <int Radix>
struct plane_units {
  static constexpr int symbols = static_cast<int>(symbols_per_byte(Radix));
  static constexpr int columns_of_word = 4 * symbols;

  int columns;

  [[nodiscard]] constexpr int row_bytes() const { return (columns + symbols - 1) / symbols; }
  [[nodiscard]] constexpr int words() const { return row_bytes() / 4; }
  [[nodiscard]] constexpr int tail_bytes() const { return row_bytes() % 4; }
  [[nodiscard]] constexpr int count() const { return (row_bytes() + 3) / 4; }

  /// The column (in stored order) of a byte of a slot of a unit; not below `columns` where there is none.
  [[nodiscard]] constexpr int column(int unit, int slot, int byte) const {
    const int width = unit < words() ? 4 : tail_bytes();
    return byte < width ? unit * columns_of_word + width * slot + byte : columns;
  }
};

/// Four symbols of a word, one in each byte.
template <int Radix>
[[nodiscard]] LUQ_DEVICE_CODE std::uint32_t symbols_of_slot(std::uint32_t word, int slot) {
  if constexpr (Radix == 3) {
    // Two bytes at a time, in lanes of 16 bits: ((byte * 3^slot mod 256) * 3) >> 8.
    constexpr std::uint32_t low_bytes = 0x00ff00ffu;
    const std::uint32_t power = slot == 0 ? 1u : slot == 1 ? 3u : slot == 2 ? 9u : slot == 3 ? 27u : 81u;
    const std::uint32_t even = (((word & low_bytes) * power) & low_bytes) * 3u;
    const std::uint32_t odd = ((((word >> 8) & low_bytes) * power) & low_bytes) * 3u;
    return ((even >> 8) & low_bytes) | (odd & ~low_bytes);
  } else {
    constexpr int bits = 8 / plane_units<Radix>::symbols;
    constexpr std::uint32_t mask = 0x01010101u * static_cast<std::uint32_t>(Radix - 1);
    return (word >> (bits * slot)) & mask;
  }
}

/// The bits of a stored float as a float.
template <class Stored>
[[nodiscard]] LUQ_DEVICE_CODE float to_float(Stored value) {
#ifdef __CUDA_ARCH__
  if constexpr (std::is_same_v<Stored, half>) {
    float result;
    asm("cvt.f32.f16 %0, %1;" : "=f"(result) : "h"(value.bits));
    return result;
  }
#endif
  return static_cast<float>(value);
}

/// @param bytes  aligned as Stored is
template <class Stored>
[[nodiscard]] LUQ_DEVICE_CODE Stored load(const std::byte* bytes) {
  Stored value;
  memcpy(&value, __builtin_assume_aligned(bytes, alignof(Stored)), sizeof(Stored));
  return value;
}

inline constexpr int rows_of_warp = 32;
static_assert(tile_rows == 2 * rows_of_warp);

/// Rows of one lane: four neighbours, whose words are 16 bytes.
inline constexpr int rows_of_lane = 4;

struct alignas(16) lane_words {
  std::uint32_t word[rows_of_lane];
};

/// Units of a plane that a chunk has, in fours: one for each lane of a row.
template <int Radix>
inline constexpr int fours_of_chunk = Radix == 2 ? 1 : Radix <= 4 ? 2 : Radix == 16 ? 4 : 8;

template <int Radix>
inline constexpr int columns_of_chunk = fours_of_chunk<Radix> * 4 * plane_units<Radix>::columns_of_word;

/// Columns of a chunk, the same for all planes of a codec.
template <PlaneCodec Codec>
inline constexpr int chunk_columns = columns_of_chunk<static_cast<int>(Codec::planes.front())>;

/// What parameters of a tile take: scales of all rows, one parameter after the other, then at most one bit-packed one.
struct parameter_sizes {
  int scales = 0;
  int scale_bytes = 0;
  int bits = 0;  ///< of the bit-packed parameter; 0 if there is none
};

/// Reader (read_parameters() of WeightCodec) that reads nothing and notes what there is to read.
class parameter_measurer {
 public:
  [[nodiscard]] const parameter_sizes& sizes() const { return sizes_; }

  template <class Stored>
  void scales(int count) {
    LUQ_ASSERT(sizes_.scales == 0 && sizes_.bits == 0);
    sizes_.scales = count;
    sizes_.scale_bytes = static_cast<int>(sizeof(Stored));
  }
  template <unsigned Bits>
  void bit_packed() {
    sizes_.bits = static_cast<int>(Bits);
  }
  void constant(float) {}

 private:
  parameter_sizes sizes_;
};

/// The parameters of the rows of one lane, from those of the 32 rows of a warp.
template <PlaneCodec Codec>
class lane_parameters {
 public:
  float values[rows_of_lane][Codec::parameter_count];

  /// @param bytes  16-byte aligned
  /// @param row    the lane's first among the 32
  LUQ_DEVICE_CODE lane_parameters(const Codec& codec, const std::byte* bytes, int row) : next_(bytes), row_(row) {
    codec.read_parameters(*this);
  }

  template <class Stored>
  LUQ_DEVICE_CODE constexpr void scales(int count) {
    struct alignas(sizeof(Stored) * rows_of_lane) four {
      Stored of_row[rows_of_lane];
    };
    unrolled<Codec::parameter_count>([&](auto p) {
      if (p >= count) return;
      const auto stored = load<four>(next_ + (p * rows_of_warp + row_) * static_cast<int>(sizeof(Stored)));
      unrolled<rows_of_lane>([&](auto r) { values[r][p] = to_float(stored.of_row[r]); });
    });
    next_ += count * rows_of_warp * static_cast<int>(sizeof(Stored));
  }
  template <unsigned Bits>
  LUQ_DEVICE_CODE constexpr void bit_packed() {
    unrolled<rows_of_lane>([&](auto r) {
      const int bit = (row_ + r) * static_cast<int>(Bits);
      const int beyond = bit % 8 + static_cast<int>(Bits) - 8;  // bits in the next byte
      unsigned value = std::to_integer<unsigned>(next_[bit / 8]) >> (bit % 8);
      if (beyond > 0) value |= std::to_integer<unsigned>(next_[bit / 8 + 1]) << (static_cast<int>(Bits) - beyond);
      values[r][Codec::parameter_count - 1] = static_cast<float>(value & ((1u << Bits) - 1u));
    });
  }
  LUQ_DEVICE_CODE constexpr void constant(float value) {
    unrolled<rows_of_lane>([&](auto r) { values[r][Codec::parameter_count - 1] = value; });
  }

 private:
  const std::byte* next_;
  int row_;
};

/// A packed matrix in memory that device code reads. Plain data, passed to kernels by value.
template <PlaneCodec Codec>
struct packed_planes {
  const std::byte* tiles;  ///< padded_tiles(), 16-byte aligned
  Codec codec;
  parameter_sizes parameters;
  int rows;
  int cols;
  int group;  ///< columns
  int groups;
  int chunks_of_group;
  std::int64_t row_tile_bytes;
  int tile_bytes;                      ///< of a whole group, a multiple of 16
  const std::int32_t* stored_columns;  ///< column of each stored place, or null where the two are the same
  const std::int32_t* class_borders;   ///< columns of class 1 in each group, stored first; null with one class

  [[nodiscard]] constexpr int columns_of(int g) const { return cols - g * group < group ? cols - g * group : group; }
  [[nodiscard]] constexpr int chunks() const { return groups * chunks_of_group; }
  [[nodiscard]] constexpr int half_tiles() const { return (rows + rows_of_warp - 1) / rows_of_warp; }
  /// Bytes of the parameters of 32 rows, rounded up to 16.
  [[nodiscard]] constexpr int parameter_bytes() const {
    const int bits = 8 * parameters.scale_bytes * parameters.scales + parameters.bits;
    return (bits * rows_of_warp / 8 + 15) / 16 * 16;
  }
  [[nodiscard]] constexpr const std::byte* tile(int row_tile, int g) const {
    return tiles + row_tile * row_tile_bytes + static_cast<std::int64_t>(g) * tile_bytes;
  }
};

/// Bytes of a tile of 64 rows and k columns in padded_tiles().
template <PlaneCodec Codec>
[[nodiscard]] index padded_tile_bytes(const packed_matrix<Codec>& W, index k) {
  return (W.layout().tile_bytes(tile_rows, k) + 15) / 16 * 16;
}

/// Bytes of the tiles of 64 rows in padded_tiles().
template <PlaneCodec Codec>
[[nodiscard]] index padded_row_tile_bytes(const packed_matrix<Codec>& W) {
  index bytes = 0;
  for (index g = 0; g < W.layout().groups(); ++g) bytes += padded_tile_bytes(W, W.layout().columns_of(g));
  return bytes;
}

/// The tiles of a packed matrix, each of 64 rows and a multiple of 16 bytes; missing rows hold code 0 and parameters 0.
template <PlaneCodec Codec>
[[nodiscard]] aligned_buffer<std::byte> padded_tiles(const packed_matrix<Codec>& W) {
  const auto& layout = W.layout();
  aligned_buffer<std::byte> result(static_cast<std::size_t>(layout.row_tiles() * padded_row_tile_bytes(W)));
  std::byte* out = result.data();
  for (index t = 0; t < layout.row_tiles(); ++t) {
    const index h = layout.rows_of(t);
    for (index g = 0; g < layout.groups(); ++g) {
      const index k = layout.columns_of(g);
      const auto tile = W.tile(t, g);
      if (h == tile_rows) {
        std::memcpy(out, tile.data(), tile.size());
      } else {
        luq::detail::pad_tile<void>(W.codec(), tile.data(), h, k, out);
      }
      const index bytes = layout.tile_bytes(tile_rows, k);
      const index padded = padded_tile_bytes(W, k);
      std::memset(out + bytes, 0, static_cast<std::size_t>(padded - bytes));
      out += padded;
    }
  }
  return result;
}

/// In which order columns are stored, as packed_planes points to it; both empty with one class.
struct stored_column_order {
  std::vector<std::int32_t> columns;  ///< of each stored place
  std::vector<std::int32_t> borders;  ///< columns of class 1 in each group
};

template <PlaneCodec Codec>
[[nodiscard]] stored_column_order order_of_columns(const packed_matrix<Codec>& W) {
  stored_column_order order;
  if constexpr (Codec::column_classes > 1) {
    for (const index column : W.stored_columns()) order.columns.push_back(static_cast<std::int32_t>(column));
    for (index g = 0; g < W.layout().groups(); ++g) {
      order.borders.push_back(static_cast<std::int32_t>(W.class_border(g)));
    }
  }
  return order;
}

/// Where things are in the padded tiles of W, without pointers.
/// @throws luq::error unsupported for a matrix beyond 2^31 - 1 rows, columns or bytes of a tile
template <PlaneCodec Codec>
[[nodiscard]] packed_planes<Codec> describe_planes(const packed_matrix<Codec>& W) {
  const auto& layout = W.layout();
  const index group = layout.groups() == 0 ? 0 : layout.columns_of(0);
  const index tile = padded_tile_bytes(W, group);
  constexpr index most = std::numeric_limits<std::int32_t>::max() - tile_rows;
  if (W.rows() > most || W.cols() > most || tile > most) {
    fail(errc::unsupported, "packed matrix on a GPU: expected at most ", most,
         " rows, columns and bytes of a tile, got ", W.rows(), ", ", W.cols(), " and ", tile);
  }
  parameter_measurer measurer;
  W.codec().read_parameters(measurer);
  return {nullptr,
          W.codec(),
          measurer.sizes(),
          static_cast<int>(W.rows()),
          static_cast<int>(W.cols()),
          static_cast<int>(group),
          static_cast<int>(layout.groups()),
          static_cast<int>((group + chunk_columns<Codec> - 1) / chunk_columns<Codec>),
          padded_row_tile_bytes(W),
          static_cast<int>(tile),
          nullptr,
          nullptr};
}

}  // namespace luq::cuda

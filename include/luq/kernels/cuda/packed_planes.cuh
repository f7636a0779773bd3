// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The planes and parameters of a packed matrix as device code reads them. The bytes are those of packed_matrix, with
// one difference: a last row tile of fewer than 64 rows is padded to 64, so that every tile is alike (padded_tiles()).
//
// A plane of a tile is a sequence of units: its words, and after them what is left of each row, 1 to 3 bytes, as one
// more unit (tile_layout.hpp). One slot of a unit is four columns, or as many as the last unit has bytes.
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

template <class Stored>
[[nodiscard]] LUQ_DEVICE_CODE Stored load(const std::byte* bytes) {
  Stored value;
  memcpy(&value, bytes, sizeof(Stored));
  return value;
}

/// Rows of one lane: four neighbours, whose words are 16 bytes.
inline constexpr int rows_of_lane = 4;

struct alignas(16) lane_words {
  std::uint32_t word[rows_of_lane];
};

/// How a codec's parameters lie in a tile: scales of all rows one parameter after the other, then at most one
/// parameter that is bit-packed or the same for all rows.
struct parameter_recipe {
  enum class scale_type { float16, bfloat16, float32 };

  int scales = 0;
  scale_type type = scale_type::float16;
  int bits = 0;        ///< of the bit-packed parameter; 0 if there is none
  float constant = 0;  ///< of the parameter that is not stored, if there is one
};

/// Reader (read_parameters() of WeightCodec) that reads nothing and notes what there is to read.
class recipe_writer {
 public:
  [[nodiscard]] const parameter_recipe& recipe() const { return recipe_; }

  template <class Stored>
  void scales(int count) {
    LUQ_ASSERT(recipe_.scales == 0);
    recipe_.scales = count;
    recipe_.type = std::is_same_v<Stored, half>       ? parameter_recipe::scale_type::float16
                   : std::is_same_v<Stored, bfloat16> ? parameter_recipe::scale_type::bfloat16
                                                      : parameter_recipe::scale_type::float32;
  }
  template <unsigned Bits>
  void bit_packed() {
    recipe_.bits = static_cast<int>(Bits);
  }
  void constant(float value) { recipe_.constant = value; }

 private:
  parameter_recipe recipe_;
};

/// The parameters of the rows of one lane.
template <class Codec>
struct lane_parameters {
  float values[rows_of_lane][Codec::parameter_count];

  /// @param bytes  parameters of a tile of 64 rows
  /// @param row    the first of the four, in the tile
  LUQ_DEVICE_CODE lane_parameters(const parameter_recipe& recipe, const std::byte* bytes, int row) {
    if (recipe.type == parameter_recipe::scale_type::float16) {
      read<half>(recipe, bytes, row);
    } else if (recipe.type == parameter_recipe::scale_type::bfloat16) {
      read<bfloat16>(recipe, bytes, row);
    } else {
      read<float>(recipe, bytes, row);
    }
  }

 private:
  template <class Stored>
  LUQ_DEVICE_CODE void read(const parameter_recipe& recipe, const std::byte* bytes, int row) {
    constexpr int size = static_cast<int>(sizeof(Stored));
    unrolled<Codec::parameter_count>([&](auto p) {
      unrolled<rows_of_lane>([&](auto r) {
        if (p < recipe.scales) {
          values[r][p] = to_float(load<Stored>(bytes + (p * static_cast<int>(tile_rows) + row + r) * size));
        } else if (recipe.bits > 0) {
          values[r][p] = bit_packed(bytes + recipe.scales * static_cast<int>(tile_rows) * size, row + r, recipe.bits);
        } else {
          values[r][p] = recipe.constant;
        }
      });
    });
  }

  [[nodiscard]] static LUQ_DEVICE_CODE float bit_packed(const std::byte* stream, int position, int bits) {
    const int bit = position * bits;
    const int beyond = bit % 8 + bits - 8;  // bits in the next byte
    unsigned value = std::to_integer<unsigned>(stream[bit / 8]) >> (bit % 8);
    if (beyond > 0) value |= std::to_integer<unsigned>(stream[bit / 8 + 1]) << (bits - beyond);
    return static_cast<float>(value & ((1u << bits) - 1u));
  }
};

/// A packed matrix in memory that device code reads. Plain data, passed to kernels by value.
template <PlaneCodec Codec>
struct packed_planes {
  const std::byte* tiles;  ///< padded_tiles(), 16-byte aligned
  Codec codec;
  parameter_recipe parameters;
  int rows;
  int cols;
  int group;  ///< columns
  int groups;
  std::int64_t row_tile_bytes;
  int tile_bytes;                      ///< of a whole group
  const std::int32_t* stored_columns;  ///< column of each stored place, or null where the two are the same
  const std::int32_t* class_borders;   ///< columns of class 1 in each group, stored first; null with one class

  [[nodiscard]] constexpr int columns_of(int g) const { return cols - g * group < group ? cols - g * group : group; }
  [[nodiscard]] constexpr const std::byte* tile(int row_tile, int g) const {
    return tiles + row_tile * row_tile_bytes + static_cast<std::int64_t>(g) * tile_bytes;
  }
};

/// Bytes that padded_tiles() takes.
template <PlaneCodec Codec>
[[nodiscard]] index padded_tiles_bytes(const packed_matrix<Codec>& W) {
  return W.layout().row_tiles() * W.layout().row_tile_bytes(tile_rows);
}

/// The tiles of a packed matrix, each of 64 rows; missing rows hold code 0 and parameters 0.
template <PlaneCodec Codec>
[[nodiscard]] aligned_buffer<std::byte> padded_tiles(const packed_matrix<Codec>& W) {
  const auto& layout = W.layout();
  aligned_buffer<std::byte> result(static_cast<std::size_t>(padded_tiles_bytes(W)));
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
      out += layout.tile_bytes(tile_rows, k);
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
/// @throws luq::error unsupported for a matrix beyond 2^31 - 1 rows, columns or bytes of a tile, or whose tiles of a
///   group do not begin on 16 bytes (3 bits with zero points)
template <PlaneCodec Codec>
[[nodiscard]] packed_planes<Codec> describe_planes(const packed_matrix<Codec>& W) {
  const auto& layout = W.layout();
  const index group = layout.groups() == 0 ? 0 : layout.columns_of(0);
  const index tile = layout.tile_bytes(tile_rows, group);
  constexpr index most = std::numeric_limits<std::int32_t>::max() - tile_rows;
  if (W.rows() > most || W.cols() > most || tile > most) {
    fail(errc::unsupported, "packed matrix on a GPU: expected at most ", most,
         " rows, columns and bytes of a tile, got ", W.rows(), ", ", W.cols(), " and ", tile);
  }
  // Sums of a group must fit 32 bits: of levels below 2^15, and of symbols below 2^8 times parts of levels below 2^7.
  if (constexpr index most_columns = 65535; group > most_columns) {
    fail(errc::unsupported, "packed matrix on a GPU: ", W.codec().name(), ": expected groups of at most ", most_columns,
         " columns, got ", group);
  }
  if (layout.row_tile_bytes(tile_rows) % 16 != 0 || (layout.groups() > 1 && tile % 16 != 0)) {
    fail(errc::unsupported, "packed matrix on a GPU: ", W.codec().name(),
         ": expected tiles of a multiple of 16 bytes, got ", tile);
  }
  recipe_writer writer;
  W.codec().read_parameters(writer);
  return {nullptr,
          W.codec(),
          writer.recipe(),
          static_cast<int>(W.rows()),
          static_cast<int>(W.cols()),
          static_cast<int>(group),
          static_cast<int>(layout.groups()),
          layout.row_tile_bytes(tile_rows),
          static_cast<int>(tile),
          nullptr,
          nullptr};
}

}  // namespace luq::cuda

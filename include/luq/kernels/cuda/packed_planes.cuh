// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The planes and parameters of a packed matrix as device code reads them. The bytes are those of packed_matrix
// (tile_layout.hpp) but for padding, so that all tiles are alike (padded_tiles()): a last row tile of fewer than 64
// rows gets 64; what is left of a row after its words, 1 to 3 bytes, becomes a word; a tile begins with a line of 128
// bytes (4-bit codes in groups of 128 become 2 % more bytes so, and are read up to a quarter faster).
//
// A plane of a tile is a sequence of units, each a word of every row. One slot of a unit is four columns, or as many as
// the last unit had bytes before it was padded. Parameters follow: those of the first 32 rows, then those of the
// others.
//
// Kernels work by chunks: 128 columns of a group (160 of three symbols to a digit), or what is left of it. A warp has
// half a row tile, 32 rows; a lane four neighbouring rows, whose words are 16 bytes, and every fourth unit:
//
//   lane = 4 g + t      rows 4g ... 4g+3      units t, t + 4, t + 8, ... of the chunk
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

#include "luq/codecs/detail/component_form.hpp"
#include "luq/codecs/packed_matrix.hpp"
#include "luq/core/aligned_buffer.hpp"
#include "luq/core/error.hpp"
#include "luq/core/half.hpp"
#include "luq/kernels/cpu/planes/tile_parameters.hpp"
#include "luq/kernels/cuda/warp.cuh"

namespace luq::cuda {

/// Codecs that the kernels here take: those whose components are sums of symbols, or products of two bits.
template <class Codec>
concept PlaneCodec = WeightCodec<Codec> && luq::detail::has_exact_forms<Codec>;

/// The units of one row of a plane of k columns; the last may have had fewer than four bytes.
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

  struct place {
    int unit;
    int slot;
    int byte;
  };
  /// Where a column below `columns` is: the inverse of column().
  [[nodiscard]] constexpr place place_of(int column) const {
    const int whole = words() * columns_of_word;
    if (column < whole) return {column / columns_of_word, column % columns_of_word / 4, column % 4};
    return {words(), (column - whole) / tail_bytes(), (column - whole) % tail_bytes()};
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

/// The nearest number of a type.
template <class Stored>
[[nodiscard]] LUQ_DEVICE_CODE Stored rounded_to(float value) {
#ifdef __CUDA_ARCH__
  if constexpr (std::is_same_v<Stored, half>) {
    Stored result;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(result.bits) : "f"(value));
    return result;
  } else if constexpr (std::is_same_v<Stored, bfloat16>) {
    Stored result;
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(result.bits) : "f"(value));
    return result;
  }
#endif
  return static_cast<Stored>(value);
}

/// @param bytes  aligned as Stored is, in any memory
template <class Stored>
[[nodiscard]] LUQ_DEVICE_CODE Stored load(const void* bytes) {
#ifdef __CUDA_ARCH__
  return *reinterpret_cast<const Stored*>(bytes);  // memcpy can become reads of single bytes
#else
  Stored value;
  std::memcpy(&value, bytes, sizeof(Stored));
  return value;
#endif
}

/// Writes 8 or 16 bytes at once.
/// @param bytes  aligned as Stored is, in global memory
template <class Stored>
LUQ_DEVICE_CODE void store(const Stored& value, void* bytes) {
  static_assert(sizeof(Stored) == 8 || sizeof(Stored) == 16);
#ifdef __CUDA_ARCH__
  // An assignment is split into its elements here and there.
  if constexpr (sizeof(Stored) == 8) {
    const auto words = std::bit_cast<uint2>(value);
    asm volatile("st.global.v2.u32 [%0], {%1, %2};" ::"l"(bytes), "r"(words.x), "r"(words.y) : "memory");
  } else {
    const auto words = std::bit_cast<uint4>(value);
    asm volatile("st.global.v4.u32 [%0], {%1, %2, %3, %4};" ::"l"(bytes), "r"(words.x), "r"(words.y), "r"(words.z),
                 "r"(words.w)
                 : "memory");
  }
#else
  std::memcpy(bytes, &value, sizeof(Stored));
#endif
}

inline constexpr int rows_of_warp = 32;
static_assert(tile_rows == 2 * rows_of_warp);

/// Rows of one lane: four neighbours, whose words are 16 bytes.
inline constexpr int rows_of_lane = 4;

struct alignas(16) lane_words {
  std::uint32_t word[rows_of_lane];
};

/// Units of a plane that a chunk has, in fours: one for each lane of a row.
[[nodiscard]] constexpr int fours_of_chunk(int radix) {
  return radix == 2 ? 1 : radix <= 4 ? 2 : radix == 16 ? 4 : 8;
}

template <int Radix>
inline constexpr int columns_of_chunk = fours_of_chunk(Radix) * 4 * plane_units<Radix>::columns_of_word;

/// Columns of a chunk, the same for all planes of a codec.
template <PlaneCodec Codec>
inline constexpr int chunk_columns = columns_of_chunk<static_cast<int>(Codec::planes.front())>;

/// What parameters of a tile take: scales of all rows, one parameter after the other, then at most one bit-packed one.
struct parameter_sizes {
  int scales = 0;
  int scale_bytes = 0;
  int bits = 0;  ///< of the bit-packed parameter; 0 if there is none

  /// Bytes for the 32 rows of a warp, rounded up to 16.
  [[nodiscard]] constexpr int bytes_of_warp() const {
    return ((8 * scale_bytes * scales + bits) * rows_of_warp / 8 + 15) / 16 * 16;
  }
};

/// Reader (read_parameters() of WeightCodec) that reads nothing and notes what there is to read.
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

/// The most that parameters of a codec take: whether one is bit-packed or a constant can depend on the codec's options.
template <PlaneCodec Codec>
inline constexpr parameter_sizes most_parameters = measure_parameters(Codec());

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
    const int bit = row_ * static_cast<int>(Bits);
    auto of_rows = load<std::uint32_t>(next_ + bit / 32 * 4) >> (bit % 32);
    if constexpr (32 % (rows_of_lane * Bits) != 0) {
      const int beyond = bit % 32 + rows_of_lane * static_cast<int>(Bits) - 32;  // bits in the next word
      if (beyond > 0) of_rows |= load<std::uint32_t>(next_ + (bit / 32 + 1) * 4) << (32 - bit % 32);
    }
    unrolled<rows_of_lane>([&](auto r) {
      const std::uint32_t value = (of_rows >> (r * Bits)) & ((1u << Bits) - 1u);
      values[r][Codec::parameter_count - 1] = static_cast<float>(value);
    });
  }
  LUQ_DEVICE_CODE constexpr void constant(float value) {
    unrolled<rows_of_lane>([&](auto r) { values[r][Codec::parameter_count - 1] = value; });
  }

 private:
  const std::byte* next_;
  int row_;
};

/// How a tile of one group is laid out.
template <PlaneCodec Codec>
struct group_shape {
  struct plane {
    int offset;  ///< bytes from the start of the tile
    int units;
  };
  int columns;
  plane planes[Codec::planes.size()];  ///< the first at offset 0
  int parameters;                      ///< bytes from the start of the tile

  [[nodiscard]] static constexpr group_shape of(int columns) {
    group_shape shape{};
    shape.columns = columns;
    for (std::size_t p = 0; p < Codec::planes.size(); ++p) {
      const auto row_bytes = static_cast<int>(plane_row_bytes(columns, static_cast<int>(Codec::planes[p])));
      shape.planes[p] = {shape.parameters, (row_bytes + 3) / 4};
      shape.parameters += static_cast<int>(tile_rows) * 4 * shape.planes[p].units;
    }
    return shape;
  }

  /// Of a tile, whole lines of the second level of cache.
  [[nodiscard]] constexpr int bytes(const parameter_sizes& sizes) const {
    return (parameters + 2 * sizes.bytes_of_warp() + 127) / 128 * 128;
  }
};

/// A packed matrix in memory that device code reads. Plain data, passed to kernels by value.
template <PlaneCodec Codec>
struct packed_planes {
  const std::byte* tiles;  ///< padded_tiles(), aligned to 128 bytes
  Codec codec;
  int rows;
  int cols;
  int group;  ///< columns
  int groups;
  int chunks_of_group;
  int parameter_bytes;       ///< of 32 rows in a tile, a multiple of 16
  group_shape<Codec> whole;  ///< of groups
  group_shape<Codec> last;   ///< of the last group
  std::int64_t row_tile_bytes;
  int tile_bytes;                      ///< of a whole group, a multiple of 128
  const std::int32_t* stored_columns;  ///< column of each stored place, or null where the two are the same
  const std::int32_t* class_borders;   ///< columns of class 1 in each group, stored first; null with one class

  [[nodiscard]] constexpr int chunks() const { return groups * chunks_of_group; }
  [[nodiscard]] constexpr int half_tiles() const { return (rows + rows_of_warp - 1) / rows_of_warp; }
  [[nodiscard]] constexpr group_shape<Codec> shape(int g) const { return g + 1 == groups ? last : whole; }
};

/// Which chunk of which group.
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

/// Copies one plane of a tile of h rows and k columns, as it is stored, to 64 rows of words.
/// @param padded  zeros; what is missing stays so
inline void pad_plane(const std::byte* stored, index h, index k, int radix, std::byte* padded) {
  const index row_bytes = plane_row_bytes(k, radix);
  const index units = (row_bytes + 3) / 4;
  for (index unit = 0; unit < units; ++unit) {
    const index width = std::min<index>(4, row_bytes - 4 * unit);
    for (index row = 0; row < h; ++row) {
      std::memcpy(padded + (unit * tile_rows + row) * 4, stored + (4 * unit * h + row * width),
                  static_cast<std::size_t>(width));
    }
  }
}

/// Reader (read_parameters() of WeightCodec) that splits parameters of 64 rows into those of each 32.
class parameter_splitter {
 public:
  /// @param halves  of `half_bytes` bytes each
  parameter_splitter(const std::byte* bytes, std::byte* halves, int half_bytes)
      : from_(bytes), to_(halves), half_bytes_(half_bytes) {}

  template <class Stored>
  void scales(int count) {
    for (int p = 0; p < count; ++p) split(rows_of_warp * static_cast<int>(sizeof(Stored)));
  }
  template <unsigned Bits>
  void bit_packed() {
    split(rows_of_warp * static_cast<int>(Bits) / 8);
  }
  void constant(float) {}

 private:
  void split(int bytes) {
    std::memcpy(to_, from_, static_cast<std::size_t>(bytes));
    std::memcpy(to_ + half_bytes_, from_ + bytes, static_cast<std::size_t>(bytes));
    from_ += 2 * bytes;
    to_ += bytes;
  }

  const std::byte* from_;
  std::byte* to_;
  int half_bytes_;
};

/// The tiles of a packed matrix, padded.
template <PlaneCodec Codec>
[[nodiscard]] aligned_buffer<std::byte> padded_tiles(const packed_matrix<Codec>& W,
                                                     const packed_planes<Codec>& planes) {
  const auto& layout = W.layout();
  const int half_bytes = measure_parameters(W.codec()).bytes_of_warp();
  aligned_buffer<std::byte> parameters(static_cast<std::size_t>(detail::parameter_bytes(W.codec(), tile_rows)));
  aligned_buffer<std::byte> result(static_cast<std::size_t>(layout.row_tiles() * planes.row_tile_bytes));
  std::memset(result.data(), 0, result.size());
  for (index t = 0; t < layout.row_tiles(); ++t) {
    const index h = layout.rows_of(t);
    for (index g = 0; g < layout.groups(); ++g) {
      const index k = layout.columns_of(g);
      const auto shape = planes.shape(static_cast<int>(g));
      const std::byte* stored = W.tile(t, g).data();
      std::byte* const padded = result.data() + t * planes.row_tile_bytes + g * planes.tile_bytes;
      for (std::size_t p = 0; p < Codec::planes.size(); ++p) {
        const int radix = Codec::planes[p];
        pad_plane(stored, h, k, radix, padded + shape.planes[p].offset);
        stored += h * plane_row_bytes(k, radix);
      }
      luq::detail::pad_parameters<void>(W.codec(), stored, h, parameters.data());
      W.codec().read_parameters(parameter_splitter(parameters.data(), padded + shape.parameters, half_bytes));
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
/// @throws luq::error unsupported for a matrix beyond 2^28 - 65 rows or columns, or with groups so wide that bytes of a
///   tile may not fit 31 bits
template <PlaneCodec Codec>
[[nodiscard]] packed_planes<Codec> describe_planes(const packed_matrix<Codec>& W) {
  const auto& layout = W.layout();
  constexpr index most = (std::numeric_limits<std::int32_t>::max)() / 8 - tile_rows;
  const index group = layout.groups() == 0 ? 0 : layout.columns_of(0);
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

}  // namespace luq::cuda

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A weight matrix in the bytes it occupies, on disk and in memory alike:
//
//   | codes and parameters (tile_layout.hpp) | the input transform, if it has one (input_transform.hpp) |
//
// Nothing else is needed to decode it than the codec's options, the kind of transform and the two sizes, so
// bits_per_weight() is the whole truth.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "luq/codecs/coded_matrix.hpp"
#include "luq/codecs/tile_layout.hpp"
#include "luq/core/aligned_buffer.hpp"

namespace luq {

/// A packed [rows x cols] matrix that owns its bytes. With a transform T its codes are those of Q, its inputs are T x,
/// and it stands for Q T.
template <WeightCodec Codec>
class packed_matrix {
 public:
  using codec_type = Codec;

  /// Packs codes, parameters and transform.
  /// @throws luq::error shape_mismatch for a transform of another number of columns
  explicit packed_matrix(const coded_matrix<Codec>& source);

  /// Takes bytes that were packed before, e.g. read from a file.
  /// @param transform  what the bytes behind the codes stand for; null if there are none
  /// @throws luq::error corrupt_file if the number of bytes is not that of codec, shape and transform, shape_mismatch
  ///   for a transform of another number of columns
  packed_matrix(const Codec& codec, index rows, index cols, aligned_buffer<std::byte> bytes,
                shared_transform transform = nullptr);

  [[nodiscard]] const Codec& codec() const { return codec_; }
  [[nodiscard]] index rows() const { return rows_; }
  [[nodiscard]] index cols() const { return cols_; }
  [[nodiscard]] const tile_layout<Codec>& layout() const { return layout_; }
  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }

  /// T of the inputs that codes are for; null: as they are.
  [[nodiscard]] const shared_transform& transform() const { return transform_; }

  /// What a weight occupies: 8 * bytes / weights, the transform's included.
  [[nodiscard]] double bits_per_weight() const {
    return 8.0 * static_cast<double>(bytes_.size()) / (static_cast<double>(rows_) * static_cast<double>(cols_));
  }

  /// The bytes of one tile.
  [[nodiscard]] std::span<const std::byte> tile(index row_tile, index group) const {
    return std::span(bytes_).subspan(
        static_cast<std::size_t>(layout_.tile_offset(row_tile, group)),
        static_cast<std::size_t>(layout_.tile_bytes(layout_.rows_of(row_tile), layout_.columns_of(group))));
  }

  /// The parameters of one tile, [rows of the tile x parameter_count].
  [[nodiscard]] matrix tile_parameters(index row_tile, index group) const;

  /// Class of each column of a group; empty if the codec has only one class.
  [[nodiscard]] std::vector<std::uint8_t> column_classes(index group) const;

  /// Column of the matrix at each stored place; empty where the two are the same, as they are without column classes.
  [[nodiscard]] const std::vector<index>& stored_columns() const { return stored_columns_; }

  /// Columns of class 1 in a group; they are stored first.
  [[nodiscard]] index class_border(index group) const {
    return class_borders_.empty() ? 0 : class_borders_[static_cast<std::size_t>(group)];
  }

  /// Back to codes, parameters and transform, exactly those that were packed.
  [[nodiscard]] coded_matrix<Codec> unpack() const;

  /// What the code at row r, column c stands for: an element of Q. For inspection: a kernel decodes whole tiles.
  [[nodiscard]] float at(index r, index c) const;

  /// Code of row `row` of a tile at column `place` in stored order.
  [[nodiscard]] code stored_code(index row_tile, index group, index row, index place) const;

 private:
  /// Reads the column flags once, for kernels want their order at each product.
  void order_columns();

  [[nodiscard]] int stored_symbol(index row_tile, index group, index row, index place) const;

  void pack_tile(const coded_matrix<Codec>& source, const group_parameters& group, index t, index g);

  /// Bytes of codes and transform. Checks that the transform fits.
  [[nodiscard]] index expected_bytes() const;

  Codec codec_;
  index rows_;
  index cols_;
  tile_layout<Codec> layout_;
  shared_transform transform_;
  aligned_buffer<std::byte> bytes_;
  std::vector<index> stored_columns_;
  std::vector<index> class_borders_;
};

/// Packs codes and parameters into the bytes they occupy.
template <WeightCodec Codec>
[[nodiscard]] packed_matrix<Codec> pack(const coded_matrix<Codec>& source) {
  return packed_matrix<Codec>(source);
}

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/codecs/templates/packed_matrix.hpp"
#endif

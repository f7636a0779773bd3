// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What the stages of a product (product_stages.hpp) read and write: plain views, so that code which is compiled for one
// instruction set handles nothing that allocates.
#pragma once

#include <span>

#include "luq/codecs/packed_matrix.hpp"
#include "luq/core/inline.hpp"

namespace luq::detail {

/// Where a product goes.
struct product_output {
  float* data;        ///< element of token 0, row 0
  index stride;       ///< floats from token to token
  const float* bias;  ///< [rows], or null for none
  bool accumulate;    ///< add to what is there
};

/// What kernels read of a packed matrix. The matrix must outlive the view.
template <WeightCodec Codec>
class packed_view {
 public:
  explicit packed_view(const packed_matrix<Codec>& W)
      : codec_(W.codec()),
        layout_(W.layout()),
        bytes_(W.bytes().data()),
        row_tile_bytes_(W.layout().row_tile_bytes(tile_rows)) {}

  [[nodiscard]] LUQ_ALWAYS_INLINE const Codec& codec() const { return codec_; }
  [[nodiscard]] LUQ_ALWAYS_INLINE const tile_layout<Codec>& layout() const { return layout_; }
  /// The tiles of a row tile, group by group.
  [[nodiscard]] LUQ_ALWAYS_INLINE const std::byte* row_tile(index t) const { return bytes_ + t * row_tile_bytes_; }

 private:
  Codec codec_;
  tile_layout<Codec> layout_;
  const std::byte* bytes_;
  index row_tile_bytes_;
};

/// Writes sums of one row tile to its h rows of `count` tokens.
/// @param sums  [count][tile_rows]
template <class Arch>
void write_sums(const float* sums, index row_tile, index h, index first_token, index count, const product_output& Y) {
  const index first_row = row_tile * tile_rows;
  for (index t = 0; t < count; ++t, sums += tile_rows) {
    float* y = Y.data + (first_token + t) * Y.stride + first_row;
    for (index r = 0; r < h; ++r) {
      const float before = (Y.accumulate ? y[r] : 0.0f) + (Y.bias != nullptr ? Y.bias[first_row + r] : 0.0f);
      y[r] = before + sums[r];
    }
  }
}

}  // namespace luq::detail

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Activations as a kernel takes them: columns in the order in which the matrix stores them, and, for int8 products,
// each segment of a token quantized to integers of -127 ... 127 with one scale, its greatest magnitude / 127.
//
// A segment is a run of at most 256 stored columns of one group. The rounding error of an element is at most half a
// step, |x - scale q| <= scale / 2, so that of a product with a row w is at most sum_segments scale/2 sum |w|.
// Activations so small that their scale has no finite inverse become zero.
// A segment that holds a NaN or an infinity gets scale NaN: the product is then NaN instead of a plausible number.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "luq/codecs/packed_matrix.hpp"
#include "luq/core/executor.hpp"

namespace luq {

/// How a kernel takes activations.
enum class activation_mode {
  float32,  ///< as they are: the product is exact but for float rounding
  int8,     ///< quantized for each token and segment: what integer instructions multiply
};

/// Columns of one segment at most. Integer sums over a segment are exact in float lanes: components of weights reach
/// 255 and activations 127, and 255 * 127 * 256 < 2^24.
inline constexpr index activation_segment = 256;

/// Activations [tokens x in] in stored order of columns.
struct prepared_activations {
  matrix values;  ///< [tokens x in]: x itself, or the integer q
  matrix scales;  ///< [tokens x segments] for int8, else empty

  /// Segments of a matrix of `cols` columns in groups of `group`: the first of each group.
  [[nodiscard]] static index segments_before(index group_number, index group) {
    return group_number * ((group + activation_segment - 1) / activation_segment);
  }
};

namespace detail {

/// Column of the matrix at each stored place: the identity unless the codec has column classes.
template <WeightCodec Codec>
[[nodiscard]] std::vector<index> columns_in_stored_order(const packed_matrix<Codec>& W) {
  std::vector<index> columns(static_cast<std::size_t>(W.cols()));
  for (index g = 0; g < W.layout().groups(); ++g) {
    const index first = W.layout().first_column(g);
    const std::vector<index> places = stored_places(W.column_classes(g), W.layout().columns_of(g));
    for (std::size_t c = 0; c < places.size(); ++c) {
      columns[static_cast<std::size_t>(first + places[c])] = first + static_cast<index>(c);
    }
  }
  return columns;
}

/// Replaces x[0 ... count) by integers; returns the scale.
inline float quantize_segment(float* x, index count) {
  float magnitude = 0;
  float poison = 0;  // 0 while all values are finite, NaN after
  for (index c = 0; c < count; ++c) {
    magnitude = std::max(magnitude, std::abs(x[c]));
    poison += x[c] - x[c];
  }
  const float scale = magnitude / 127.0f + poison;
  const float inverse = scale > 0 ? 1.0f / scale : 0.0f;
  // The inverse of a tiny subnormal scale is infinite; such activations are zero for every purpose.
  const float factor = inverse <= std::numeric_limits<float>::max() ? inverse : 0.0f;
  for (index c = 0; c < count; ++c) x[c] = poison == 0 ? std::nearbyint(x[c] * factor) : 0.0f;
  return scale;
}

}  // namespace detail

/// Prepares X [tokens x in] for products with W.
template <WeightCodec Codec, Executor E>
[[nodiscard]] prepared_activations prepare_activations(const packed_matrix<Codec>& W, const matrix_view& X,
                                                       activation_mode mode, const E& executor) {
  const auto& layout = W.layout();
  const index group = group_size(W.codec(), W.cols());
  index segments = 0;
  if (layout.groups() > 0) {
    segments = prepared_activations::segments_before(layout.groups() - 1, group) +
               (layout.columns_of(layout.groups() - 1) + activation_segment - 1) / activation_segment;
  }
  prepared_activations result{X, matrix()};
  if (mode == activation_mode::int8) result.scales.resize(X.rows(), segments);
  std::vector<index> columns;
  if constexpr (Codec::column_classes > 1) columns = detail::columns_in_stored_order(W);

  executor.parallel_for(X.rows(), [&](index t) {
    for (std::size_t place = 0; place < columns.size(); ++place) {
      result.values(t, static_cast<index>(place)) = X(t, columns[place]);
    }
    if (mode == activation_mode::float32) return;
    for (index g = 0; g < layout.groups(); ++g) {
      for (index first = 0; first < layout.columns_of(g); first += activation_segment) {
        const index count = std::min(activation_segment, layout.columns_of(g) - first);
        const index segment = prepared_activations::segments_before(g, group) + first / activation_segment;
        float* x = &result.values(t, layout.first_column(g) + first);
        result.scales(t, segment) = detail::quantize_segment(x, count);
      }
    }
  });
  return result;
}

}  // namespace luq

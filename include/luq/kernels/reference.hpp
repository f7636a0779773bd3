// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The scalar reference of every packed product, straight from the codec's definition: what all kernels are tested
// against. Sums are in double. Far too slow for anything else.
#pragma once

#include "luq/codecs/packed_matrix.hpp"

namespace luq {

/// Y = X W^T.
/// @param W  packed [out x in]
/// @param X  [tokens x in] row-major, any stride; read only; must not alias Y
/// @param Y  [tokens x out], overwritten
template <WeightCodec Codec>
void matmul_reference(const packed_matrix<Codec>& W, const matrix_view& X, mutable_matrix_view Y) {
  LUQ_ASSERT(X.cols() == W.cols() && Y.rows() == X.rows() && Y.cols() == W.rows());
  const matrix decoded = W.unpack().decode();
  for (index t = 0; t < X.rows(); ++t) {
    for (index r = 0; r < W.rows(); ++r) {
      double sum = 0;
      for (index c = 0; c < W.cols(); ++c) sum += static_cast<double>(decoded(r, c)) * static_cast<double>(X(t, c));
      Y(t, r) = static_cast<float>(sum);
    }
  }
}

}  // namespace luq

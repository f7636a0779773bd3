// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Y = X (Q T)^T = (X T^T) Q^T: the transform is applied to a copy of the activations, the rest is matmul.hpp. In int8
// mode it is the transformed activations that are rounded, which a rotation makes easier: it spreads outliers.
#pragma once

#include "luq/codecs/transformed_matrix.hpp"
#include "luq/kernels/matmul.hpp"

namespace luq {

/// Y = X W^T, or Y += X W^T, for W = Q T [out x in]; parameters as in matmul() of packed_matrix.
template <class Arch = default_arch, WeightCodec Codec, InputTransform Transform>
void matmul(const transformed_matrix<Codec, Transform>& W, const matrix_view& X, mutable_matrix_view Y,
            const matmul_options& options = {}, executor_ref executor = {}) {
  LUQ_ASSERT(X.cols() == W.cols() && Y.rows() == X.rows() && Y.cols() == W.rows());
  matrix transformed = X;
  W.transform().transform_activations(transformed, executor);
  matmul<Arch>(W.weights(), transformed, Y, options, executor);
}

}  // namespace luq

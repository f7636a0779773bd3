// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "attention.hpp"

#include <cmath>
#include <luq/core/assert.hpp>

namespace vlm {

namespace {

/// Softmax of each row over the positions that its token sees; the others get weight zero.
void masked_softmax(attention_mask mask, luq::matrix& scores) {
  const luq::index before = scores.cols() - scores.rows();
  for (luq::index t = 0; t < scores.rows(); ++t) {
    const luq::index seen = mask == attention_mask::causal ? before + t + 1 : scores.cols();
    auto row = scores.row(t).head(seen).array();
    row = (row - row.maxCoeff()).exp();
    row /= row.sum();
    scores.row(t).tail(scores.cols() - seen).setZero();
  }
}

}  // namespace

void attend(const attention_heads& shape, attention_mask mask, const luq::matrix_view& Q, const luq::matrix_view& K,
            const luq::matrix_view& V, luq::mutable_matrix_view out, const luq::openmp_executor& executor) {
  const luq::index d = shape.head_dim;
  LUQ_ASSERT(Q.cols() == shape.heads * d && K.cols() == shape.key_value_heads * d && V.cols() == K.cols());
  LUQ_ASSERT(V.rows() == K.rows() && out.rows() == Q.rows() && out.cols() == Q.cols());
  LUQ_ASSERT(mask == attention_mask::none || K.rows() >= Q.rows());
  const float scale = 1.0f / std::sqrt(static_cast<float>(d));
  const luq::index group = shape.heads / shape.key_value_heads;
  executor.parallel_for(shape.heads, [&](luq::index head) {
    const luq::index key_value_head = head / group;
    luq::matrix scores(Q.rows(), K.rows());
    scores.noalias() = scale * Q.middleCols(head * d, d) * K.middleCols(key_value_head * d, d).transpose();
    masked_softmax(mask, scores);
    out.middleCols(head * d, d).noalias() = scores * V.middleCols(key_value_head * d, d);
  });
}

}  // namespace vlm

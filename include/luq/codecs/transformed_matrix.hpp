// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A packed matrix Q of transformed inputs, with its transform T (input_transform.hpp): it stands for the weights Q T,
// and occupies the bytes of both.
#pragma once

#include <utility>

#include "luq/codecs/input_transform.hpp"
#include "luq/codecs/packed_matrix.hpp"
#include "luq/core/error.hpp"

namespace luq {

template <WeightCodec Codec, InputTransform Transform>
class transformed_matrix {
 public:
  using codec_type = Codec;
  using transform_type = Transform;

  /// @throws luq::error shape_mismatch
  transformed_matrix(packed_matrix<Codec> weights, Transform transform)
      : weights_(std::move(weights)), transform_(std::move(transform)) {
    if (weights_.cols() != transform_.in_features()) {
      fail(errc::shape_mismatch, "transformed matrix: expected a transform of ", weights_.cols(), " columns, got ",
           transform_.in_features());
    }
  }

  /// Q, whose inputs are T x.
  [[nodiscard]] const packed_matrix<Codec>& weights() const { return weights_; }
  [[nodiscard]] const Transform& transform() const { return transform_; }
  [[nodiscard]] const Codec& codec() const { return weights_.codec(); }
  [[nodiscard]] index rows() const { return weights_.rows(); }
  [[nodiscard]] index cols() const { return weights_.cols(); }

  /// Bytes of the packed matrix and of its transform.
  [[nodiscard]] index bytes() const { return static_cast<index>(weights_.bytes().size()) + transform_.bytes(); }

  /// What a weight occupies: 8 * bytes / weights.
  [[nodiscard]] double bits_per_weight() const {
    return 8.0 * static_cast<double>(bytes()) / (static_cast<double>(rows()) * static_cast<double>(cols()));
  }

  /// Q T [rows x cols], in the original basis.
  [[nodiscard]] matrix decode(executor_ref executor = {}) const {
    matrix W = weights_.unpack().decode();
    transform_.restore_weights(W, executor);
    return W;
  }

  /// The weight at row r, column c of Q T. Decodes the whole row: for inspection and tests.
  [[nodiscard]] float at(index r, index c) const {
    LUQ_ASSERT(r >= 0 && r < rows() && c >= 0 && c < cols());
    matrix row(1, cols());
    for (index column = 0; column < cols(); ++column) row(0, column) = weights_.at(r, column);
    transform_.restore_weights(row);
    return row(0, c);
  }

 private:
  packed_matrix<Codec> weights_;
  Transform transform_;
};

}  // namespace luq

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The two normalizations of these models, each over the features of one token:
//
//   rms_norm    y = weight x / sqrt(mean(x^2) + epsilon)                   LLaMA, Qwen;  arXiv 1910.07467
//   layer_norm  y = weight (x - mean(x)) / sqrt(var(x) + epsilon) + bias   CLIP;   arXiv 1607.06450
#pragma once

#include <cmath>
#include <luq/core/matrix_view.hpp>

namespace vlm {

struct rms_norm {
  Eigen::RowVectorXf weight;  ///< one per feature
  float epsilon;              ///< > 0

  /// @param X  [tokens x features]
  [[nodiscard]] luq::matrix operator()(const luq::matrix_view& X) const {
    luq::matrix Y(X.rows(), X.cols());
    for (luq::index t = 0; t < X.rows(); ++t) {
      const float mean_square = X.row(t).squaredNorm() / static_cast<float>(X.cols());
      Y.row(t) = (X.row(t) * (1.0f / std::sqrt(mean_square + epsilon))).cwiseProduct(weight);
    }
    return Y;
  }
};

struct layer_norm {
  Eigen::RowVectorXf weight;  ///< one per feature
  Eigen::RowVectorXf bias;
  float epsilon;  ///< > 0

  /// The variance is that of the population, summed about the mean in a second pass.
  /// @param X  [tokens x features]
  [[nodiscard]] luq::matrix operator()(const luq::matrix_view& X) const {
    luq::matrix Y(X.rows(), X.cols());
    for (luq::index t = 0; t < X.rows(); ++t) {
      Y.row(t).array() = X.row(t).array() - X.row(t).mean();
      const float variance = Y.row(t).squaredNorm() / static_cast<float>(X.cols());
      Y.row(t) = (Y.row(t) * (1.0f / std::sqrt(variance + epsilon))).cwiseProduct(weight) + bias;
    }
    return Y;
  }
};

}  // namespace vlm

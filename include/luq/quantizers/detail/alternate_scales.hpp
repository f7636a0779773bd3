// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The alternation of row_column.hpp.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "luq/codecs/code_group.hpp"
#include "luq/core/matrix_view.hpp"

namespace luq::detail {

/// The alternation for one group: W [rows x columns]. Returns f with root mean square 1.
template <WeightCodec Codec>
[[nodiscard]] Eigen::ArrayXd alternate_scales(const matrix_view& W, const Eigen::ArrayXd& importance,
                                              const Codec& codec, int iterations, executor_ref executor) {
  Eigen::ArrayXd f = Eigen::ArrayXd::Ones(W.cols());
  Eigen::ArrayXd best = f;
  double least = (std::numeric_limits<double>::max)();
  matrix scaled(W.rows(), W.cols());
  for (int i = 0;; ++i) {
    scaled = (W.array().rowwise() / f.cast<float>().transpose()).matrix();
    std::vector<float> weights(static_cast<std::size_t>(W.cols()));
    for (index c = 0; c < W.cols(); ++c)
      weights[static_cast<std::size_t>(c)] = static_cast<float>(importance[c] * f[c] * f[c]);
    const coded_group group = code_group(codec, scaled, weights, executor);
    Eigen::ArrayXd w_q = Eigen::ArrayXd::Zero(W.cols());
    Eigen::ArrayXd q_q = Eigen::ArrayXd::Zero(W.cols());
    double error = 0;
    for (index r = 0; r < W.rows(); ++r) {
      for (index c = 0; c < W.cols(); ++c) {
        const auto w = static_cast<double>(W(r, c));
        const auto q = static_cast<double>(
            decode_weight(codec, group.codes(r, c), group.parameters.row(r), group.parameters.class_of(c)));
        w_q[c] += w * q;
        q_q[c] += q * q;
        error += importance[c] * (w - f[c] * q) * (w - f[c] * q);
      }
    }
    if (error < least) {
      least = error;
      best = f;
    }
    if (i == iterations) return best;
    for (index c = 0; c < W.cols(); ++c) {
      if (w_q[c] > 0) f[c] = w_q[c] / q_q[c];  // else nothing is known of this column
    }
    f /= std::sqrt(f.square().mean());                                      // the codec's scales take the common factor
    for (double& factor : f) factor = std::clamp(factor, 0x1p-12, 0x1p12);  // fp16 keeps full precision in this range
  }
}

}  // namespace luq::detail

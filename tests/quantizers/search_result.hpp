// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What tests of searches look at: decoded weights, and the error that the searches lower.
#pragma once

#include "linear_problem.hpp"
#include "quantize_problem.hpp"

namespace luq_test {

template <class Codec, class Quantizer>
luq::matrix decoded(const linear_problem& problem, const Codec& codec, const Quantizer& quantizer) {
  return quantize_codes(problem.W, problem.H, codec, quantizer).decode();
}

/// tr(E (H + damp mean(diag H) I) E^T), E = W - Q, in double.
inline double damped_error(const linear_problem& problem, const luq::matrix& Q, double damp = 0.01) {
  Eigen::MatrixXd H = problem.H.cast<double>();
  H.diagonal().array() += damp * H.diagonal().mean();
  const Eigen::MatrixXd E = (problem.W - Q).cast<double>();
  return (E * H * E.transpose()).trace();
}

/// Of one row.
inline double damped_row_error(const linear_problem& problem, const luq::matrix& Q, luq::index row) {
  linear_problem single = problem;
  single.W = problem.W.row(row);
  return damped_error(single, Q.row(row));
}

}  // namespace luq_test

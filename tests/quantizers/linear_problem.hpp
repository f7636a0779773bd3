// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A random linear with correlated inputs of very different size, as a transformer has them: on white inputs column
// feedback has nothing to do, and a test on them would not notice its absence.
#pragma once

#include <cmath>
#include <cstdint>

#include "luq/core/matrix_view.hpp"
#include "luq/core/random_matrix.hpp"

namespace luq_test {

struct linear_problem {
  luq::matrix W;  // [out x in]
  luq::matrix X;  // [tokens x in]
  luq::matrix H;  // [in x in] = X^T X / tokens
};

inline linear_problem make_linear_problem(luq::index out, luq::index in, luq::index tokens, std::uint64_t seed) {
  linear_problem problem;
  problem.W = luq::random_normal_matrix(out, in, luq::counter_rng(seed, 1));
  const luq::matrix noise = luq::random_normal_matrix(tokens, in, luq::counter_rng(seed, 2));
  problem.X.resize(tokens, in);
  for (luq::index t = 0; t < tokens; ++t) {
    float previous = 0;
    for (luq::index c = 0; c < in; ++c) {
      previous = 0.9f * previous + std::sqrt(1 - 0.9f * 0.9f) * noise(t, c);
      problem.X(t, c) = previous * (c % 17 == 3 ? 8.0f : 1.0f);
    }
  }
  problem.H = problem.X.transpose() * problem.X / static_cast<float>(tokens);
  return problem;
}

/// ||(W - Q) X^T||^2 / ||W X^T||^2 from the activations themselves, in double.
inline double measured_output_error(const linear_problem& problem, const luq::matrix& Q) {
  const Eigen::MatrixXd X = problem.X.cast<double>();
  const Eigen::MatrixXd W = problem.W.cast<double>();
  return (X * (W - Q.cast<double>()).transpose()).squaredNorm() / (X * W.transpose()).squaredNorm();
}

}  // namespace luq_test

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Random products with packed matrices, and whether outputs are what they should be.
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <luq/core/random_matrix.hpp>

#include "codecs/random_coded_matrix.hpp"
#include "kernels/cuda/product_bound.hpp"

namespace luq_test {

/// Weights, activations and what their product should be.
template <class Codec>
struct problem {
  luq::packed_matrix<Codec> W;
  weights_and_terms weights;
  luq::matrix X;
  luq::matrix bias;
  luq::basic_matrix<double> expected;
};

template <class Codec>
problem<Codec> random_problem(const Codec& codec, luq::index rows, luq::index cols, luq::index tokens) {
  const auto seed = static_cast<std::uint64_t>(rows * 1000003 + cols * 101 + tokens);
  const auto coded = random_coded_matrix(codec, rows, cols, seed);
  problem<Codec> result{luq::packed_matrix<Codec>(coded),
                        weights_of(coded),
                        luq::random_normal_matrix(tokens, cols, luq::counter_rng(seed + 1)),
                        luq::random_normal_matrix(1, rows, luq::counter_rng(seed + 2)),
                        {}};
  result.expected = exact_product(result.weights.W, result.X, result.bias);
  return result;
}

template <luq::cuda::activation_bits Bits, class Codec>
void check(const problem<Codec>& of, const luq::matrix& Y) {
  CAPTURE(luq::codec_name(of.W.codec()));
  CAPTURE(of.W.rows());
  CAPTURE(of.W.cols());
  CAPTURE(of.X.rows());
  const luq::index group = luq::group_size(of.W.codec(), of.W.cols());
  luq::index wrong = 0;
  for (luq::index t = 0; t < Y.rows(); ++t) {
    for (luq::index r = 0; r < Y.cols(); ++r) {
      const double difference = std::abs(static_cast<double>(Y(t, r)) - of.expected(t, r));
      if (!(difference <= product_error_bound<Bits>(of.weights, of.X, group, r, t))) ++wrong;
    }
  }
  CHECK(wrong == 0);
}

}  // namespace luq_test

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "engine/attention.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <luq/core/random_matrix.hpp>
#include <vector>

using vlm::attention_heads;
using vlm::attention_mask;

namespace {

/// One output in double, straight from the definition.
double expected_attention(const attention_heads& shape, attention_mask mask, const luq::matrix& Q, const luq::matrix& K,
                          const luq::matrix& V, luq::index t, luq::index column) {
  const luq::index head = column / shape.head_dim;
  const luq::index first = head / (shape.heads / shape.key_value_heads) * shape.head_dim;
  const luq::index seen = mask == attention_mask::causal ? K.rows() - Q.rows() + t + 1 : K.rows();
  double total = 0;
  double sum = 0;
  for (luq::index s = 0; s < seen; ++s) {
    double score = 0;
    for (luq::index i = 0; i < shape.head_dim; ++i) {
      score += static_cast<double>(Q(t, head * shape.head_dim + i)) * static_cast<double>(K(s, first + i));
    }
    const double weight = std::exp(score / std::sqrt(static_cast<double>(shape.head_dim)));
    total += weight;
    sum += weight * static_cast<double>(V(s, first + column % shape.head_dim));
  }
  return sum / total;
}

}  // namespace

TEST_CASE("attention agrees with its definition for every grouping, mask and number of positions") {
  const attention_heads shapes[] = {{4, 4, 8}, {4, 2, 8}, {6, 2, 5}, {3, 1, 16}, {1, 1, 2}};
  for (const attention_heads& shape : shapes) {
    for (const attention_mask mask : {attention_mask::none, attention_mask::causal}) {
      for (const luq::index tokens : {1, 2, 7}) {
        for (const luq::index before : {0, 1, 12}) {
          const luq::index positions = tokens + before;
          const luq::matrix Q = luq::random_normal_matrix(tokens, shape.heads * shape.head_dim, luq::counter_rng(1));
          const luq::index width = shape.key_value_heads * shape.head_dim;
          const luq::matrix K = luq::random_normal_matrix(positions, width, luq::counter_rng(2));
          const luq::matrix V = luq::random_normal_matrix(positions, width, luq::counter_rng(3));
          luq::matrix out(tokens, Q.cols());
          vlm::attend(shape, mask, Q, K, V, out);
          luq::matrix threaded(tokens, Q.cols());
          vlm::attend(shape, mask, Q, K, V, threaded, {.threads = 2});
          CHECK(threaded == out);
          double worst = 0;
          for (luq::index t = 0; t < tokens; ++t) {
            for (luq::index c = 0; c < out.cols(); ++c) {
              worst = std::max(
                  worst, std::abs(static_cast<double>(out(t, c)) - expected_attention(shape, mask, Q, K, V, t, c)));
            }
          }
          CAPTURE(shape.heads);
          CAPTURE(tokens);
          CAPTURE(before);
          CHECK(worst < 5e-6);
        }
      }
    }
  }
}

TEST_CASE("scores beyond the range of exp do no harm") {
  luq::matrix Q = luq::matrix::Constant(2, 2, 1000.0f);
  luq::matrix K(2, 2);
  K << 1000, 1000, -1000, -1000;
  luq::matrix V(2, 2);
  V << 1, 2, 3, 4;
  luq::matrix out(2, 2);
  vlm::attend({1, 1, 2}, attention_mask::none, Q, K, V, out);
  CHECK(out.row(0) == V.row(0));
  CHECK(out.row(1) == V.row(0));
}

TEST_CASE("what lies after a token does not touch its output, not even a NaN") {
  const luq::matrix Q = luq::random_normal_matrix(3, 4, luq::counter_rng(4));
  luq::matrix K = luq::random_normal_matrix(3, 4, luq::counter_rng(5));
  const luq::matrix V = luq::random_normal_matrix(3, 4, luq::counter_rng(6));
  luq::matrix before(3, 4);
  luq::matrix after(3, 4);
  vlm::attend({1, 1, 4}, attention_mask::causal, Q, K, V, before);
  K.row(2).setConstant(std::nanf(""));
  vlm::attend({1, 1, 4}, attention_mask::causal, Q, K, V, after);
  CHECK(after.topRows(2) == before.topRows(2));
  CHECK(!after.row(2).allFinite());
}

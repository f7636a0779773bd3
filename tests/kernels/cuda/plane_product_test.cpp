// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The CUDA product on an emulated warp: what each lane reads, what instructions make of it and where it goes.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <luq/codecs/billm_codec.hpp>
#include <luq/codecs/int_codec.hpp>
#include <luq/codecs/lut2_codec.hpp>
#include <luq/codecs/sign_codec.hpp>
#include <luq/codecs/ternary_codec.hpp>
#include <luq/core/random.hpp>
#include "codecs/random_coded_matrix.hpp"
#include "kernels/cuda/emulated_product.hpp"
#include "kernels/cuda/product_bound.hpp"

using luq::cuda::activation_bits;

namespace {

template <activation_bits Bits, int Tiles, class Codec>
void check(const Codec& codec, luq::index rows, luq::index cols, luq::index tokens, int warps) {
  CAPTURE(codec.name());
  CAPTURE(rows);
  CAPTURE(cols);
  CAPTURE(tokens);
  const auto seed = static_cast<std::uint64_t>(rows * 1000003 + cols * 101 + tokens);
  const auto coded = luq_test::random_coded_matrix(codec, rows, cols, seed);
  const auto weights = luq_test::weights_of(coded);
  const luq::matrix X = luq::random_normal_matrix(tokens, cols, luq::counter_rng(seed + 1));
  const luq::matrix bias = luq::random_normal_matrix(1, rows, luq::counter_rng(seed + 2));
  const auto expected = luq_test::exact_product(weights.W, X, bias);
  const luq::matrix Y =
      luq_test::emulated_product<Bits, Tiles>(luq::packed_matrix<Codec>(coded), X, warps, bias.data());
  const luq::index group = luq::group_size(codec, cols);
  luq::index wrong = 0;
  for (luq::index t = 0; t < tokens; ++t) {
    for (luq::index r = 0; r < rows; ++r) {
      const double difference = std::abs(static_cast<double>(Y(t, r)) - expected(t, r));
      if (!(difference <= luq_test::product_error_bound<Bits>(weights, X, group, r, t))) ++wrong;
    }
  }
  CHECK(wrong == 0);
}

template <class Codec>
void check_codec(const Codec& codec) {
  check<activation_bits::sixteen, 1>(codec, 64, 256, 1, 2);
  check<activation_bits::sixteen, 1>(codec, 70, 300, 3, 4);  // a ragged row tile and a ragged group
  check<activation_bits::sixteen, 2>(codec, 33, 129, 7, 1);  // a group of one column
  check<activation_bits::eight, 1>(codec, 96, 256, 8, 3);
  check<activation_bits::eight, 4>(codec, 65, 391, 37, 2);
}

}  // namespace

TEST_CASE("products of every codec of planes, within what rounding of activations allows") {
  check_codec(luq::sign_codec{.group = 128});
  check_codec(luq::int_codec<2>{.group = 128});
  check_codec(luq::int_codec<4>{.group = 128});
  check_codec(luq::int_codec<4>{.group = 64, .symmetric = true});
  check_codec(luq::int_codec<3>{.group = 128, .symmetric = true});
  check_codec(luq::int_codec<8>{.group = 128});
  check_codec(luq::ternary_codec{.group = 128});
  check_codec(luq::lut2_codec{.group = 128});
  check_codec(luq::billm_codec{.group = 128});
}

TEST_CASE("groups of every width") {
  for (const luq::index group : {1, 2, 3, 5, 8, 31, 32, 33, 40, 127, 200}) {
    check<activation_bits::sixteen, 1>(luq::sign_codec{.group = group}, 40, 203, 2, 2);
    check<activation_bits::sixteen, 1>(luq::ternary_codec{.group = group}, 40, 203, 2, 2);
    check<activation_bits::sixteen, 1>(luq::lut2_codec{.group = group}, 40, 203, 2, 2);
  }
}

TEST_CASE("a token with an activation that is no finite number has no finite outputs, and no other token has that") {
  const luq::packed_matrix<luq::sign_codec> W(luq_test::random_coded_matrix(luq::sign_codec{.group = 64}, 40, 130, 3));
  luq::matrix X = luq::random_normal_matrix(3, 130, luq::counter_rng(4));
  const luq::matrix clean = luq_test::emulated_product<activation_bits::sixteen, 1>(W, X, 2);
  X(0, 129) = std::numeric_limits<float>::quiet_NaN();
  X(2, 5) = -std::numeric_limits<float>::infinity();
  const luq::matrix Y = luq_test::emulated_product<activation_bits::sixteen, 1>(W, X, 2);
  CHECK(Y.row(0).array().isNaN().all());
  CHECK(Y.row(1) == clean.row(1));
  CHECK(Y.row(2).array().isNaN().all());
}

TEST_CASE("activations of zero and of next to zero") {
  const luq::packed_matrix<luq::sign_codec> W(luq_test::random_coded_matrix(luq::sign_codec{.group = 64}, 40, 130, 3));
  luq::matrix X = luq::matrix::Zero(2, 130);
  X(1, 7) = std::numeric_limits<float>::denorm_min();
  const luq::matrix bias = luq::matrix::Constant(1, 40, 2.5f);
  const luq::matrix Y = luq_test::emulated_product<activation_bits::sixteen, 1>(W, X, 2, bias.data());
  CHECK((Y.array() == 2.5f).all());
}

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The CUDA product of many tokens on emulated warps.
#include <doctest/doctest.h>

#include <luq/codecs/int_codec.hpp>

#include "kernels/cuda/emulated_product.hpp"
#include "kernels/cuda/plane_codec_list.hpp"
#include "kernels/cuda/product_problem.hpp"

using luq::cuda::activation_bits;

namespace {

template <activation_bits Bits, class Codec>
void check_prefill(const Codec& codec, luq::index rows, luq::index cols, luq::index tokens) {
  const auto of = luq_test::random_problem(codec, rows, cols, tokens);
  luq_test::check<Bits>(of, luq_test::emulated_prefill<Bits>(of.W, of.X, of.bias.data()));
}

template <class Codec>
void check_prefill(const Codec& codec) {
  check_prefill<activation_bits::eight>(codec, 200, 391, 37);
  check_prefill<activation_bits::sixteen>(codec, 65, 256, 70);
}

}  // namespace

TEST_CASE("many tokens, every codec of planes, within what rounding of activations allows") {
  luq_test::for_representative_plane_codecs(128, [](const auto& codec) { check_prefill(codec); });
}

TEST_CASE("the greatest sums of 8-bit levels that a chunk can have") {
  // Codes of 255 and activations of one value: 128 * 255 * 127 is just below what sums that are floats can hold.
  const luq::int_codec<8> codec{.group = 128};
  luq::coded_matrix<luq::int_codec<8>> coded = luq_test::random_coded_matrix(codec, 40, 256, 7);
  coded.codes.setConstant(255);
  const luq::packed_matrix<luq::int_codec<8>> W(coded);
  const luq_test::weights_and_terms weights = luq_test::weights_of(coded);
  for (const float value : {1.0f, -1.0f}) {
    const luq::matrix X = luq::matrix::Constant(20, 256, value);
    const luq::matrix bias = luq::matrix::Zero(1, 40);
    const auto expected = luq_test::exact_product(weights.W, X, bias);
    const luq::matrix Y = luq_test::emulated_prefill<activation_bits::eight>(W, X);
    CHECK((Y.cast<double>() - expected).norm() <= 1e-5 * expected.norm());
  }
}

TEST_CASE("groups of every width") {
  for (const luq::index group : {1, 3, 8, 33, 127, 129, 300, 391}) {
    check_prefill<activation_bits::sixteen>(luq::int_codec<4>{.group = group}, 40, 391, 18);
  }
}

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The CUDA product of few tokens on emulated warps: what each lane reads, what instructions make of it, where it goes.
#include <doctest/doctest.h>

#include <limits>
#include <luq/codecs/billm_codec.hpp>
#include <luq/codecs/binary_coding_codec.hpp>
#include <luq/codecs/int_codec.hpp>
#include <luq/codecs/sign_codec.hpp>
#include <luq/codecs/ternary_codec.hpp>
#include <luq/core/random_matrix.hpp>
#include <type_traits>

#include "codecs/base_five.hpp"
#include "kernels/cuda/emulated_product.hpp"
#include "kernels/cuda/plane_codec_list.hpp"
#include "kernels/cuda/product_problem.hpp"
#include "luq/codecs/templates/coded_matrix.hpp"
#include "luq/codecs/templates/packed_matrix.hpp"

using luq::cuda::activation_bits;
using luq::cuda::detail::arithmetic;

namespace {

template <activation_bits Bits, arithmetic Arithmetic, int Tokens, int Halves = 1, class Codec>
void check_decode(const Codec& codec, luq::index rows, luq::index cols, luq::index tokens, int warps) {
  const auto of = luq_test::random_problem(codec, rows, cols, tokens);
  luq_test::check<Bits>(of,
                        luq_test::emulated_decode<Bits, Arithmetic, Tokens, Halves>(of.W, of.X, warps, of.bias.data()));
}

template <class Codec>
void check_bytes(const Codec& codec) {
  check_decode<activation_bits::sixteen, arithmetic::bytes, 4>(codec, 64, 256, 1, 2);
  check_decode<activation_bits::sixteen, arithmetic::bytes, 4, 2>(codec, 70, 300, 3, 4);  // ragged rows, a ragged group
  check_decode<activation_bits::sixteen, arithmetic::bytes, 8>(codec, 33, 129, 7, 1);     // a group of one column
  check_decode<activation_bits::eight, arithmetic::bytes, 8>(codec, 96, 1024, 8, 3);      // the ring goes round
  check_decode<activation_bits::eight, arithmetic::bytes, 8>(codec, 40, 391, 11, 2);
}

template <class Codec>
void check_bits(const Codec& codec) {
  check_decode<activation_bits::sixteen, arithmetic::bit_serial, 1>(codec, 64, 256, 1, 2);
  check_decode<activation_bits::sixteen, arithmetic::bit_serial, 2, 2>(codec, 70, 300, 3, 4);
  check_decode<activation_bits::sixteen, arithmetic::bit_serial, 4>(codec, 33, 129, 7, 1);
  check_decode<activation_bits::eight, arithmetic::bit_serial, 8>(codec, 96, 1024, 8, 3);
  check_decode<activation_bits::eight, arithmetic::bit_serial, 1>(codec, 40, 391, 1, 2);
}

}  // namespace

TEST_CASE("few tokens, every codec of planes, within what rounding of activations allows") {
  luq_test::for_representative_plane_codecs(128, [](const auto& codec) {
    if constexpr (!luq::detail::has_symbol_products<std::decay_t<decltype(codec)>>) check_bytes(codec);
  });
  check_bytes(luq_test::base_five_codec{.group = 128});  // a radix that luq does not have
#ifndef LUQ_TEST_REPRESENTATIVE_CODECS
  check_bytes(luq::int_codec<4>{.group = 64, .symmetric = true});
#endif
}

TEST_CASE("few tokens, planes of bits with bits of activations") {
  luq_test::for_representative_plane_codecs(128, [](const auto& codec) {
    if constexpr (luq::detail::has_only_bit_planes<std::decay_t<decltype(codec)>>) check_bits(codec);
  });
#ifndef LUQ_TEST_REPRESENTATIVE_CODECS
  check_bits(luq::basic_sign_codec<float>{.group = 128});
#endif
}

TEST_CASE("groups of every width, of one chunk and of several") {
  for (const luq::index group : {1, 2, 3, 5, 8, 31, 32, 33, 40, 127, 129, 200, 300, 391}) {
    constexpr auto sixteen = activation_bits::sixteen;
    check_decode<sixteen, arithmetic::bytes, 4>(luq::sign_codec{.group = group}, 40, 391, 2, 2);
    check_decode<sixteen, arithmetic::bytes, 4>(luq::ternary_codec{.group = group}, 40, 391, 2, 2);
    check_decode<sixteen, arithmetic::bytes, 4>(luq::int_codec<3>{.group = group}, 40, 391, 2, 2);
    check_decode<sixteen, arithmetic::bit_serial, 2>(luq::binary_coding_codec{.group = group}, 40, 391, 2, 2);
    check_decode<sixteen, arithmetic::bit_serial, 2>(luq::billm_codec{.group = group}, 40, 391, 2, 2);
  }
}

TEST_CASE("a token with an activation that is no finite number has no finite outputs, and no other token has that") {
  const luq::packed_matrix<luq::sign_codec> W(luq_test::random_coded_matrix(luq::sign_codec{.group = 64}, 40, 130, 3));
  luq::matrix X = luq::random_normal_matrix(3, 130, luq::counter_rng(4));
  const auto check = [&](const auto& multiply) {
    const luq::matrix clean = multiply();
    const luq::matrix finite = X;
    X(0, 129) = std::numeric_limits<float>::quiet_NaN();
    X(2, 5) = -std::numeric_limits<float>::infinity();
    const luq::matrix Y = multiply();
    CHECK(Y.row(0).array().isNaN().all());
    CHECK(Y.row(1) == clean.row(1));
    CHECK(Y.row(2).array().isNaN().all());
    X = finite;
  };
  constexpr auto sixteen = activation_bits::sixteen;
  check([&] { return luq_test::emulated_decode<sixteen, arithmetic::bit_serial, 1>(W, X, 2); });
  check([&] { return luq_test::emulated_decode<sixteen, arithmetic::bytes, 4>(W, X, 2); });
  check([&] { return luq_test::emulated_decode<activation_bits::eight, arithmetic::bytes, 8>(W, X, 2); });
}

TEST_CASE("activations of zero and of next to zero") {
  const luq::packed_matrix<luq::sign_codec> W(luq_test::random_coded_matrix(luq::sign_codec{.group = 64}, 40, 130, 3));
  luq::matrix X = luq::matrix::Zero(2, 130);
  X(1, 7) = std::numeric_limits<float>::denorm_min();
  const luq::matrix bias = luq::matrix::Constant(1, 40, 2.5f);
  const luq::matrix Y =
      luq_test::emulated_decode<activation_bits::sixteen, arithmetic::bit_serial, 1>(W, X, 2, bias.data());
  CHECK((Y.array() == 2.5f).all());
}

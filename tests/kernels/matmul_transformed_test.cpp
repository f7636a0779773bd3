// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/kernels/matmul.hpp"

#include <doctest/doctest.h>

#include <array>
#include <memory>
#include <type_traits>
#include <vector>

#include "luq/codecs/hadamard_rotation.hpp"
#include "luq/codecs/input_scaling.hpp"
#include "luq/core/openmp_executor.hpp"
#include "luq/core/random_matrix.hpp"
#include "luq/kernels/any_matmul.hpp"
#include "luq/kernels/reference.hpp"
#include "packed_product.hpp"

using luq::matrix;

namespace {

/// Calls check(W) for one transformed matrix of each codec and transform.
template <class Check>
void for_each_transformed(luq::index rows, luq::index cols, Check&& check) {
  std::vector<float> factors;
  for (luq::index c = 0; c < cols; ++c) factors.push_back(0.25f + static_cast<float>(c % 13) / 8.0f);
  luq_test::for_each_codec(32, [&](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    auto coded = luq_test::random_coded_matrix(codec, rows, cols, 1);
    coded.transform = std::make_shared<const luq::input_scaling>(factors);
    check(luq::pack(coded));
    coded.transform = std::make_shared<const luq::hadamard_rotation>(cols, luq::rotation_options{.seed = 2});
    check(luq::pack(coded));
  });
}

/// ||Y - X W^T|| / ||X W^T|| with the weights decoded in the original basis.
double error_against_decoded(const matrix& Y, const matrix& X, const matrix& W) {
  return luq_test::relative_error(Y, luq_test::double_product(X.cast<double>(), W.cast<double>()));
}

}  // namespace

TEST_CASE("products are those with the weights decoded in the original basis") {
  for (const auto& shape : {std::array<luq::index, 3>{1, 1, 1}, {5, 64, 3}, {70, 96, 9}, {64, 258, 1}, {130, 75, 4}}) {
    const luq::index rows = shape[0];
    const luq::index cols = shape[1];
    const luq::index tokens = shape[2];
    CAPTURE(rows);
    CAPTURE(cols);
    const matrix X = luq::random_normal_matrix(tokens, cols, luq::counter_rng(3));
    for_each_transformed(rows, cols, [&](const auto& W) {
      CAPTURE(W.transform()->name());
      const matrix decoded = W.unpack().decode();
      matrix Y = matrix::Constant(tokens, rows, luq_test::not_a_number);
      luq::matmul(W, X, Y);
      CHECK(error_against_decoded(Y, X, decoded) < 1e-5);
      matrix twice = Y;
      luq::matmul(W, X, twice, {.accumulate = true});
      CHECK((twice - 2 * Y).norm() <= 1e-6f * Y.norm());
      Y.setConstant(luq_test::not_a_number);
      luq::matmul(W, X, Y, {.activations = luq::activation_mode::int8});
      CHECK(error_against_decoded(Y, X, decoded) < 2e-2);
      Y.setConstant(luq_test::not_a_number);
      luq::matmul_reference(W, X, Y);
      CHECK(error_against_decoded(Y, X, decoded) < 1e-6);
    });
  }
}

TEST_CASE("products of a codec that is chosen at run time, with a bias, are those of the codec") {
  const matrix X = luq::random_normal_matrix(5, 96, luq::counter_rng(8));
  const matrix bias = luq::random_normal_matrix(1, 70, luq::counter_rng(9));
  for_each_transformed(70, 96, [&](const auto& W) {
    CAPTURE(W.transform()->name());
    const matrix decoded = W.unpack().decode();
    for (const auto mode : {luq::activation_mode::float32, luq::activation_mode::int8}) {
      matrix Y(5, 70);
      luq::matmul(luq::any_packed_matrix(W), X, Y, {.activations = mode, .bias = bias.data()});
      Y.rowwise() -= bias.row(0);
      CHECK(error_against_decoded(Y, X, decoded) < (mode == luq::activation_mode::float32 ? 1e-5 : 2e-2));
    }
  });
}

TEST_CASE("rotation makes int8 activations with an outlier more exact") {
  const luq::index cols = 256;
  matrix X = luq::random_normal_matrix(16, cols, luq::counter_rng(4));
  X.col(17) *= 100.0f;
  const matrix W = luq::random_normal_matrix(64, cols, luq::counter_rng(5));
  const luq::int_codec<8> codec{.group = 128};
  const auto error_with = [&](const auto& transform) {
    matrix turned = W;
    transform.transform_weights(turned);
    luq::coded_matrix<luq::int_codec<8>> coded(codec, 64, cols);
    for (luq::index g = 0; g < 2; ++g) {
      const luq::coded_group group = luq::code_group(codec, turned.middleCols(128 * g, 128), {});
      coded.codes.middleCols(128 * g, 128) = group.codes;
      coded.groups[static_cast<std::size_t>(g)] = group.parameters;
    }
    coded.transform = std::make_shared<const std::decay_t<decltype(transform)>>(transform);
    const luq::packed_matrix packed = luq::pack(coded);
    // What the outlier leaves of the other columns: outputs without its share.
    matrix Y(16, 64);
    luq::matmul(packed, X, Y, {.activations = luq::activation_mode::int8});
    matrix exact(16, 64);
    luq::matmul(packed, X, exact);
    return (Y - exact).norm();
  };
  CHECK(error_with(luq::hadamard_rotation(cols)) < 0.5f * error_with(luq::input_scaling(cols)));
}

TEST_CASE("products are the same bits for any number of threads") {
  const matrix X = luq::random_normal_matrix(7, 160, luq::counter_rng(6));
  for_each_transformed(130, 160, [&](const auto& W) {
    matrix serial(7, 130);
    luq::matmul(W, X, serial);
    for (const int threads : {1, 2, 3}) {
      matrix parallel(7, 130);
      luq::matmul(W, X, parallel, {}, luq::openmp_executor{.threads = threads});
      CHECK(parallel == serial);
    }
  });
}

TEST_CASE("a NaN in any column spoils every output of its token and of no other") {
  for_each_transformed(40, 48, [&](const auto& W) {
    const matrix X = luq::random_normal_matrix(3, 48, luq::counter_rng(7));
    for (const auto mode : {luq::activation_mode::float32, luq::activation_mode::int8}) {
      matrix clean(3, 40);
      luq::matmul(W, X, clean, {.activations = mode});
      for (const luq::index c : {0, 13, 47}) {
        matrix spoilt = X;
        spoilt(1, c) = luq_test::not_a_number;
        matrix Y(3, 40);
        luq::matmul(W, spoilt, Y, {.activations = mode});
        CHECK(Y.row(1).array().isNaN().all());
        CHECK(Y.row(0) == clean.row(0));
        CHECK(Y.row(2) == clean.row(2));
      }
    }
  });
}

TEST_CASE("no token is no work") {
  for_each_transformed(5, 64, [&](const auto& W) {
    matrix Y(0, 5);
    luq::matmul(W, matrix(0, 64), Y);
    CHECK(Y.size() == 0);
  });
}

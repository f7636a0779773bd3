// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <luq/core/random_matrix.hpp>
#include <luq/estimators/cuda/device_hessian.cuh>
#include <random>
#include <vector>

#include "device_test_support.hpp"
#include "estimators/cuda/blas_handle.hpp"

namespace {

/// n floats of sums: n 2^-24 of the sum of magnitudes, on either side.
void check_equal(const luq::hessian& of_device, const luq::hessian& of_host, const luq::matrix& X, double weight) {
  REQUIRE(of_device.tokens() == of_host.tokens());
  CHECK(of_device.total_weight() == doctest::Approx(of_host.total_weight()));
  const auto difference = (of_device.matrix() - of_host.matrix()).cwiseAbs().eval();
  const auto magnitudes = (X.cwiseAbs().transpose() * X.cwiseAbs()).eval();
  const double unit = static_cast<double>(X.rows() + 256) * 0x1p-24 * 2 / weight;
  luq::index wrong = 0;
  for (luq::index i = 0; i < difference.size(); ++i) {
    if (!(difference.data()[i] <= unit * magnitudes.data()[i] + 1e-12)) ++wrong;
  }
  CHECK(wrong == 0);
}

template <class Stored>
void check(luq::index tokens, luq::index in) {
  std::random_device seeds;
  const auto seed = seeds();
  CAPTURE(seed);
  const luq_test::device_stream order;
  const luq_test::blas_handle blas(order);
  const auto values = luq_test::stored<Stored>(luq::random_normal_matrix(tokens, in, luq::counter_rng(seed)));
  const luq::matrix X = luq_test::as_floats(values, tokens, in);
  const auto device_X = luq_test::on_device(values, order);

  luq::cuda::device_hessian plain(in, order);
  luq::hessian host_plain(in);
  plain.add(blas, device_X.data(), tokens, in);
  host_plain.add(X);
  check_equal(plain.host(), host_plain, X, static_cast<double>(tokens));

  std::vector<float> lambda(static_cast<std::size_t>(tokens), 0.5f);
  lambda.front() = 0;
  luq::cuda::device_hessian weighted(in, order);
  luq::hessian host_weighted(in);
  weighted.add(blas, device_X.data(), tokens, in, lambda);
  host_weighted.add(X, lambda);
  check_equal(weighted.host(), host_weighted, X, 0.5 * static_cast<double>(tokens - 1));
}

}  // namespace

TEST_CASE("Hessians of activations on a GPU are the host's") {
  if (!luq_test::has_device()) return;
  check<float>(1000, 96);
  check<luq::half>(777, 130);
  check<luq::bfloat16>(4096, 256);
}

TEST_CASE("activations that are no finite numbers are found when the sum is fetched") {
  if (!luq_test::has_device()) return;
  const luq_test::device_stream order;
  const luq_test::blas_handle blas(order);
  const auto X = luq_test::on_device(std::vector<float>{1, 2, std::numeric_limits<float>::quiet_NaN(), 4}, order);
  luq::cuda::device_hessian H(2, order);
  H.add(blas, X.data(), 2, 2);
  CHECK_THROWS_AS(static_cast<void>(H.host()), luq::error);
}

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <luq/core/random_matrix.hpp>
#include <luq/estimators/cuda/kmeans_assignment.cuh>
#include <random>
#include <vector>

#include "device_test_support.hpp"
#include "estimators/cuda/blas_handle.hpp"

namespace {

template <class Stored>
void check(luq::index tokens, luq::index width, luq::index clusters) {
  std::random_device seeds;
  const auto seed = seeds();
  CAPTURE(seed);
  const luq_test::device_stream order;
  const luq_test::blas_handle blas(order);
  luq::matrix far = luq::random_normal_matrix(tokens, width, luq::counter_rng(seed));
  far.array() += 3.0f;
  const auto values = luq_test::stored<Stored>(far);
  const luq::matrix X = luq_test::as_floats(values, tokens, width);
  const luq::matrix C = X.topRows(clusters);
  const luq::matrix origin = X.colwise().mean();

  const auto device_X = luq_test::on_device(values, order);
  const auto device_C = luq_test::on_device(luq_test::stored<float>(C), order);
  const auto device_origin = luq_test::on_device(luq_test::stored<float>(origin), order);
  luq::cuda::device_array<std::int32_t> labels(static_cast<std::size_t>(tokens), order);
  luq::cuda::device_array<float> distances(static_cast<std::size_t>(tokens), order);
  luq::cuda::require_success(cudaMemsetAsync(labels.data(), 0xff, labels.size() * 4, order), "poison");
  luq::cuda::assign_to_centroids(blas, device_X.data(), tokens, width, width, device_C.data(), clusters,
                                 device_origin.data(), labels.data(), distances.data(), order);
  const auto found = luq_test::fetch(labels, order);
  const auto measured = luq_test::fetch(distances, order);

  luq::index wrong = 0;
  for (luq::index t = 0; t < tokens; ++t) {
    double least = std::numeric_limits<double>::infinity();
    double of_found = least;
    for (luq::index k = 0; k < clusters; ++k) {
      const double distance = (X.row(t) - C.row(k)).cast<double>().squaredNorm();
      if (k == found[static_cast<std::size_t>(t)]) of_found = distance;
      least = std::min(least, distance);
    }
    const double norm = (X.row(t) - origin).cast<double>().squaredNorm() + C.rowwise().squaredNorm().maxCoeff();
    const double bound = 4 * static_cast<double>(width) * 0x1p-24 * norm;
    if (!(of_found <= least + bound) || std::abs(measured[static_cast<std::size_t>(t)] - least) > bound) ++wrong;
  }
  CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("tokens on a GPU are assigned to their nearest centroids") {
  if (!luq_test::has_device()) return;
  check<float>(500, 33, 7);
  check<luq::half>(20000, 128, 100);
  check<luq::bfloat16>(8192, 256, 1);
}

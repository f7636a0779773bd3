// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/estimators/kmeans.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <string>
#include <vector>

#include "error_of.hpp"
#include "luq/core/openmp_executor.hpp"
#include "luq/core/random_matrix.hpp"

using luq::kmeans;
using luq::kmeans_options;
using luq::kmeans_result;
using luq::matrix;
using luq_test::error_of;

namespace {

/// Tokens of a mixture of normals with unequal shares, no two clusters apart enough to be trivial.
matrix mixture(luq::index tokens, luq::index width, std::uint64_t seed) {
  const luq::counter_rng rng(seed, 1);
  const matrix centres = 2 * luq::random_normal_matrix(20, width, luq::counter_rng(seed, 2));
  matrix X = luq::random_normal_matrix(tokens, width, luq::counter_rng(seed, 3));
  for (luq::index t = 0; t < tokens; ++t) {
    const double u = rng.uniform(static_cast<std::uint64_t>(t));
    X.row(t) += centres.row(static_cast<luq::index>(20 * u * u));
  }
  return X;
}

/// Four tight groups of 10, 20, 30 and 40 tokens around the corners of a square of side 100, shifted by `origin`.
matrix four_corners(float origin) {
  matrix X(100, 2);
  const luq::counter_rng rng(41);
  for (luq::index t = 0; t < 100; ++t) {
    const int corner = t < 10 ? 0 : t < 30 ? 1 : t < 60 ? 2 : 3;
    const auto i = static_cast<std::uint64_t>(t);
    X(t, 0) = origin + static_cast<float>(100 * (corner / 2)) + 0.25f * static_cast<float>(rng.below(2 * i, 8));
    X(t, 1) = origin + static_cast<float>(100 * (corner % 2)) + 0.25f * static_cast<float>(rng.below(2 * i + 1, 8));
  }
  return X;
}

double squared_distance(const matrix& X, luq::index t, const matrix& centroids, luq::index k) {
  return (X.row(t).cast<double>() - centroids.row(k).cast<double>()).squaredNorm();
}

/// Inertia by definition, in double.
double inertia_of(const matrix& X, const kmeans_result& result, const std::vector<float>& weights = {}) {
  double sum = 0;
  for (luq::index t = 0; t < X.rows(); ++t) {
    const auto i = static_cast<std::size_t>(t);
    const double weight = weights.empty() ? 1.0 : static_cast<double>(weights[i]);
    sum += weight * squared_distance(X, t, result.centroids, result.assignment[i]);
  }
  return sum;
}

luq::index occupied(const kmeans_result& result) {
  return std::count_if(result.weights.begin(), result.weights.end(), [](double w) { return w > 0; });
}

bool same_clusters(const kmeans_result& a, const kmeans_result& b) {
  return a.centroids == b.centroids && a.assignment == b.assignment && a.weights == b.weights &&
         a.inertia == b.inertia && a.iterations == b.iterations && a.converged == b.converged;
}

}  // namespace

TEST_CASE("groups that lie apart are found, with their means, sizes and inertia") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    CAPTURE(seed);
    const matrix X = four_corners(0);
    const kmeans_result result = kmeans(X, {.clusters = 4, .seed = seed});
    CHECK(result.converged);
    auto sizes = result.weights;
    std::sort(sizes.begin(), sizes.end());
    CHECK(sizes == std::vector<double>{10, 20, 30, 40});
    const std::array<luq::index, 5> begin{0, 10, 30, 60, 100};
    for (std::size_t g = 0; g < 4; ++g) {
      const luq::index k = result.assignment[static_cast<std::size_t>(begin[g])];
      for (luq::index t = begin[g]; t < begin[g + 1]; ++t) {
        REQUIRE(result.assignment[static_cast<std::size_t>(t)] == k);
      }
      const auto mean = X.middleRows(begin[g], begin[g + 1] - begin[g]).colwise().mean();
      CHECK((result.centroids.row(k) - mean).cwiseAbs().maxCoeff() < 1e-4f);
    }
    CHECK(result.inertia == doctest::Approx(inertia_of(X, result)).epsilon(1e-3));
  }
}

TEST_CASE("data far from the origin are clustered as well as near it") {
  // Without centring, squares of 3e9 would hide distances of 1. One trial: these points leave ties between trials.
  const kmeans_result near = kmeans(four_corners(0), {.clusters = 8, .seed = 5, .trials = 1});
  const kmeans_result far = kmeans(four_corners(32768), {.clusters = 8, .seed = 5, .trials = 1});
  CHECK(far.inertia == doctest::Approx(near.inertia).epsilon(1e-2));
  CHECK(far.inertia < 120);
  CHECK(far.assignment == near.assignment);
}

TEST_CASE("at a fixed point every token is with its nearest centroid and every centroid is the mean of its tokens") {
  const matrix X = mixture(1300, 24, 1);
  const kmeans_result result = kmeans(X, {.clusters = 30, .max_iterations = 500, .tolerance = 0});
  REQUIRE(result.converged);
  matrix sums = matrix::Zero(30, 24);
  std::vector<double> sizes(30, 0.0);
  for (luq::index t = 0; t < X.rows(); ++t) {
    const luq::index k = result.assignment[static_cast<std::size_t>(t)];
    double nearest = std::numeric_limits<double>::infinity();
    for (luq::index other = 0; other < 30; ++other) {
      nearest = std::min(nearest, squared_distance(X, t, result.centroids, other));
    }
    REQUIRE(squared_distance(X, t, result.centroids, k) <= nearest + 1e-3);
    sums.row(k) += X.row(t);
    sizes[static_cast<std::size_t>(k)] += 1;
  }
  CHECK(sizes == result.weights);
  for (luq::index k = 0; k < 30; ++k) {
    sums.row(k) /= static_cast<float>(sizes[static_cast<std::size_t>(k)]);
    CHECK((sums.row(k) - result.centroids.row(k)).cwiseAbs().maxCoeff() < 1e-4f);
  }
  CHECK(result.inertia == doctest::Approx(inertia_of(X, result)).epsilon(1e-5));
}

TEST_CASE("more iterations never raise the inertia, and each result is consistent") {
  const matrix X = mixture(700, 9, 2);
  double before = std::numeric_limits<double>::infinity();
  for (int iterations = 0; iterations < 12; ++iterations) {
    CAPTURE(iterations);
    const kmeans_result result = kmeans(X, {.clusters = 25, .max_iterations = iterations, .tolerance = 0, .seed = 3});
    CHECK(result.iterations == iterations);
    CHECK_FALSE(result.converged);
    CHECK(result.inertia < before);
    CHECK(result.inertia == doctest::Approx(inertia_of(X, result)).epsilon(1e-4));
    before = result.inertia;
  }
}

TEST_CASE("seeding draws tokens in proportion to squared distance") {
  // Of 0, 1 and 10, the second centroid is the other point with probability d^2 / sum of d^2.
  matrix X(3, 1);
  X << 0, 1, 10;
  const std::array<std::array<double, 3>, 3> share{
      {{0, 1.0 / 101, 100.0 / 101}, {1.0 / 82, 0, 81.0 / 82}, {100.0 / 181, 81.0 / 181, 0}}};
  std::array<std::array<double, 3>, 3> count{};
  constexpr int runs = 30000;
  for (int s = 0; s < runs; ++s) {
    const auto result =
        kmeans(X, {.clusters = 2, .max_iterations = 0, .seed = static_cast<std::uint64_t>(s), .trials = 1});
    std::array<std::size_t, 2> drawn{};
    for (luq::index k = 0; k < 2; ++k) {
      const float value = std::round(result.centroids(k, 0));
      drawn[static_cast<std::size_t>(k)] = value == 0 ? 0 : value == 1 ? 1 : 2;
    }
    ++count[drawn[0]][drawn[1]];
  }
  for (std::size_t first = 0; first < 3; ++first) {
    for (std::size_t second = 0; second < 3; ++second) {
      CAPTURE(first);
      CAPTURE(second);
      const double p = share[first][second] / 3;
      CHECK(std::abs(count[first][second] - runs * p) <= 5 * std::sqrt(runs * p * (1 - p)));
    }
  }
}

TEST_CASE("the distances that a draw has seen change keep its proportions") {
  // Three centroids on five points: the third is drawn together with the second and then taken or passed over.
  matrix X(5, 1);
  X << 0, 1, 3, 10, 14;
  const std::vector<float> weights{1, 2, 1, 1, 3};
  const auto share = [&](luq::index t, std::initializer_list<luq::index> before) {
    double least = before.size() == 0 ? 1.0 : std::numeric_limits<double>::infinity();
    for (const luq::index b : before) least = std::min(least, std::pow(static_cast<double>(X(t, 0) - X(b, 0)), 2));
    return static_cast<double>(weights[static_cast<std::size_t>(t)]) * least;
  };
  const auto probability = [&](luq::index t, std::initializer_list<luq::index> before) {
    double total = 0;
    for (luq::index other = 0; other < 5; ++other) total += share(other, before);
    return share(t, before) / total;
  };
  constexpr int runs = 30000;
  std::array<std::array<std::array<int, 5>, 5>, 5> count{};
  for (int s = 0; s < runs; ++s) {
    const auto result =
        kmeans(X, {.clusters = 3, .max_iterations = 0, .seed = static_cast<std::uint64_t>(s), .trials = 1}, weights);
    const auto drawn = [&](luq::index k) {
      luq::index nearest = 0;
      (X.col(0).array() - result.centroids(k, 0)).abs().minCoeff(&nearest);
      return static_cast<std::size_t>(nearest);
    };
    ++count[drawn(0)][drawn(1)][drawn(2)];
  }
  for (luq::index a = 0; a < 5; ++a) {
    for (luq::index b = 0; b < 5; ++b) {
      for (luq::index c = 0; c < 5; ++c) {
        CAPTURE(a);
        CAPTURE(b);
        CAPTURE(c);
        const double p = probability(a, {}) * (a == b ? 0 : probability(b, {a}) * probability(c, {a, b}));
        const int seen = count[static_cast<std::size_t>(a)][static_cast<std::size_t>(b)][static_cast<std::size_t>(c)];
        CHECK(std::abs(seen - runs * p) <= 5 * std::sqrt(runs * p * (1 - p)) + 0.5);
      }
    }
  }
}

TEST_CASE("of several trials the best is kept") {
  // With 0 first, 1 leaves 81 of the sum of squares and 10 leaves 1: 1 is kept only where all three trials drew it.
  matrix X(3, 1);
  X << 0, 1, 10;
  const std::vector<float> weights{1e6f, 50, 1};
  int first = 0;
  int kept = 0;
  for (std::uint64_t s = 0; s < 20000; ++s) {
    const auto result = kmeans(X, {.clusters = 2, .max_iterations = 0, .seed = s, .trials = 3}, weights);
    if (std::round(result.centroids(0, 0)) != 0) continue;
    ++first;
    kept += std::round(result.centroids(1, 0)) == 1 ? 1 : 0;
  }
  REQUIRE(first > 19900);
  const double p = std::pow(50.0 / 150.0, 3);
  CHECK(std::abs(kept - first * p) <= 5 * std::sqrt(first * p * (1 - p)));
}

TEST_CASE("more trials seed better, and as many as scikit-learn takes are the default") {
  const matrix X = mixture(2000, 16, 8);
  const auto seeded = [&](luq::index trials) {
    double sum = 0;
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      sum += kmeans(X, {.clusters = 40, .max_iterations = 0, .seed = seed, .trials = trials}).inertia;
    }
    return sum;
  };
  CHECK(seeded(8) < 0.97 * seeded(1));
  CHECK(seeded(100) < seeded(8));  // more than a batch of candidates
  CHECK(seeded(0) == seeded(2 + 3));
}

TEST_CASE("every iteration is that of Lloyd, worked out from its definition") {
  for (const bool weighted : {false, true}) {
    const matrix X = mixture(1200, 33, 9);
    std::vector<float> weights;
    for (std::uint64_t t = 0; weighted && t < 1200; ++t) {
      weights.push_back(static_cast<float>(luq::counter_rng(9, 4).below(t, 5)));
    }
    kmeans_options options{.clusters = 30, .max_iterations = 0, .tolerance = 0, .seed = 4};
    luq::basic_matrix<double> centroids = kmeans(X, options, weights).centroids.cast<double>();
    for (; options.max_iterations < 25; ++options.max_iterations) {
      CAPTURE(options.max_iterations);
      const kmeans_result result = kmeans(X, options, weights);
      luq::basic_matrix<double> sums = luq::basic_matrix<double>::Zero(30, 33);
      std::vector<double> totals(30, 0.0);
      double inertia = 0;
      for (luq::index t = 0; t < X.rows(); ++t) {
        const double weight = weighted ? static_cast<double>(weights[static_cast<std::size_t>(t)]) : 1.0;
        luq::index nearest = 0;
        inertia += weight * (centroids.rowwise() - X.row(t).cast<double>()).rowwise().squaredNorm().minCoeff(&nearest);
        REQUIRE(result.assignment[static_cast<std::size_t>(t)] == nearest);
        sums.row(nearest) += weight * X.row(t).cast<double>();
        totals[static_cast<std::size_t>(nearest)] += weight;
      }
      CHECK(result.weights == totals);
      CHECK(result.inertia == doctest::Approx(inertia).epsilon(1e-6));
      CHECK((result.centroids.cast<double>() - centroids).cwiseAbs().maxCoeff() < 1e-5);
      for (luq::index k = 0; k < 30; ++k) centroids.row(k) = sums.row(k) / totals[static_cast<std::size_t>(k)];
    }
  }
}

TEST_CASE("heavy tokens that left a cluster leave no rounding errors behind") {
  // Of 300 000 such problems, these have a cluster that loses all its heavy tokens and keeps light ones.
  for (const std::uint64_t problem : {175175u, 220643u, 220952u}) {
    CAPTURE(problem);
    const luq::counter_rng rng(problem, 11);
    matrix X(40, 1);
    std::vector<float> weights;
    for (luq::index t = 0; t < 40; ++t) {
      const auto i = static_cast<std::uint64_t>(3 * t);
      X(t, 0) = static_cast<float>(rng.below(i, 1000)) + 0.01f * static_cast<float>(t);
      weights.push_back(t < 16 ? 1e16f * static_cast<float>(1 + rng.below(i + 1, 20))
                               : 1.0f + static_cast<float>(rng.below(i + 2, 5)));
    }
    const kmeans_result result =
        kmeans(X, {.clusters = 9, .max_iterations = 100, .tolerance = 0, .seed = problem, .trials = 1}, weights);
    REQUIRE(result.converged);
    for (luq::index k = 0; k < 9; ++k) {
      double sum = 0;
      for (luq::index t = 0; t < 40; ++t) {
        const auto i = static_cast<std::size_t>(t);
        if (result.assignment[i] == k) sum += static_cast<double>(weights[i]) * static_cast<double>(X(t, 0));
      }
      CHECK(std::abs(sum / result.weights[static_cast<std::size_t>(k)] - static_cast<double>(result.centroids(k, 0))) <
            1e-3);
    }
  }
}

TEST_CASE("an integer weight is that many copies of a token") {
  const matrix X = four_corners(0);
  std::vector<float> weights;
  matrix copies(0, 2);
  for (luq::index t = 0; t < X.rows(); ++t) {
    const luq::index weight = t % 4;
    weights.push_back(static_cast<float>(weight));
    copies.conservativeResize(copies.rows() + weight, 2);
    if (weight > 0) copies.bottomRows(weight).rowwise() = X.row(t);
  }
  const kmeans_result weighted = kmeans(X, {.clusters = 4}, weights);
  const kmeans_result copied = kmeans(copies, {.clusters = 4});
  auto a = weighted.weights;
  auto b = copied.weights;
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  CHECK(a == b);
  CHECK(weighted.inertia == doctest::Approx(inertia_of(X, weighted, weights)).epsilon(1e-3));
  CHECK(weighted.inertia == doctest::Approx(copied.inertia).epsilon(1e-3));
}

TEST_CASE("a token of weight zero is assigned but moves nothing") {
  matrix X(101, 2);
  X.topRows(100) = four_corners(0);
  X.row(100) << 5000, 5000;
  std::vector<float> weights(101, 1.0f);
  weights[100] = 0;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const kmeans_result result = kmeans(X, {.clusters = 4, .seed = seed}, weights);
    CHECK(result.centroids.maxCoeff() < 103.0f);
    CHECK(occupied(result) == 4);
    CHECK(result.assignment[100] == result.assignment[99]);  // the corner at (100, 100)
  }
}

TEST_CASE("where there are fewer distinct points than clusters, each has a cluster and the rest stay empty") {
  matrix X(60, 3);
  for (luq::index t = 0; t < 60; ++t) X.row(t).setConstant(static_cast<float>(t % 5) * 0.7f);
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const kmeans_result result = kmeans(X, {.clusters = 8, .seed = seed});
    CHECK(result.converged);
    CHECK(occupied(result) == 5);
    CHECK(*std::max_element(result.weights.begin(), result.weights.end()) == 12.0);
    CHECK(result.inertia < 1e-5);
    CHECK(result.centroids.rows() == 8);
    CHECK(result.centroids.allFinite());
  }
}

TEST_CASE("more clusters than tokens is allowed") {
  const matrix X = mixture(3, 4, 3);
  const kmeans_result result = kmeans(X, {.clusters = 10});
  CHECK(occupied(result) == 3);
  CHECK(result.inertia < 1e-4);
}

TEST_CASE("a cluster that lost its tokens is given others") {
  // Small problems on a line with few distinct and heavily weighted points, where Lloyd now and then empties a cluster.
  for (std::uint64_t problem = 0; problem < 3000; ++problem) {
    const luq::counter_rng rng(problem, 7);
    matrix X(12, 2);
    std::vector<float> weights;
    for (luq::index t = 0; t < 12; ++t) {
      const auto i = static_cast<std::uint64_t>(3 * t);
      X(t, 0) = static_cast<float>(rng.below(i, 40)) + 0.01f * static_cast<float>(t);  // no two alike
      X(t, 1) = static_cast<float>(rng.below(i + 1, 40));
      weights.push_back(static_cast<float>(1 + rng.below(i + 2, 30)));
    }
    const kmeans_result result =
        kmeans(X, {.clusters = 6, .max_iterations = 100, .tolerance = 0, .seed = problem}, weights);
    CAPTURE(problem);
    REQUIRE(occupied(result) == 6);
  }
}

TEST_CASE("any number of threads gives the same bits") {
  for (const luq::index width : {3, 65, 500}) {
    CAPTURE(width);
    const matrix X = mixture(1700, width, 4);
    const kmeans_options options{.clusters = 37, .seed = 9};
    const kmeans_result reference = kmeans(X, options);
    for (const int threads : {1, 2, 3}) {
      CAPTURE(threads);
      CHECK(same_clusters(kmeans(X, options, {}, luq::openmp_executor{threads}), reference));
    }
  }
}

TEST_CASE("the seed decides the result, and a view of a larger buffer changes nothing") {
  const matrix X = mixture(600, 10, 5);
  const kmeans_result reference = kmeans(X, {.clusters = 20, .seed = 1});
  CHECK(same_clusters(kmeans(X, {.clusters = 20, .seed = 1}), reference));
  CHECK_FALSE(same_clusters(kmeans(X, {.clusters = 20, .seed = 2}), reference));
  matrix buffer = matrix::Random(603, 17);
  buffer.block(1, 3, 600, 10) = X;
  CHECK(same_clusters(kmeans(buffer.block(1, 3, 600, 10), {.clusters = 20, .seed = 1}), reference));
}

TEST_CASE("progress says its units at the start and never passes them") {
  struct counter : luq::progress_observer {
    std::uint64_t units = 0;
    std::uint64_t done = 0;
    bool ended = false;
    void begin(std::string_view, std::uint64_t count) override { units = count; }
    void advance(std::uint64_t count) override { done += count; }
    void end() override { ended = true; }
  } observer;
  const auto result =
      kmeans(mixture(300, 5, 6), {.clusters = 10, .max_iterations = 9}, {}, luq::serial_executor{}, &observer);
  CHECK(observer.units == 9);
  CHECK(observer.done == static_cast<std::uint64_t>(result.iterations));
  CHECK(observer.ended);
}

TEST_CASE("errors are named") {
  const matrix X = mixture(20, 3, 7);
  matrix bad = X;
  bad(13, 1) = std::numeric_limits<float>::quiet_NaN();
  const luq::error non_finite = error_of([&] { static_cast<void>(kmeans(bad, {.clusters = 2})); });
  CHECK(non_finite.code() == luq::errc::non_finite);
  CHECK(std::string(non_finite.what()).find("token 13") != std::string::npos);
  const auto code = [&](const kmeans_options& options, const std::vector<float>& weights) {
    return error_of([&] { static_cast<void>(kmeans(X, options, weights)); }).code();
  };
  CHECK(code({.clusters = 0}, {}) == luq::errc::invalid_argument);
  CHECK(code({.clusters = 2, .max_iterations = -1}, {}) == luq::errc::invalid_argument);
  CHECK(code({.clusters = 2, .tolerance = std::nan("")}, {}) == luq::errc::invalid_argument);
  CHECK(code({.clusters = 2, .trials = -1}, {}) == luq::errc::invalid_argument);
  CHECK(code({.clusters = 2}, std::vector<float>(19, 1.0f)) == luq::errc::shape_mismatch);
  CHECK(code({.clusters = 2}, std::vector<float>(20, 0.0f)) == luq::errc::insufficient_data);
  CHECK(code({.clusters = 2}, std::vector<float>(20, -1.0f)) == luq::errc::invalid_argument);
  CHECK(code({.clusters = 2}, std::vector<float>(20, std::numeric_limits<float>::infinity())) ==
        luq::errc::invalid_argument);
  CHECK(error_of([&] { static_cast<void>(kmeans(X.topRows(0), {.clusters = 2})); }).code() ==
        luq::errc::insufficient_data);
}

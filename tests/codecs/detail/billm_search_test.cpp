// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/codecs/detail/billm_search.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "codecs/published_billm.hpp"
#include "luq/core/openmp_executor.hpp"
#include "luq/core/random.hpp"
#include "luq/core/random_matrix.hpp"

using luq::matrix;
using luq_test::numbers;
using search = luq::detail::billm_search<>;

namespace {

/// The columns in an order that is none of theirs.
std::vector<luq::index> shuffled(luq::index columns) {
  return luq::random_permutation(columns, luq::counter_rng(5));
}

/// Saliencies: squares, some columns far larger than the rest.
matrix saliencies(luq::index rows, luq::index columns) {
  matrix S = luq::random_normal_matrix(rows, columns, luq::counter_rng(6)).cwiseAbs2();
  for (luq::index c = 0; c < columns; c += 9) S.col(c) *= 1e6f;
  return S;
}

double error_of(const numbers& x, bool twice) {
  return luq_test::energy(luq_test::difference(x, twice ? luq_test::binarized_twice(x) : luq_test::binarized(x)));
}

std::vector<double> salient_errors_by_definition(const matrix& S, const std::vector<luq::index>& order,
                                                 luq::index candidates) {
  std::vector<double> result;
  for (luq::index i = 1; i <= candidates; ++i) {
    double error = 0;
    for (luq::index r = 0; r < S.rows(); ++r) {
      numbers salient, others;
      for (std::size_t c = 0; c < order.size(); ++c) {
        (c < static_cast<std::size_t>(i) ? salient : others).push_back(static_cast<double>(S(r, order[c])));
      }
      error += error_of(salient, true) + error_of(others, true);
    }
    result.push_back(error);
  }
  return result;
}

std::vector<double> split_errors_by_definition(const matrix& S, const std::vector<luq::index>& columns,
                                               const std::vector<float>& thresholds) {
  std::vector<double> result;
  for (const float threshold : thresholds) {
    double error = 0;
    for (luq::index r = 0; r < S.rows(); ++r) {
      numbers small, large;
      for (const luq::index c : columns) {
        (std::abs(S(r, c)) >= threshold ? large : small).push_back(static_cast<double>(S(r, c)));
      }
      if (!small.empty()) error += error_of(small, false);
      if (!large.empty()) error += error_of(large, false);
    }
    result.push_back(error);
  }
  return result;
}

void check_close(const std::vector<double>& a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    CAPTURE(i);
    CHECK(std::abs(a[i] - b[i]) <= 1e-12 * b[i]);
  }
}

}  // namespace

TEST_CASE("errors of all counts of salient columns, worked out from their definition") {
  for (const luq::index rows : {1, 7, 8, 9, 128, 131, 300}) {
    for (const luq::index columns : {3, 20, 61}) {
      CAPTURE(rows);
      CAPTURE(columns);
      const matrix S = saliencies(rows, columns);
      const auto order = shuffled(columns);
      for (const luq::index candidates : {luq::index{0}, luq::index{1}, columns - 1}) {
        const auto errors = search::salient_errors(S, order, candidates, luq::serial_executor{});
        if (columns > 3) check_close(errors, salient_errors_by_definition(S, order, candidates));
        CHECK(errors.size() == static_cast<std::size_t>(candidates));
      }
    }
  }
}

TEST_CASE("a set of one or two numbers has no error left") {
  const matrix S = saliencies(40, 3);
  for (const double error : search::salient_errors(S, shuffled(3), 2, luq::serial_executor{})) CHECK(error == 0.0);
}

TEST_CASE("errors of all thresholds, worked out from their definition, for saliencies of either sign") {
  for (const luq::index rows : {1, 8, 129}) {
    for (const bool negative : {false, true}) {
      matrix S = saliencies(rows, 50);
      if (negative) S.array() -= 0.5f;
      auto columns = shuffled(50);
      columns.resize(37);
      // Some leave a part empty, and some are values: the large begin at the threshold itself.
      const std::vector<float> thresholds{
          0.0f, 1e-3f, std::abs(S(0, columns[3])), 0.3f, std::abs(S(0, columns[9])), 2.0f, 1e6f, 1e30f};
      check_close(search::split_errors(S, columns, thresholds, luq::serial_executor{}),
                  split_errors_by_definition(S, columns, thresholds));
    }
  }
}

TEST_CASE("errors are the same bits for any number of threads and any stride") {
  const matrix S = saliencies(1000, 40);
  const auto order = shuffled(40);
  const std::vector<float> thresholds{0.1f, 0.5f, 1.0f};
  const auto salient = search::salient_errors(S, order, 20, luq::serial_executor{});
  const auto split = search::split_errors(S, order, thresholds, luq::serial_executor{});
  matrix buffer = matrix::Zero(1003, 47);
  buffer.block(2, 5, 1000, 40) = S;
  for (const int threads : {1, 2, 3}) {
    CHECK(search::salient_errors(S, order, 20, luq::openmp_executor{threads}) == salient);
    CHECK(search::split_errors(buffer.block(2, 5, 1000, 40), order, thresholds, luq::openmp_executor{threads}) ==
          split);
  }
}

TEST_CASE("values are found by their rank as if all were sorted") {
  const luq::counter_rng rng(7);
  for (const std::size_t count : {1u, 2u, 100u, 5000u}) {
    for (const bool repeated : {false, true}) {
      CAPTURE(count);
      std::vector<float> values;
      for (std::uint64_t i = 0; i < count; ++i) {
        const auto value = static_cast<float>(rng.normal(i));
        values.push_back(repeated ? std::round(std::abs(value)) : value * value * value * value);
      }
      values[count / 2] = 0.0f;
      values[count / 3] = std::numeric_limits<float>::max();
      std::vector<float> sorted = values;
      std::sort(sorted.begin(), sorted.end());
      std::vector<std::size_t> ranks;
      for (std::size_t rank = 0; rank < count; rank += 1 + rng.below(rank, 40)) ranks.push_back(rank);
      if (ranks.back() + 1 < count) ranks.push_back(count - 1);
      luq::detail::sort_ranks(values, ranks);
      for (const std::size_t rank : ranks) REQUIRE(values[rank] == sorted[rank]);
    }
  }
}

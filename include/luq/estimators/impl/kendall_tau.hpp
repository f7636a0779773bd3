// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <vector>

#include "luq/core/error.hpp"
#include "luq/core/is_finite.hpp"
#include "luq/estimators/kendall_tau.hpp"

namespace luq {
namespace detail {

/// Pairs within runs of equal neighbours in 0 ... count-1.
template <class Equal>
[[nodiscard]] std::int64_t tied_pairs(std::size_t count, Equal&& equal) {
  std::int64_t pairs = 0;
  std::int64_t before = 0;  // equal items before this one
  for (std::size_t i = 1; i < count; ++i) {
    before = equal(i - 1, i) ? before + 1 : 0;
    pairs += before;
  }
  return pairs;
}

/// Sorts `values` and returns how many pairs stood in strictly descending order.
[[nodiscard]] LUQ_INLINE std::int64_t sort_counting_inversions(std::vector<double>& values) {
  std::vector<double> merged(values.size());
  std::int64_t inversions = 0;
  for (std::size_t run = 1; run < values.size(); run *= 2) {
    for (std::size_t begin = 0; begin < values.size(); begin += 2 * run) {
      const std::size_t middle = (std::min)(begin + run, values.size());
      const std::size_t end = (std::min)(begin + 2 * run, values.size());
      std::size_t left = begin;
      std::size_t right = middle;
      for (std::size_t out = begin; out < end; ++out) {
        if (right == end || (left < middle && values[left] <= values[right])) {
          merged[out] = values[left++];
        } else {
          inversions += static_cast<std::int64_t>(middle - left);
          merged[out] = values[right++];
        }
      }
    }
    values.swap(merged);
  }
  return inversions;
}

}  // namespace detail

LUQ_INLINE pair_counts count_pairs(std::span<const double> x, std::span<const double> y) {
  if (x.size() != y.size()) {
    fail(errc::shape_mismatch, "Kendall tau: expected as many y as x, got ", y.size(), " and ", x.size());
  }
  if (x.size() < 2) fail(errc::insufficient_data, "Kendall tau: expected at least 2 items, got ", x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (is_nan(x[i]) || is_nan(y[i])) fail(errc::non_finite, "Kendall tau: item ", i, " is not a number");
  }
  std::vector<std::size_t> order(x.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return x[a] != x[b] ? x[a] < x[b] : y[a] < y[b]; });

  const auto n = static_cast<std::int64_t>(x.size());
  pair_counts result;
  result.pairs = n * (n - 1) / 2;
  result.tied_x =
      detail::tied_pairs(x.size(), [&](std::size_t a, std::size_t b) { return x[order[a]] == x[order[b]]; });
  result.tied_both = detail::tied_pairs(
      x.size(), [&](std::size_t a, std::size_t b) { return x[order[a]] == x[order[b]] && y[order[a]] == y[order[b]]; });
  std::vector<double> in_order_of_x(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) in_order_of_x[i] = y[order[i]];
  result.discordant = detail::sort_counting_inversions(in_order_of_x);  // ties of x ascend in y: no inversions
  result.tied_y =
      detail::tied_pairs(x.size(), [&](std::size_t a, std::size_t b) { return in_order_of_x[a] == in_order_of_x[b]; });
  result.concordant = result.pairs - result.tied_x - result.tied_y + result.tied_both - result.discordant;
  return result;
}

LUQ_INLINE double kendall_tau(std::span<const double> x, std::span<const double> y) {
  const pair_counts count = count_pairs(x, y);
  if (count.tied_x == count.pairs || count.tied_y == count.pairs) {
    fail(errc::insufficient_data, "Kendall tau: expected scores that differ, got ", x.size(), " equal ones");
  }
  const double untied_x = static_cast<double>(count.pairs - count.tied_x);
  const double untied_y = static_cast<double>(count.pairs - count.tied_y);
  return static_cast<double>(count.concordant - count.discordant) / std::sqrt(untied_x * untied_y);
}

LUQ_INLINE double kendall_distance(std::span<const double> x, std::span<const double> y) {
  const pair_counts count = count_pairs(x, y);
  const double tied_once = static_cast<double>(count.tied_x + count.tied_y - 2 * count.tied_both);
  return (static_cast<double>(count.discordant) + tied_once / 2) / static_cast<double>(count.pairs);
}

}  // namespace luq

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Published BiLLM from its definition: the weights of a group are three sets, small, large and salient, and each row
// binarises its part of each set for itself, the salient part twice. In double, set by set, without codes, planes or
// shared parameters, so that it has little in common with the codec it checks.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

#include "luq/core/matrix_view.hpp"

namespace luq_test {

using numbers = std::vector<double>;

/// What the best one-bit code around their mean makes of some numbers.
[[nodiscard]] inline numbers binarized(const numbers& x) {
  const auto count = static_cast<double>(x.size());
  const double mean = std::accumulate(x.begin(), x.end(), 0.0) / count;
  double magnitude = 0;
  for (const double v : x) magnitude += std::abs(v - mean) / count;
  numbers result;
  for (const double v : x) result.push_back(v >= mean ? mean + magnitude : mean - magnitude);
  return result;
}

[[nodiscard]] inline numbers difference(const numbers& a, const numbers& b) {
  numbers result;
  for (std::size_t i = 0; i < a.size(); ++i) result.push_back(a[i] - b[i]);
  return result;
}

/// The same where the residual is binarised as well.
[[nodiscard]] inline numbers binarized_twice(const numbers& x) {
  const numbers first = binarized(x);
  const numbers second = binarized(difference(x, first));
  numbers result;
  for (std::size_t i = 0; i < x.size(); ++i) result.push_back(first[i] + second[i]);
  return result;
}

[[nodiscard]] inline double energy(const numbers& x) {
  return std::inner_product(x.begin(), x.end(), x.begin(), 0.0);
}

/// One group. Which columns are salient, and every weight decoded.
struct published_billm {
  std::vector<std::uint8_t> salient;
  luq::matrix decoded;

  /// S is the saliency of each weight.
  published_billm(const luq::matrix& W, const luq::matrix& S, luq::index limit) : decoded(W.rows(), W.cols()) {
    const luq::index columns = S.cols();
    std::vector<luq::index> order(static_cast<std::size_t>(columns));
    std::iota(order.begin(), order.end(), luq::index{0});
    const auto total = [&](luq::index c) { return S.col(c).cast<double>().cwiseAbs().sum(); };
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return total(a) > total(b); });

    salient.assign(order.size(), 0);
    double least = std::numeric_limits<double>::infinity();
    for (luq::index count = 1; count < std::min(limit, columns); ++count) {
      std::vector<std::uint8_t> trial(order.size(), 0);
      for (luq::index i = 0; i < count; ++i) trial[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])] = 1;
      double error = 0;
      for (luq::index r = 0; r < S.rows(); ++r) {
        for (const int kind : {1, 0}) {
          const numbers x = picked(S, r, [&](luq::index c) { return trial[static_cast<std::size_t>(c)] == kind; });
          error += energy(difference(x, binarized_twice(x)));
        }
      }
      if (error < least) {
        least = error;
        salient = trial;
      }
    }

    const double threshold = best_threshold(S);
    for (luq::index r = 0; r < W.rows(); ++r) {
      for (const int part : {0, 1, 2}) {
        const auto belongs = [&](luq::index c) { return part_of(S(r, c), c, threshold) == part; };
        const numbers x = picked(W, r, belongs);
        const numbers values = part == 2 ? binarized_twice(x) : binarized(x);
        auto next = values.begin();
        for (luq::index c = 0; c < columns; ++c) {
          if (belongs(c)) decoded(r, c) = static_cast<float>(*next++);
        }
      }
    }
  }

 private:
  template <class Belongs>
  static numbers picked(const luq::matrix& M, luq::index row, Belongs&& belongs) {
    numbers result;
    for (luq::index c = 0; c < M.cols(); ++c) {
      if (belongs(c)) result.push_back(static_cast<double>(M(row, c)));
    }
    return result;
  }

  /// 2 for salient columns, else 1 from the threshold on.
  [[nodiscard]] int part_of(float saliency, luq::index column, double threshold) const {
    if (salient[static_cast<std::size_t>(column)] != 0) return 2;
    return static_cast<double>(std::abs(saliency)) >= threshold ? 1 : 0;
  }

  [[nodiscard]] double best_threshold(const luq::matrix& S) const {
    numbers sorted;
    for (luq::index r = 0; r < S.rows(); ++r) {
      for (luq::index c = 0; c < S.cols(); ++c) {
        const bool counts = salient[static_cast<std::size_t>(c)] == 0;
        sorted.push_back(counts ? static_cast<double>(std::abs(S(r, c))) : 0.0);
      }
    }
    std::sort(sorted.begin(), sorted.end());
    double best = 0;
    double least = std::numeric_limits<double>::infinity();
    for (int percent = 10; percent <= 90; ++percent) {
      const double position = static_cast<double>(sorted.size() - 1) * percent / 100;
      const auto below = static_cast<std::size_t>(position);
      const double threshold = std::lerp(sorted[below], sorted[below + 1], position - static_cast<double>(below));
      double error = 0;
      for (luq::index r = 0; r < S.rows(); ++r) {
        for (const int part : {0, 1}) {
          const numbers x = picked(S, r, [&](luq::index c) { return part_of(S(r, c), c, threshold) == part; });
          error += energy(difference(x, binarized(x)));
        }
      }
      if (error < least) {
        least = error;
        best = threshold;
      }
    }
    return best;
  }
};

}  // namespace luq_test

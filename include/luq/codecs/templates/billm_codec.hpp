// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// How billm_codec codes a group.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "luq/codecs/billm_codec.hpp"
#include "luq/codecs/code_group.hpp"
#include "luq/codecs/detail/billm_search.hpp"
#include "luq/codecs/detail/fit_weights.hpp"
#include "luq/codecs/detail/row_chunks.hpp"
#include "luq/core/is_finite.hpp"
#include "luq/core/matrix_view.hpp"

namespace luq {
namespace detail {

/// The steps of the published rule.
template <class Scale>
class billm_rule {
 public:
  /// Mean of some values of a row and mean distance from it: the best one-bit code around a mean.
  struct binarization {
    double mean = 0;
    double magnitude = 0;
    index count = 0;

    [[nodiscard]] double value(double x) const { return mean + (x >= mean ? magnitude : -magnitude); }
  };

  /// value(j) for those j below `columns` that `selected(j)` names.
  template <class Value, class Selected>
  static binarization binarize(index columns, Value&& value, Selected&& selected) {
    binarization result;
    for (index j = 0; j < columns; ++j) {
      if (!selected(j)) continue;
      result.mean += value(j);
      ++result.count;
    }
    if (result.count == 0) return {};
    result.mean /= static_cast<double>(result.count);
    for (index j = 0; j < columns; ++j) {
      if (selected(j)) result.magnitude += std::abs(value(j) - result.mean);
    }
    result.magnitude /= static_cast<double>(result.count);
    return result;
  }

  /// Which columns are salient: of the columns in order of their total saliency, the first i that leave the least
  /// error on S when both the i and the others are binarised with a residual. (The others are later coded without
  /// one; that the search assumes otherwise is part of the published rule.)
  [[nodiscard]] static std::vector<std::uint8_t> choose_salient(const matrix& S, index salient_limit,
                                                                executor_ref executor) {
    const index columns = S.cols();
    const Eigen::VectorXd total = S.cwiseAbs().template cast<double>().colwise().sum().transpose();
    std::vector<index> order(static_cast<std::size_t>(columns));
    std::iota(order.begin(), order.end(), index{0});
    std::stable_sort(order.begin(), order.end(), [&](index a, index b) { return total[a] > total[b]; });

    const index candidates = std::max<index>(0, (std::min)(salient_limit, columns) - 1);
    const std::vector<double> errors = billm_search<>::salient_errors(S, order, candidates, executor);
    std::vector<std::uint8_t> result(static_cast<std::size_t>(columns), 0);
    const auto salient = order.begin() + first_least(errors) + 1;
    for (auto column = order.begin(); column != salient; ++column) result[static_cast<std::size_t>(*column)] = 1;
    return result;
  }

  /// Place of the first least of some errors; -1 if there is none, or none is a number.
  [[nodiscard]] static std::ptrdiff_t first_least(const std::vector<double>& errors) {
    std::ptrdiff_t best = -1;
    double least = (std::numeric_limits<double>::max)();
    for (std::size_t i = 0; i < errors.size(); ++i) {
      if (is_nan(errors[i]) || errors[i] >= least) continue;
      least = errors[i];
      best = static_cast<std::ptrdiff_t>(i);
    }
    return best;
  }

  /// The saliency that divides small from large: of 81 quantiles of |S|, salient columns counted as zeros, the one
  /// that leaves the least error on S. One threshold serves all rows.
  [[nodiscard]] static float choose_split(const matrix& S, const group_parameters& group, executor_ref executor) {
    if (S.size() == 0) return 0;
    std::vector<float> values(static_cast<std::size_t>(S.size()));
    std::vector<index> others;
    for (index c = 0; c < S.cols(); ++c) {
      if (group.class_of(c) == 0) others.push_back(c);
    }
    auto value = values.begin();
    for (index r = 0; r < S.rows(); ++r) {
      for (const index c : others) *value++ = std::abs(S(r, c));
    }
    std::vector<std::size_t> ranks;
    for (int i = 0; i <= 80; ++i) {
      const std::size_t below = rank_below(values.size(), percentile(i));
      ranks.push_back(below);
      ranks.push_back((std::min)(below + 1, values.size() - 1));
    }
    std::sort(ranks.begin(), ranks.end());
    ranks.erase(std::unique(ranks.begin(), ranks.end()), ranks.end());
    sort_ranks(values, ranks);
    std::vector<float> thresholds;
    for (int i = 0; i <= 80; ++i) thresholds.push_back(quantile(values, percentile(i)));
    const std::ptrdiff_t best = first_least(billm_search<>::split_errors(S, others, thresholds, executor));
    return best < 0 ? 0.0f : thresholds[static_cast<std::size_t>(best)];
  }

  /// Step i of 81 from 0.10 to 0.90, in float and from the nearer end, as the reference makes them.
  [[nodiscard]] static float percentile(int i) {
    constexpr float step = (0.90f - 0.10f) / 80.0f;
    return i < 41 ? 0.10f + step * static_cast<float>(i) : 0.90f - step * static_cast<float>(80 - i);
  }

  /// Rank of the value at or below a quantile of `count` values.
  [[nodiscard]] static std::size_t rank_below(std::size_t count, float q) {
    return (std::min)(static_cast<std::size_t>(static_cast<float>(count - 1) * q), count - 1);
  }

  /// Quantile with linear interpolation, in float like the reference, of values sorted at least around it.
  [[nodiscard]] static float quantile(const std::vector<float>& sorted, float q) {
    const float position = static_cast<float>(sorted.size() - 1) * q;
    const std::size_t below = rank_below(sorted.size(), q);
    const float low = sorted[below];
    const float high = sorted[(std::min)(below + 1, sorted.size() - 1)];
    return low + (high - low) * (position - static_cast<float>(below));
  }

  /// Parameters and codes of one row of weights w with saliencies s.
  static void code_row(const float* w, const float* s, index columns, float threshold, const group_parameters& group,
                       float* parameters, code* codes) {
    const auto weight = [w](index j) { return static_cast<double>(w[j]); };
    const auto is_salient = [&](index j) { return group.class_of(j) == 1; };
    const auto is_large = [&](index j) { return std::abs(s[j]) >= threshold; };
    const binarization small_part = binarize(columns, weight, [&](index j) { return !is_salient(j) && !is_large(j); });
    const binarization large_part = binarize(columns, weight, [&](index j) { return !is_salient(j) && is_large(j); });
    const binarization first = binarize(columns, weight, is_salient);
    const auto residual = [&](index j) { return weight(j) - first.value(weight(j)); };
    const binarization second = binarize(columns, residual, is_salient);

    const std::array<double, 7> exact{0.5 * (large_part.mean + small_part.mean),
                                      0.5 * (large_part.magnitude + small_part.magnitude),
                                      0.5 * (large_part.magnitude - small_part.magnitude),
                                      0.5 * (large_part.mean - small_part.mean),
                                      first.mean + second.mean,
                                      first.magnitude,
                                      second.magnitude};
    for (std::size_t p = 0; p < exact.size(); ++p) {
      parameters[p] = stored_value<Scale>(static_cast<float>(exact[p]));
    }
    for (index j = 0; j < columns; ++j) {
      const binarization& part = is_salient(j) ? first : is_large(j) ? large_part : small_part;
      const bool sign = weight(j) >= part.mean;
      const bool second_plane = is_salient(j) ? residual(j) >= second.mean : sign == is_large(j);
      codes[j] = static_cast<code>((sign ? 1 : 0) + (second_plane ? 2 : 0));
    }
  }
};

}  // namespace detail

template <class Scale>
coded_group basic_billm_codec<Scale>::code_group(const matrix_view& W, std::span<const float> importance,
                                                 executor_ref executor) const {
  using rule = detail::billm_rule<Scale>;
  const index rows = W.rows();
  const index columns = W.cols();
  matrix S = W;
  if (metric == saliency::hessian) {
    S = S.cwiseAbs2();
    const std::vector<float> weights = detail::fit_weights(importance, columns);
    S.array().rowwise() *= Eigen::Map<const Eigen::Array<float, 1, Eigen::Dynamic>>(weights.data(), columns);
  }
  coded_group result{
      {matrix(rows, parameter_count<basic_billm_codec>), rule::choose_salient(S, salient_limit, executor)},
      basic_matrix<code>(rows, columns)};
  const float threshold = rule::choose_split(S, result.parameters, executor);
  detail::for_each_row_chunk(rows, executor, [&](index first, index count) {
    for (index r = first; r < first + count; ++r) {
      rule::code_row(W.row(r).data(), S.row(r).data(), columns, threshold, result.parameters,
                     result.parameters.values.row(r).data(), result.codes.row(r).data());
    }
  });
  return result;
}

}  // namespace luq

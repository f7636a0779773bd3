// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Everything that published BiLLM (Huang et al., ICML 2024) needs to decode a weight, in the bytes it really takes:
// 2.88 bits with groups of 128 and fp16, where the paper counts 1.08.
//
// In each group a few columns are salient, the same for all rows (column class 1). A salient weight is binarised
// twice, w = mu + a1 s + a2 t. Any other weight belongs to the small or the large part of its row, each binarised once
// around its own mean: w = mu_m + a_m s. Published BiLLM stores for this a sign plane, a second sign plane for salient
// columns and a bitmap of parts. Here both kinds of column are two sign planes, as a kernel wants them: with m = +-1
// for the large or the small part and u = s m (hence m = s u),
//
//   salient   w = p4 + p5 s + p6 u            p4 = mu, p5 = a1, p6 = a2, u = t
//   other     w = p0 + p1 s + p2 u + p3 s u   p0, p3 = (mu_large +- mu_small) / 2,   p1, p2 = (a_large +- a_small) / 2
//
//   tile | plane of s (radix 2) | plane of u (radix 2) | h times p0 | ... | h times p6 |
//   matrix: ... tiles, salient columns first in their group ... | one salient flag per column
//
// code_group() applies the published rule: which columns are salient, where to split the others, and the codes.
// encode() takes the nearest of a column's four values, for quantizers that feed errors from column to column.
// One deviation: a weight equal to the mean of its part has sign 0 in the published code and decodes to that mean;
// a sign bit cannot say so, and it takes sign +1.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "luq/codecs/billm_search.hpp"
#include "luq/codecs/tile_layout.hpp"
#include "luq/codecs/weight_codec.hpp"
#include "luq/core/executor.hpp"
#include "luq/core/is_finite.hpp"

namespace luq {

/// What makes a weight salient.
enum class saliency {
  hessian,    ///< w^2 times the importance of its column; with importance 1/U_jj^2 the published default
  magnitude,  ///< w itself
};

template <class Scale = half>
struct basic_billm_codec {
  index group = 128;                    ///< columns coded at once, >= 1, or whole_row; 128 as published
  saliency metric = saliency::hessian;  ///< hessian as published
  index salient_limit = 50;             ///< salient columns of a group stay below it, >= 1; 50 as published

  static constexpr int parameter_count = 7;  ///< { p0 ... p6 }
  static constexpr int column_classes = 2;
  static constexpr std::array<std::uint16_t, 2> planes{2, 2};  ///< s, u; bit 1 is +1
  static constexpr int components = 3;                         ///< s, u, s u

  [[nodiscard]] std::string name() const {
    return "billm:g" + std::to_string(group) + (metric == saliency::magnitude ? ":magnitude" : "") +
           (salient_limit != 50 ? ":s" + std::to_string(salient_limit) : "") + detail::scale_suffix<Scale>();
  }

  [[nodiscard]] group_parameters fit(const matrix_view& W, std::span<const float> importance,
                                     executor_ref executor = {}) const {
    return code_group(W, importance, executor).parameters;
  }

  /// The published rule for one group (algorithms 1 and 2 of the paper, as the authors' code has them).
  [[nodiscard]] coded_group code_group(const matrix_view& W, std::span<const float> importance,
                                       executor_ref executor = {}) const {
    const index rows = W.rows();
    const index columns = W.cols();
    matrix S = W;
    if (metric == saliency::hessian) {
      S = S.cwiseAbs2();
      // An importance of all zeros says nothing about the columns, as in fit_rows().
      const bool weighted = std::any_of(importance.begin(), importance.end(), [](float h) { return h > 0; });
      if (weighted) {
        S.array().rowwise() *= Eigen::Map<const Eigen::Array<float, 1, Eigen::Dynamic>>(importance.data(), columns);
      }
    }
    coded_group result{{matrix(rows, parameter_count), choose_salient(S, executor)}, basic_matrix<code>(rows, columns)};
    const float threshold = choose_split(S, result.parameters, executor);
    constexpr index rows_of_task = 64;
    executor.parallel_for((rows + rows_of_task - 1) / rows_of_task, [&](index task) {
      for (index r = task * rows_of_task; r < (std::min)(rows, (task + 1) * rows_of_task); ++r) {
        code_row(W.row(r).data(), S.row(r).data(), columns, threshold, result.parameters,
                 result.parameters.values.row(r).data(), result.codes.row(r).data());
      }
    });
    return result;
  }

  [[nodiscard]] code encode(float w, const float* parameters, int column_class) const noexcept {
    code best = 0;
    float least = (std::numeric_limits<float>::max)();
    for (code q = 0; q < 4; ++q) {
      const float distance = std::abs(w - decode(q, parameters, column_class));
      if (distance < least) {
        least = distance;
        best = q;
      }
    }
    return best;
  }
  [[nodiscard]] float decode(code q, const float* parameters, int column_class) const noexcept {
    const auto p = coefficients(parameters, column_class);
    const auto value = [&](int i) { return static_cast<float>(component(q, i)); };
    return p[3] + p[0] * value(0) + p[1] * value(1) + p[2] * value(2);
  }

  [[nodiscard]] index bytes(index rows, index cols) const { return tile_layout(*this, rows, cols).bytes(); }
  [[nodiscard]] index parameter_bytes(index rows) const {
    return parameter_count * rows * static_cast<index>(sizeof(Scale));
  }
  void pack_parameters(const matrix_view& values, std::span<std::byte> bytes) const {
    detail::pack_scales<Scale>(values, bytes);
  }
  template <class Reader>
  constexpr void read_parameters(Reader&& reader) const {
    reader.template scales<Scale>(parameter_count);
  }

  [[nodiscard]] static constexpr int component(code q, int i) noexcept {
    const int s = (q & 1) != 0 ? 1 : -1;
    const int u = (q & 2) != 0 ? 1 : -1;
    return i == 0 ? s : i == 1 ? u : s * u;
  }
  template <class Number>
  [[nodiscard]] constexpr std::array<Number, 4> coefficients(const Number* parameters, int column_class) const noexcept {
    if (column_class == 1) return {parameters[5], parameters[6], Number(0.0f), parameters[4]};
    return {parameters[1], parameters[2], parameters[3], parameters[0]};
  }

  static constexpr int scale_count = 7;
  [[nodiscard]] std::array<float, 7> scale_basis(code q, const float*, int column_class) const noexcept {
    const auto s = static_cast<float>(component(q, 0));
    const auto u = static_cast<float>(component(q, 1));
    if (column_class == 1) return {0, 0, 0, 0, 1, s, u};
    return {1, s, u, s * u, 0, 0, 0};
  }
  [[nodiscard]] bool store_scales(const std::array<float, 7>& scales, float* parameters) const {
    return detail::store_rounded<Scale>(scales, parameters);
  }

  friend bool operator==(const basic_billm_codec&, const basic_billm_codec&) = default;

 private:
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
  [[nodiscard]] std::vector<std::uint8_t> choose_salient(const matrix& S, executor_ref executor) const {
    const index columns = S.cols();
    const Eigen::VectorXd total = S.cwiseAbs().template cast<double>().colwise().sum().transpose();
    std::vector<index> order(static_cast<std::size_t>(columns));
    std::iota(order.begin(), order.end(), index{0});
    std::stable_sort(order.begin(), order.end(), [&](index a, index b) { return total[a] > total[b]; });

    const index candidates = std::max<index>(0, (std::min)(salient_limit, columns) - 1);
    const std::vector<double> errors = detail::billm_search<>::salient_errors(S, order, candidates, executor);
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
    detail::sort_ranks(values, ranks);
    std::vector<float> thresholds;
    for (int i = 0; i <= 80; ++i) thresholds.push_back(quantile(values, percentile(i)));
    const std::ptrdiff_t best = first_least(detail::billm_search<>::split_errors(S, others, thresholds, executor));
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

    const std::array<double, parameter_count> exact{0.5 * (large_part.mean + small_part.mean),
                                                    0.5 * (large_part.magnitude + small_part.magnitude),
                                                    0.5 * (large_part.magnitude - small_part.magnitude),
                                                    0.5 * (large_part.mean - small_part.mean),
                                                    first.mean + second.mean,
                                                    first.magnitude,
                                                    second.magnitude};
    for (std::size_t p = 0; p < exact.size(); ++p) {
      parameters[p] = detail::stored_value<Scale>(static_cast<float>(exact[p]));
    }
    for (index j = 0; j < columns; ++j) {
      const binarization& part = is_salient(j) ? first : is_large(j) ? large_part : small_part;
      const bool sign = weight(j) >= part.mean;
      const bool second_plane = is_salient(j) ? residual(j) >= second.mean : sign == is_large(j);
      codes[j] = static_cast<code>((sign ? 1 : 0) + (second_plane ? 2 : 0));
    }
  }
};

using billm_codec = basic_billm_codec<half>;

static_assert(WeightCodec<billm_codec>);

}  // namespace luq

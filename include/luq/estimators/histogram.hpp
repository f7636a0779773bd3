// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Histograms of a stream of real numbers in one pass: one of a range known beforehand, and one that finds its range.
//
// The growing histogram has cells of width 2^k anchored at zero, cell c covering [c 2^k, (c + 1) 2^k), and no more than
// `max_cells` from its first to its last. Its k is the smallest with which that holds (and with which cell numbers are
// exact in double). When a value does not fit, k grows by one and neighbours 2c and 2c + 1 are merged, which moves no
// other boundary:
//
//   k = 0    |  a  |  b  |  c  |  d  |       then, for a value to the right of them,
//   k = 1    |  a  +  b  |  c  +  d  |     e     |
//
// So the grid depends on the least and the greatest value only, and counts on nothing but the grid: any order and any
// split of the stream into merged parts give the same histogram, exactly for unweighted values, to the rounding of
// sums for others. Not a quantile sketch: resolution is uniform, and one outlier widens every cell.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "luq/core/compiled.hpp"
#include "luq/core/error.hpp"
#include "luq/core/index.hpp"

namespace luq {

/// Counts in equal bins of a fixed range. Bin i holds edge(i) <= value < edge(i + 1); the last also holds `high`.
class fixed_histogram {
 public:
  /// @throws luq::error invalid_argument unless low < high are finite and bins >= 1
  fixed_histogram(double low, double high, index bins);

  /// @throws luq::error non_finite, or invalid_argument for a weight that is not finite and >= 0
  void add(double value, double weight = 1);

  /// Adds the counts of another histogram of the same range and bins.
  /// @throws luq::error shape_mismatch if they differ
  void merge(const fixed_histogram& other);

  [[nodiscard]] index bins() const { return static_cast<index>(counts_.size()); }

  /// Boundary i of 0 ... bins.
  [[nodiscard]] double edge(index i) const;

  /// Weight of each bin.
  [[nodiscard]] std::span<const double> counts() const { return counts_; }

  /// Weight of the values under the range.
  [[nodiscard]] double below() const { return below_; }

  /// Weight of the values over the range.
  [[nodiscard]] double above() const { return above_; }

 private:
  [[nodiscard]] index bin_of(double value) const;

  double low_;
  double high_;
  double below_ = 0;
  double above_ = 0;
  std::vector<double> counts_;
};

/// Counts in cells of a width that doubles whenever the values seen would need too many.
class growing_histogram {
 public:
  /// @param max_cells  most cells from the first to the last, >= 2 (a value on either side of zero never share one)
  /// @throws luq::error invalid_argument
  explicit growing_histogram(index max_cells);

  /// A value of weight 0 does not count, and does not widen the range.
  /// @throws luq::error non_finite, or invalid_argument for a weight that is not finite and >= 0
  void add(double value, double weight = 1);

  /// Takes in what another histogram of the same max_cells has seen.
  /// @throws luq::error shape_mismatch if they differ
  void merge(const growing_histogram& other);

  /// Cells from the first to the last occupied one; 0 before the first value.
  [[nodiscard]] index cells() const { return static_cast<index>(counts_.size()); }

  /// Width of a cell, a power of two.
  [[nodiscard]] double width() const { return std::ldexp(1.0, level_); }

  /// Boundary i of 0 ... cells. Exact; infinite where the last cell reaches beyond the largest double.
  [[nodiscard]] double edge(index i) const;

  /// Weight of each cell; that of the first and of the last is positive.
  [[nodiscard]] std::span<const double> counts() const { return counts_; }

 private:
  static constexpr int smallest_level = -1074;  // exponent of the smallest double

  /// Level at which |value| < 2^53 cells. A function of the magnitude, monotone, so that the final grid depends on the
  /// greatest magnitude and not on when it came.
  [[nodiscard]] static int finest_level(double value);

  [[nodiscard]] std::int64_t cell_of(double value) const;

  [[nodiscard]] std::int64_t last() const { return first_ + static_cast<std::int64_t>(counts_.size()) - 1; }

  /// Whether cells from ... to can be held beside those there are.
  [[nodiscard]] bool fits(std::int64_t from, std::int64_t to) const;

  void coarsen_to(int level);

  void extend(std::int64_t from, std::int64_t to);

  index max_cells_;
  int level_ = smallest_level;  // k
  std::int64_t first_ = 0;      // number of the cell of counts_[0]
  std::vector<double> counts_;
};

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/estimators/impl/histogram.hpp"
#endif

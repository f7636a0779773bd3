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

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "luq/core/assert.hpp"
#include "luq/core/error.hpp"
#include "luq/core/index.hpp"
#include "luq/core/is_finite.hpp"

namespace luq {

namespace detail {

inline void require_countable(double value, double weight) {
  if (!is_finite(value)) fail(errc::non_finite, "histogram: expected a finite value, got ", value);
  if (!is_finite(weight) || weight < 0) {
    fail(errc::invalid_argument, "histogram: expected a finite weight >= 0, got ", weight);
  }
}

}  // namespace detail

/// Counts in equal bins of a fixed range. Bin i holds edge(i) <= value < edge(i + 1); the last also holds `high`.
class fixed_histogram {
 public:
  /// @throws luq::error invalid_argument unless low < high are finite and bins >= 1
  fixed_histogram(double low, double high, index bins) : low_(low), high_(high) {
    if (!is_finite(low) || !is_finite(high) || !is_finite(high - low) || low >= high || bins < 1) {
      fail(errc::invalid_argument, "histogram: expected finite low < high and bins >= 1, got ", low, ", ", high,
           " and ", bins);
    }
    counts_.assign(static_cast<std::size_t>(bins), 0.0);
  }

  /// @throws luq::error non_finite, or invalid_argument for a weight that is not finite and >= 0
  void add(double value, double weight = 1) {
    detail::require_countable(value, weight);
    if (value < low_) {
      below_ += weight;
    } else if (value > high_) {
      above_ += weight;
    } else {
      counts_[static_cast<std::size_t>(bin_of(value))] += weight;
    }
  }

  /// Adds the counts of another histogram of the same range and bins.
  /// @throws luq::error shape_mismatch if they differ
  void merge(const fixed_histogram& other) {
    if (other.low_ != low_ || other.high_ != high_ || other.bins() != bins()) {
      fail(errc::shape_mismatch, "histogram merge: expected [", low_, ", ", high_, "] in ", bins(), " bins, got [",
           other.low_, ", ", other.high_, "] in ", other.bins());
    }
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
    below_ += other.below_;
    above_ += other.above_;
  }

  [[nodiscard]] index bins() const { return static_cast<index>(counts_.size()); }

  /// Boundary i of 0 ... bins.
  [[nodiscard]] double edge(index i) const {
    LUQ_ASSERT(i >= 0 && i <= bins());
    return i == bins() ? high_ : low_ + (high_ - low_) * (static_cast<double>(i) / static_cast<double>(bins()));
  }

  /// Weight of each bin.
  [[nodiscard]] std::span<const double> counts() const { return counts_; }

  /// Weight of the values under the range.
  [[nodiscard]] double below() const { return below_; }

  /// Weight of the values over the range.
  [[nodiscard]] double above() const { return above_; }

 private:
  [[nodiscard]] index bin_of(double value) const {
    const double position = (value - low_) / (high_ - low_) * static_cast<double>(bins());
    index bin = std::clamp(static_cast<index>(position), index{0}, bins() - 1);
    while (bin > 0 && value < edge(bin)) --bin;  // the division rounds; the edges decide
    while (bin + 1 < bins() && value >= edge(bin + 1)) ++bin;
    return bin;
  }

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
  explicit growing_histogram(index max_cells) : max_cells_(max_cells) {
    if (max_cells < 2) fail(errc::invalid_argument, "growing histogram: expected max_cells >= 2, got ", max_cells);
  }

  /// A value of weight 0 does not count, and does not widen the range.
  /// @throws luq::error non_finite, or invalid_argument for a weight that is not finite and >= 0
  void add(double value, double weight = 1) {
    detail::require_countable(value, weight);
    if (weight == 0) return;
    coarsen_to(finest_level(value));
    while (!fits(cell_of(value), cell_of(value))) coarsen_to(level_ + 1);
    const std::int64_t cell = cell_of(value);
    extend(cell, cell);
    counts_[static_cast<std::size_t>(cell - first_)] += weight;
  }

  /// Takes in what another histogram of the same max_cells has seen.
  /// @throws luq::error shape_mismatch if they differ
  void merge(const growing_histogram& other) {
    if (other.max_cells_ != max_cells_) {
      fail(errc::shape_mismatch, "growing histogram merge: expected max_cells ", max_cells_, ", got ",
           other.max_cells_);
    }
    if (other.counts_.empty()) return;
    growing_histogram addend = other;
    coarsen_to(addend.level_);
    addend.coarsen_to(level_);
    while (!fits(addend.first_, addend.last())) {
      coarsen_to(level_ + 1);
      addend.coarsen_to(level_);
    }
    extend(addend.first_, addend.last());
    for (std::size_t i = 0; i < addend.counts_.size(); ++i) {
      counts_[static_cast<std::size_t>(addend.first_ - first_) + i] += addend.counts_[i];
    }
  }

  /// Cells from the first to the last occupied one; 0 before the first value.
  [[nodiscard]] index cells() const { return static_cast<index>(counts_.size()); }

  /// Width of a cell, a power of two.
  [[nodiscard]] double width() const { return std::ldexp(1.0, level_); }

  /// Boundary i of 0 ... cells. Exact; infinite where the last cell reaches beyond the largest double.
  [[nodiscard]] double edge(index i) const {
    LUQ_ASSERT(i >= 0 && i <= cells());
    return std::ldexp(static_cast<double>(first_ + i), level_);
  }

  /// Weight of each cell; that of the first and of the last is positive.
  [[nodiscard]] std::span<const double> counts() const { return counts_; }

 private:
  static constexpr int smallest_level = -1074;  // exponent of the smallest double

  /// Level at which |value| < 2^53 cells. A function of the magnitude, monotone, so that the final grid depends on the
  /// greatest magnitude and not on when it came.
  [[nodiscard]] static int finest_level(double value) {
    return value == 0 ? smallest_level : (std::max)(smallest_level, std::ilogb(value) - 52);
  }

  [[nodiscard]] std::int64_t cell_of(double value) const {
    const double cell = std::floor(std::ldexp(value, -level_));
    return cell == 0 && value < 0 ? -1 : static_cast<std::int64_t>(cell);  // the quotient underflowed to -0
  }

  [[nodiscard]] std::int64_t last() const { return first_ + static_cast<std::int64_t>(counts_.size()) - 1; }

  /// Whether cells from ... to can be held beside those there are.
  [[nodiscard]] bool fits(std::int64_t from, std::int64_t to) const {
    if (counts_.empty()) return to - from < max_cells_;
    return (std::max)(to, last()) - (std::min)(from, first_) < max_cells_;
  }

  void coarsen_to(int level) {
    if (level <= level_) return;
    const int shift = (std::min)(level - level_, 63);  // of numbers below 2^53 nothing but the sign is left by then
    level_ = level;
    if (counts_.empty()) return;
    const std::int64_t old_first = first_;
    const std::int64_t new_last = last() >> shift;
    first_ = old_first >> shift;
    std::vector<double> merged(static_cast<std::size_t>(new_last - first_ + 1), 0.0);
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      const std::int64_t cell = (old_first + static_cast<std::int64_t>(i)) >> shift;
      merged[static_cast<std::size_t>(cell - first_)] += counts_[i];
    }
    counts_ = std::move(merged);
  }

  void extend(std::int64_t from, std::int64_t to) {
    if (counts_.empty()) {
      first_ = from;
      counts_.assign(static_cast<std::size_t>(to - from + 1), 0.0);
      return;
    }
    if (from < first_) {
      counts_.insert(counts_.begin(), static_cast<std::size_t>(first_ - from), 0.0);
      first_ = from;
    }
    if (to > last()) counts_.resize(static_cast<std::size_t>(to - first_ + 1), 0.0);
  }

  index max_cells_;
  int level_ = smallest_level;  // k
  std::int64_t first_ = 0;      // number of the cell of counts_[0]
  std::vector<double> counts_;
};

}  // namespace luq

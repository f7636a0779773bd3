// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <utility>

#include "luq/core/assert.hpp"
#include "luq/core/error.hpp"
#include "luq/core/is_finite.hpp"
#include "luq/estimators/histogram.hpp"

namespace luq {
namespace detail {

LUQ_INLINE void require_countable(double value, double weight) {
  if (!is_finite(value)) fail(errc::non_finite, "histogram: expected a finite value, got ", value);
  if (!is_finite(weight) || weight < 0) {
    fail(errc::invalid_argument, "histogram: expected a finite weight >= 0, got ", weight);
  }
}

}  // namespace detail

LUQ_INLINE fixed_histogram::fixed_histogram(double low, double high, index bins) : low_(low), high_(high) {
  if (!is_finite(low) || !is_finite(high) || !is_finite(high - low) || low >= high || bins < 1) {
    fail(errc::invalid_argument, "histogram: expected finite low < high and bins >= 1, got ", low, ", ", high, " and ",
         bins);
  }
  counts_.assign(static_cast<std::size_t>(bins), 0.0);
}

LUQ_INLINE void fixed_histogram::add(double value, double weight) {
  detail::require_countable(value, weight);
  if (value < low_) {
    below_ += weight;
  } else if (value > high_) {
    above_ += weight;
  } else {
    counts_[static_cast<std::size_t>(bin_of(value))] += weight;
  }
}

LUQ_INLINE void fixed_histogram::merge(const fixed_histogram& other) {
  if (other.low_ != low_ || other.high_ != high_ || other.bins() != bins()) {
    fail(errc::shape_mismatch, "histogram merge: expected [", low_, ", ", high_, "] in ", bins(), " bins, got [",
         other.low_, ", ", other.high_, "] in ", other.bins());
  }
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  below_ += other.below_;
  above_ += other.above_;
}

LUQ_INLINE double fixed_histogram::edge(index i) const {
  LUQ_ASSERT(i >= 0 && i <= bins());
  return i == bins() ? high_ : low_ + (high_ - low_) * (static_cast<double>(i) / static_cast<double>(bins()));
}

LUQ_INLINE index fixed_histogram::bin_of(double value) const {
  const double position = (value - low_) / (high_ - low_) * static_cast<double>(bins());
  index bin = std::clamp(static_cast<index>(position), index{0}, bins() - 1);
  while (bin > 0 && value < edge(bin)) --bin;  // the division rounds; the edges decide
  while (bin + 1 < bins() && value >= edge(bin + 1)) ++bin;
  return bin;
}

LUQ_INLINE growing_histogram::growing_histogram(index max_cells) : max_cells_(max_cells) {
  if (max_cells < 2) fail(errc::invalid_argument, "growing histogram: expected max_cells >= 2, got ", max_cells);
}

LUQ_INLINE void growing_histogram::add(double value, double weight) {
  detail::require_countable(value, weight);
  if (weight == 0) return;
  coarsen_to(finest_level(value));
  while (!fits(cell_of(value), cell_of(value))) coarsen_to(level_ + 1);
  const std::int64_t cell = cell_of(value);
  extend(cell, cell);
  counts_[static_cast<std::size_t>(cell - first_)] += weight;
}

LUQ_INLINE void growing_histogram::merge(const growing_histogram& other) {
  if (other.max_cells_ != max_cells_) {
    fail(errc::shape_mismatch, "growing histogram merge: expected max_cells ", max_cells_, ", got ", other.max_cells_);
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

LUQ_INLINE double growing_histogram::edge(index i) const {
  LUQ_ASSERT(i >= 0 && i <= cells());
  return std::ldexp(static_cast<double>(first_ + i), level_);
}

LUQ_INLINE int growing_histogram::finest_level(double value) {
  return value == 0 ? smallest_level : (std::max)(smallest_level, std::ilogb(value) - 52);
}

LUQ_INLINE std::int64_t growing_histogram::cell_of(double value) const {
  const double cell = std::floor(std::ldexp(value, -level_));
  return cell == 0 && value < 0 ? -1 : static_cast<std::int64_t>(cell);  // the quotient underflowed to -0
}

LUQ_INLINE bool growing_histogram::fits(std::int64_t from, std::int64_t to) const {
  if (counts_.empty()) return to - from < max_cells_;
  return (std::max)(to, last()) - (std::min)(from, first_) < max_cells_;
}

LUQ_INLINE void growing_histogram::coarsen_to(int level) {
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

LUQ_INLINE void growing_histogram::extend(std::int64_t from, std::int64_t to) {
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

}  // namespace luq

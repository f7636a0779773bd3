// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Errors of all candidates of published BiLLM's two searches over a group of saliencies S [rows x columns]: how many
// columns are salient, and where the others are split. With b(x) = mean +- magnitude the best one-bit code of the
// numbers x of a row and d = x - b(x),
//
//   salient   sum over rows of |d - b(d)|^2 for the first i columns, and the same for the others, for each i
//   split     sum over rows of |d|^2 for the small, and for the large, for each threshold
//
// The published code builds masked matrices anew for each of 49 + 81 candidates. Here lanes are rows, a candidate is
// two short passes over a tile of rows in L1, and errors come from sums: with m = mean |x - mean x|,
// |x - b(x)|^2 = sum (x - mean x)^2 - count m^2, and the mean of d is -m (positive - negative) / count, for as many
// signs. Every sum runs over the numbers of its own set alone, never as the difference of two others, so an outlier in
// one set costs the other no digits. In double; no running update over sorted values would be cheaper than these passes
// and keep that.
//
// Rows are cut into chunks whose errors are added in order: the same bits for any number of threads.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>
#include <xsimd/xsimd.hpp>

#include "luq/core/aligned_buffer.hpp"
#include "luq/core/executor.hpp"
#include "luq/core/matrix_view.hpp"

namespace luq::detail {

template <class Arch = xsimd::default_arch>
class billm_search {
  using batch = xsimd::batch<double, Arch>;
  static constexpr index lanes = static_cast<index>(batch::size);
  static constexpr index chunk_rows = 128;  // a multiple of every number of lanes

 public:
  /// Errors where the first 1 ... candidates (< columns) of `order`, all columns of S, are salient.
  [[nodiscard]] static std::vector<double> salient_errors(const matrix_view& S, std::span<const index> order,
                                                          index candidates, executor_ref executor) {
    const auto columns = static_cast<index>(order.size());
    return sum_over_rows(S, order, candidates, executor, [&](const double* x, double* errors) {
      aligned_buffer<double> rest(static_cast<std::size_t>((columns + 1) * lanes), 0.0);  // sums of columns from c on
      for (index c = columns - 1; c > 0; --c) {
        (batch::load_aligned(&rest[at(c + 1)]) + batch::load_aligned(x + c * lanes)).store_aligned(&rest[at(c)]);
      }
      batch sum(0.0);
      for (index i = 1; i <= candidates; ++i) {
        sum += batch::load_aligned(x + (i - 1) * lanes);
        const batch error = twice_binarized_error(x, i, sum) +
                            twice_binarized_error(x + i * lanes, columns - i, batch::load_aligned(&rest[at(i)]));
        (batch::load_aligned(errors + (i - 1) * lanes) + error).store_aligned(errors + (i - 1) * lanes);
      }
    });
  }

  /// Errors where the given columns of S are split into |s| < threshold and |s| >= threshold.
  [[nodiscard]] static std::vector<double> split_errors(const matrix_view& S, std::span<const index> columns,
                                                        std::span<const float> thresholds, executor_ref executor) {
    const auto count = static_cast<index>(columns.size());
    return sum_over_rows(S, columns, static_cast<index>(thresholds.size()), executor,
                         [&](const double* x, double* errors) {
                           for (const float threshold : thresholds) {
                             const batch error = parts_error(x, count, batch(static_cast<double>(threshold)));
                             (batch::load_aligned(errors) + error).store_aligned(errors);
                             errors += lanes;
                           }
                         });
  }

 private:
  [[nodiscard]] static std::size_t at(index c) { return static_cast<std::size_t>(c * lanes); }

  /// Calls add(x, errors) for each tile of rows: x [columns][lanes], to be added to errors [candidates][lanes]. Rows
  /// that a last tile lacks are zeros, without error under any candidate.
  template <class Add>
  [[nodiscard]] static std::vector<double> sum_over_rows(const matrix_view& S, std::span<const index> columns,
                                                         index candidates, executor_ref executor, Add&& add) {
    const index chunks = (S.rows() + chunk_rows - 1) / chunk_rows;
    basic_matrix<double> chunk_errors(chunks, candidates);
    executor.parallel_for(chunks, [&](index chunk) {
      aligned_buffer<double> x(columns.size() * static_cast<std::size_t>(lanes));
      aligned_buffer<double> errors(static_cast<std::size_t>(candidates * lanes), 0.0);
      const index end = (std::min)(S.rows(), (chunk + 1) * chunk_rows);
      for (index first = chunk * chunk_rows; first < end; first += lanes) {
        for (index r = 0; r < lanes; ++r) {
          const float* row = first + r < end ? S.row(first + r).data() : nullptr;
          for (std::size_t c = 0; c < columns.size(); ++c) {
            x[c * static_cast<std::size_t>(lanes) + static_cast<std::size_t>(r)] =
                row != nullptr ? static_cast<double>(row[columns[c]]) : 0.0;
          }
        }
        add(x.data(), errors.data());
      }
      for (index i = 0; i < candidates; ++i) {
        chunk_errors(chunk, i) = 0;
        for (index r = 0; r < lanes; ++r) chunk_errors(chunk, i) += errors[at(i) + static_cast<std::size_t>(r)];
      }
    });
    std::vector<double> result(static_cast<std::size_t>(candidates), 0.0);
    for (index chunk = 0; chunk < chunks; ++chunk) {
      for (index i = 0; i < candidates; ++i) result[static_cast<std::size_t>(i)] += chunk_errors(chunk, i);
    }
    return result;
  }

  /// Rounding below zero taken back; a NaN stays.
  [[nodiscard]] static batch not_negative(const batch& error) {
    return xsimd::select(error < batch(0.0), batch(0.0), error);
  }

  /// |d - b(d)|^2 for `columns` >= 1 numbers x [columns][lanes] of the given sum.
  [[nodiscard]] static batch twice_binarized_error(const double* x, index columns, const batch& sum) {
    const batch count(static_cast<double>(columns));
    const batch one(1.0), zero(0.0);
    const batch mean = sum / count;
    batch distance(0.0), positive(0.0);
    for (index c = 0; c < columns; ++c) {
      const batch value = batch::load_aligned(x + c * lanes);
      distance += xsimd::abs(value - mean);
      positive += xsimd::select(value >= mean, one, zero);
    }
    const batch magnitude = distance / count;
    const batch second_mean = magnitude * (count - (positive + positive)) / count;
    const batch high = mean + magnitude + second_mean;
    const batch low = mean - magnitude + second_mean;
    batch rest(0.0), square(0.0);
    for (index c = 0; c < columns; ++c) {
      const batch value = batch::load_aligned(x + c * lanes);
      const batch difference = value - xsimd::select(value >= mean, high, low);
      rest += xsimd::abs(difference);
      square = xsimd::fma(difference, difference, square);
    }
    return not_negative(square - rest * rest / count);
  }

  /// |d|^2 of the small and of the large of x [columns][lanes].
  [[nodiscard]] static batch parts_error(const double* x, index columns, const batch& threshold) {
    const batch one(1.0), zero(0.0);
    batch small_sum(0.0), large_sum(0.0), large_count(0.0);
    for (index c = 0; c < columns; ++c) {
      const batch value = batch::load_aligned(x + c * lanes);
      const auto large = xsimd::abs(value) >= threshold;
      small_sum += xsimd::select(large, zero, value);
      large_sum += xsimd::select(large, value, zero);
      large_count += xsimd::select(large, one, zero);
    }
    const batch small_count = (xsimd::max)(one, batch(static_cast<double>(columns)) - large_count);
    large_count = (xsimd::max)(one, large_count);
    const batch small_mean = small_sum / small_count;
    const batch large_mean = large_sum / large_count;
    batch small_distance(0.0), large_distance(0.0), square(0.0);
    for (index c = 0; c < columns; ++c) {
      const batch value = batch::load_aligned(x + c * lanes);
      const auto large = xsimd::abs(value) >= threshold;
      const batch difference = value - xsimd::select(large, large_mean, small_mean);
      const batch distance = xsimd::abs(difference);
      small_distance += xsimd::select(large, zero, distance);
      large_distance += xsimd::select(large, distance, zero);
      square = xsimd::fma(difference, difference, square);
    }
    return not_negative(square - small_distance * small_distance / small_count -
                        large_distance * large_distance / large_count);
  }
};

/// Puts into values[rank], for each of the ascending ranks, what would stand there if the values, all >= 0, were
/// sorted; what the others become has no meaning. Only values that share their leading bits with one sought are sorted.
inline void sort_ranks(std::span<float> values, std::span<const std::size_t> ranks) {
  const auto bin_of = [](float value) { return std::bit_cast<std::uint32_t>(value) >> 15; };
  struct bin {
    std::size_t count = 0;
    std::size_t first = 0;  // in `kept`
    bool sought = false;
  };
  std::vector<bin> bins(std::size_t{1} << 16);
  for (const float value : values) ++bins[bin_of(value)].count;
  const auto for_each_sought = [&](auto&& visit) {  // visit(bin, rank of its first value, its ranks)
    std::size_t begin = 0;
    std::size_t done = 0;
    for (bin& each : bins) {
      const std::size_t first_rank = done;
      while (done < ranks.size() && ranks[done] < begin + each.count) ++done;
      if (done > first_rank) visit(each, begin, ranks.subspan(first_rank, done - first_rank));
      begin += each.count;
    }
  };
  std::size_t total = 0;
  for_each_sought([&](bin& each, std::size_t, std::span<const std::size_t>) {
    each.sought = true;
    each.first = total;
    total += each.count;
  });
  std::vector<float> kept(total);
  for (const float value : values) {
    bin& each = bins[bin_of(value)];
    if (each.sought) kept[each.first++] = value;
  }
  for_each_sought([&](bin& each, std::size_t begin, std::span<const std::size_t> ranks_of_bin) {
    const auto end = kept.begin() + static_cast<std::ptrdiff_t>(each.first);
    const auto first = end - static_cast<std::ptrdiff_t>(each.count);
    std::sort(first, end);
    for (const std::size_t rank : ranks_of_bin) values[rank] = first[static_cast<std::ptrdiff_t>(rank - begin)];
  });
}

}  // namespace luq::detail

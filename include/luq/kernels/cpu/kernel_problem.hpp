// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Products with known results, for verify_kernels.hpp. Activations are integers, -127 ... 127 with 127 in each run,
// times a power of two for each token: rounding them to 8 bits changes nothing, and the result of the reference holds
// for all modes, to the rounding of floats and to what a mode rounds beside activations.
#pragma once

#include <cmath>

#include "luq/core/random_matrix.hpp"
#include "luq/kernels/cpu/stages/product_stages.hpp"
#include "luq/kernels/matmul_options.hpp"
#include "luq/kernels/reference.hpp"

namespace luq::detail {

/// Y = X W^T of random weights and activations.
template <WeightCodec Codec>
struct kernel_problem {
  packed_matrix<Codec> W;
  matrix X;          ///< [tokens x cols]
  matrix product;    ///< [tokens x rows] by the reference
  matrix rounding;   ///< [tokens x rows] bound of the error in float32 and int8 mode
  matrix of_levels;  ///< [tokens x rows] what rounding levels of weights adds, if it happens
  matrix of_tables;  ///< [tokens x rows] what rounding tables adds, if it happens

  /// Bound of the error of the first `tokens` tokens.
  [[nodiscard]] matrix bound(index tokens, activation_mode mode) const {
    matrix result = rounding.topRows(tokens);
    if (mode != activation_mode::float32 && tokens >= tokens_of_levels) result += of_levels.topRows(tokens);
    if (mode == activation_mode::lookup && tokens == 1) result += of_tables.topRows(tokens);
    return result;
  }
};

/// Random codes under parameters that suit uniform weights.
template <WeightCodec Codec>
[[nodiscard]] coded_matrix<Codec> random_codes(const Codec& codec, index rows, index cols, const counter_rng& rng) {
  coded_matrix<Codec> coded(codec, rows, cols);
  constexpr index fitted_rows = 8;  // whose parameters all rows take in turn, for some codecs fit long
  const matrix W = random_uniform_matrix(fitted_rows, cols, rng);
  const index size = group_size(codec, cols);
  for (index first = 0; first < cols; first += size) {
    group_parameters& group = coded.groups[static_cast<std::size_t>(first / size)];
    group = fit_group(codec, W.middleCols(first, (std::min)(size, cols - first)), {});
    group.values = matrix(group.values.replicate((rows + fitted_rows - 1) / fitted_rows, 1).topRows(rows));
  }
  for (index r = 0; r < rows; ++r) {
    for (index c = 0; c < cols; ++c) {
      const auto symbol = rng.below(static_cast<std::uint64_t>(r * cols + c), levels<Codec>());
      if constexpr (SequenceCodec<Codec>) {
        coded.codes(r, c) = Codec::next(c % size == 0 ? code{0} : coded.codes(r, c - 1), static_cast<int>(symbol));
      } else {
        coded.codes(r, c) = static_cast<code>(symbol);
      }
    }
  }
  return coded;
}

template <WeightCodec Codec>
[[nodiscard]] kernel_problem<Codec> make_kernel_problem(const Codec& codec, index rows, index cols, index tokens) {
  const coded_matrix<Codec> coded = random_codes(codec, rows, cols, counter_rng(1));
  kernel_problem<Codec> problem{pack(coded), matrix(tokens, cols), matrix(tokens, rows), {}, {}, {}};
  const packed_matrix<Codec>& W = problem.W;

  const counter_rng rng(2);
  const auto unit_of = [](index t) { return std::ldexp(1.0f, static_cast<int>(t % 5) - 2); };
  const run_list<Codec> runs(W);
  for (index t = 0; t < tokens; ++t) {
    for (index c = 0; c < cols; ++c) {
      const auto integer = static_cast<int>(rng.below(static_cast<std::uint64_t>(t * cols + c), 255)) - 127;
      problem.X(t, c) = static_cast<float>(integer) * unit_of(t);
    }
    for (const activation_run& run : runs.all()) {
      const index place = W.layout().first_column(run.group) + run.first;
      const index column = W.stored_columns().empty() ? place : W.stored_columns()[static_cast<std::size_t>(place)];
      problem.X(t, column) = 127.0f * unit_of(t);
    }
  }
  matmul_reference(W, problem.X, problem.product);

  // Magnitudes of what is added up for each weight, and of what rounded levels and tables take the place of.
  matrix terms(rows, cols);
  matrix greatest_levels = matrix::Zero(rows, cols);
  matrix of_table_sums = matrix::Zero(rows, cols);
  const index size = group_size(codec, cols);
  for (index r = 0; r < rows; ++r) {
    for (index c = 0; c < cols; ++c) {
      const group_parameters& group = coded.groups[static_cast<std::size_t>(c / size)];
      const auto a = luq::coefficients(codec, group.row(r), group.class_of(c % size));
      terms(r, c) = std::abs(a.back());
      for (int i = 0; i < component_count<Codec>; ++i) {
        const float coefficient = std::abs(a[static_cast<std::size_t>(i)]);
        terms(r, c) += coefficient * static_cast<float>(std::abs(Codec::component(coded.codes(r, c), i)));
        if constexpr (has_exact_forms<Codec> && has_only_bit_planes<Codec>) {
          constexpr auto sum_of_factors = [](int component) {
            const auto form = form_of_component<Codec>(component);
            int sum = std::abs(form.product);
            for (const int factor : form.factor) sum += std::abs(factor);
            return sum;
          };
          of_table_sums(r, c) += coefficient * 0.5f * static_cast<float>(sum_of_factors(i));
        }
      }
      if constexpr (component_count<Codec> > 1 && levels<Codec>() == 4) {
        for (code q = 0; q < 4; ++q) {
          const float level = decode_weight(codec, q, group.row(r), group.class_of(c % size));
          greatest_levels(r, c) = (std::max)(greatest_levels(r, c), std::abs(level));
        }
      }
    }
  }
  // A sum of n floats is off by at most n 2^-24 of the sum of magnitudes; a run adds two numbers for each term.
  const auto additions =
      static_cast<float>(cols + 2 * static_cast<index>(runs.all().size()) * (component_count<Codec> + 1) + 8);
  const matrix magnitudes = problem.X.cwiseAbs();
  problem.rounding = additions * 0x1p-24f * (magnitudes * terms.transpose());
  constexpr float half_step = 0.5f + 127 * 4 * 0x1p-24f;  // what is rounded to 8 bits was scaled in float before
  problem.of_levels = half_step / 127.0f * (magnitudes * greatest_levels.transpose());
  // Entries of tables are off by half a step of four activations, a step being that of the greatest sum of four.
  problem.of_tables.resize(tokens, rows);
  for (index t = 0; t < tokens; ++t) {
    problem.of_tables.row(t) = half_step * unit_of(t) * of_table_sums.rowwise().sum().transpose();
  }
  return problem;
}

}  // namespace luq::detail

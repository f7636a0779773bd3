// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Random packed matrices of every codec, and what a product with one of them may be. Bounds are the textbook ones: a
// sum of n floats is off by at most n * 2^-24 of the sum of magnitudes, whatever its order and whether or not
// multiplications are fused. The magnitudes are those of the terms of the codec's linear form, not of the weights:
// a weight may be the small difference of a code and a zero point.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>
#include <variant>
#include <vector>

#include "codecs/random_coded_matrix.hpp"
#include "luq/codecs/any_packed_matrix.hpp"
#include "luq/core/random.hpp"
#include "luq/kernels/cpu/stages/activations.hpp"
#include "luq/kernels/dispatch.hpp"
#include "luq/kernels/matmul.hpp"
#include "quantizers/codec_list.hpp"

namespace luq_test {

using double_matrix = luq::basic_matrix<double>;

inline std::vector<luq::any_codec> all_codecs(luq::index group) {
  std::vector<luq::any_codec> result;
  for_each_codec(group, [&](const auto& codec) { result.emplace_back(codec); });
  return result;
}

/// A packed matrix and what it stands for, taken from what was packed and not from the packed bytes.
struct packed_problem {
  luq::any_packed_matrix packed;
  double_matrix W;                // [rows x cols]
  double_matrix terms;            // [rows x cols] sum of the magnitudes of the terms of each weight's linear form
  double_matrix greatest_levels;  // [rows x cols] greatest magnitude that a code of the row, group and class stands for
  int terms_of_weight;

  /// int8 products of so many tokens round levels of weights.
  [[nodiscard]] bool rounds_levels(luq::index tokens) const {
    return terms_of_weight > 2 && tokens >= luq::tokens_of_levels;
  }
};

inline packed_problem make_packed_problem(const luq::any_codec& any, luq::index rows, luq::index cols,
                                          std::uint64_t seed) {
  return std::visit(
      [&](const auto& codec) {
        using Codec = std::decay_t<decltype(codec)>;
        const auto coded = random_coded_matrix(codec, rows, cols, seed);
        packed_problem problem{luq::pack(coded), double_matrix(rows, cols), double_matrix::Zero(rows, cols),
                               double_matrix::Zero(rows, cols), luq::component_count<Codec> + 1};
        for (luq::index c = 0; c < cols; ++c) {
          const luq::index size = luq::group_size(codec, cols);
          const luq::group_parameters& group = coded.groups[static_cast<std::size_t>(c / size)];
          for (luq::index r = 0; r < rows; ++r) {
            const luq::code q = coded.codes(r, c);
            problem.W(r, c) = static_cast<double>(luq::decode_weight(codec, q, group.row(r), group.class_of(c % size)));
            const auto a = luq::coefficients(codec, group.row(r), group.class_of(c % size));
            for (int i = 0; i < luq::component_count<Codec>; ++i) {
              problem.terms(r, c) +=
                  std::abs(static_cast<double>(a[static_cast<std::size_t>(i)]) * Codec::component(q, i));
            }
            problem.terms(r, c) += std::abs(static_cast<double>(a.back()));
            for (int level = 0; luq::component_count<Codec> > 1 && level < luq::code_count<Codec>(); ++level) {
              const auto w =
                  luq::decode_weight(codec, static_cast<luq::code>(level), group.row(r), group.class_of(c % size));
              problem.greatest_levels(r, c) = std::max(problem.greatest_levels(r, c), std::abs(double{w}));
            }
          }
        }
        return problem;
      },
      any);
}

/// A B^T in double.
inline double_matrix double_product(const double_matrix& A, const double_matrix& B) {
  double_matrix result(A.rows(), B.rows());
  for (luq::index i = 0; i < A.rows(); ++i) {
    for (luq::index j = 0; j < B.rows(); ++j) {
      double sum = 0;
      for (luq::index k = 0; k < A.cols(); ++k) sum += A(i, k) * B(j, k);
      result(i, j) = sum;
    }
  }
  return result;
}

/// Columns of a group in stored order: those of class 1, then those of class 0.
inline std::vector<luq::index> stored_order(const std::vector<std::uint8_t>& classes, luq::index columns) {
  std::vector<luq::index> order;
  for (const int wanted : {1, 0}) {
    for (luq::index c = 0; c < columns; ++c) {
      if ((classes.empty() ? 0 : classes[static_cast<std::size_t>(c)]) == wanted) order.push_back(c);
    }
  }
  return order;
}

/// X quantized for W.
template <class Arch, class Codec>
auto quantized_on(const luq::packed_matrix<Codec>& W, const luq::matrix_view& X) {
  luq::detail::quantized_activations result(W, X.rows());
  for (luq::index block = 0; block < result.blocks(); ++block) {
    luq::detail::quantize_block<Arch>(X.data(), X.outerStride(), block, result);
  }
  return result;
}

/// Activations as int8 products see them, columns in the order of the matrix.
struct rounded_activations {
  double_matrix values;  // [tokens x cols] scale * q
  double_matrix scales;  // [tokens x cols] scale of the run that holds the column
  luq::index runs;
};

template <class Arch = luq::default_arch>
rounded_activations round_activations(const luq::any_packed_matrix& packed, const luq::matrix& X) {
  return std::visit(
      [&](const auto& W) {
        const auto quantized = quantized_on<Arch>(W, X);
        rounded_activations result{double_matrix(X.rows(), X.cols()), double_matrix(X.rows(), X.cols()),
                                   quantized.run_count()};
        for (luq::index i = 0; i < quantized.run_count(); ++i) {
          const luq::detail::activation_run& run = quantized.runs[static_cast<std::size_t>(i)];
          const std::vector<luq::index> order =
              stored_order(W.column_classes(run.group), W.layout().columns_of(run.group));
          for (luq::index place = run.first; place < run.end; ++place) {
            const luq::index column = W.layout().first_column(run.group) + order[static_cast<std::size_t>(place)];
            for (luq::index t = 0; t < X.rows(); ++t) {
              result.scales(t, column) = static_cast<double>(quantized.scale(t, i));
              result.values(t, column) = result.scales(t, column) * quantized.value(t, run, place);
            }
          }
        }
        return result;
      },
      packed);
}

/// ||Y - exact|| / ||exact||.
inline double relative_error(const luq::matrix_view& Y, const double_matrix& exact) {
  double difference = 0;
  double norm = 0;
  for (luq::index t = 0; t < Y.rows(); ++t) {
    for (luq::index r = 0; r < Y.cols(); ++r) {
      difference += std::pow(static_cast<double>(Y(t, r)) - exact(t, r), 2);
      norm += std::pow(exact(t, r), 2);
    }
  }
  return std::sqrt(difference / norm);
}

/// What Y must be, to within a bound for each element.
struct expectation {
  double_matrix value;
  double_matrix bound;

  [[nodiscard]] expectation top(luq::index tokens) const { return {value.topRows(tokens), bound.topRows(tokens)}; }

  /// Elements of Y that break the bound; a NaN does.
  [[nodiscard]] luq::index violations(const luq::matrix_view& Y) const {
    luq::index count = 0;
    for (luq::index t = 0; t < Y.rows(); ++t) {
      for (luq::index r = 0; r < Y.cols(); ++r) {
        if (!(std::abs(static_cast<double>(Y(t, r)) - value(t, r)) <= bound(t, r))) ++count;
      }
    }
    return count;
  }
};

/// Bound of a float sum of `length` terms whose magnitudes sum to `magnitudes`; the second term is for denormals.
inline double_matrix rounding_bound(luq::index length, const double_matrix& magnitudes) {
  const auto n = static_cast<double>(length);
  return (n * 0x1p-24 * magnitudes.array() + n * 0x1p-149).matrix();
}

/// float32 products: those with the unpacked matrix, to float rounding.
inline expectation expect_float32(const packed_problem& problem, const luq::matrix& X) {
  const double_matrix x = X.cast<double>();
  return {double_product(x, problem.W),
          rounding_bound(X.cols() + problem.terms_of_weight + 2, double_product(x.cwiseAbs(), problem.terms))};
}

/// int8 products as products with rounded activations: the sums over runs are exact, only their scaling and addition
/// rounds. From tokens_of_levels tokens on, weights of codecs of several components are off by greatest / 254.
inline expectation expect_rounded(const packed_problem& problem, const luq::matrix& X) {
  const rounded_activations x = round_activations(problem.packed, X);
  const luq::index length = 2 * x.runs * problem.terms_of_weight + 3;  // a run adds two numbers for each term
  expectation result{double_product(x.values, problem.W),
                     rounding_bound(length, double_product(x.values.cwiseAbs(), problem.terms))};
  if (problem.rounds_levels(X.rows())) {
    const double half_step = (0.5 + 127 * 4 * 0x1p-24) / 127;  // the level is scaled in float before it is rounded
    result.bound += half_step * double_product(x.values.cwiseAbs(), problem.greatest_levels);
  }
  return result;
}

/// int8 products as products with the activations themselves: sum_runs scale/2 sum |w|.
inline expectation expect_int8(const packed_problem& problem, const luq::matrix& X) {
  const rounded_activations x = round_activations(problem.packed, X);
  constexpr double half_step = 0.5 + 127 * 3 * 0x1p-24;  // x / scale is rounded twice before it is rounded to q
  return {double_product(X.cast<double>(), problem.W),
          half_step * double_product(x.scales, problem.W.cwiseAbs()) + expect_rounded(problem, X).bound};
}

inline constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();

/// Calls check() for each implementation of luq::dispatch that this machine can run, with that one pinned.
template <class Check>
void for_each_implementation(Check&& check) {
  for (const luq::dispatch::implementation& kernels : luq::dispatch::implementations()) {
    CAPTURE(std::string(kernels.name));
    luq::dispatch::pin(kernels.name);
    check();
  }
  luq::dispatch::unpin();
}

/// The product by the current implementation, in a matrix that held NaNs, so that an element that is not written shows.
template <class E = luq::serial_executor>
luq::matrix multiplied(const luq::any_packed_matrix& packed, const luq::matrix_view& X, luq::activation_mode mode,
                       const E& executor = {}) {
  luq::matrix Y = luq::matrix::Constant(X.rows(), luq::rows_of(packed), not_a_number);
  luq::dispatch::matmul(packed, X, Y, {.activations = mode}, executor);
  return Y;
}

/// The same by kernels compiled into the test.
template <class Arch>
luq::matrix multiplied_on(const luq::any_packed_matrix& packed, const luq::matrix_view& X, luq::activation_mode mode) {
  luq::matrix Y = luq::matrix::Constant(X.rows(), luq::rows_of(packed), not_a_number);
  std::visit([&](const auto& W) { luq::matmul<Arch>(W, X, Y, {.activations = mode}); }, packed);
  return Y;
}

}  // namespace luq_test

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What verify_kernels() does with the stages of one implementation and one codec.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "luq/codecs/int_codec.hpp"
#include "luq/core/error.hpp"
#include "luq/core/is_finite.hpp"
#include "luq/core/random_matrix.hpp"
#include "luq/kernels/cpu/kernel_problem.hpp"
#include "luq/kernels/cpu/stages/multiply.hpp"
#include "luq/kernels/matmul_options.hpp"

namespace luq::detail {

/// Checks the stages of one implementation for one codec.
template <class Stages, WeightCodec Codec>
class kernel_verifier {
 public:
  kernel_verifier(std::string_view kernels, const Stages& stages, const kernel_problem<Codec>& problem)
      : kernels_(kernels), stages_(stages), problem_(problem) {}

  /// The product of the first `tokens` tokens. Returns the greatest error of an element, as a share of its bound.
  [[nodiscard]] double verify_product(index tokens, activation_mode mode) {
    const index rows = problem_.W.rows();
    // Neighbours of X that a kernel must not use, and one of Y that it must not write.
    matrix X = matrix::Constant(tokens, problem_.W.cols() + 3, not_a_number);
    X.leftCols(problem_.W.cols()) = problem_.X.topRows(tokens);
    matrix Y = matrix::Constant(tokens, rows + 1, not_a_number);
    Y.col(rows).setConstant(untouched);
    const auto multiply_into_Y = [&](bool accumulate, const float* bias) {
      const matmul_options options{.activations = mode, .accumulate = accumulate, .bias = bias};
      multiply(stages_, problem_.W, X.leftCols(problem_.W.cols()), Y.leftCols(rows), options, serial_executor());
    };
    multiply_into_Y(false, nullptr);
    matrix expected = problem_.product.topRows(tokens);
    matrix bound = problem_.bound(tokens, mode) + 0x1p-24f * expected.cwiseAbs();
    const double error = compare(Y, expected, bound, mode);

    const matrix bias = random_uniform_matrix(1, rows, counter_rng(3));
    multiply_into_Y(true, bias.data());
    expected = 2.0f * expected + bias.replicate(tokens, 1);
    bound = 2.0f * bound + 0x1p-22f * expected.cwiseAbs();
    const double error_of_sum = compare(Y, expected, bound, mode);
    return (std::max)(error, error_of_sum);
  }

  /// Activations that do not happen to be integers, rounded.
  void verify_quantization(index tokens) {
    const matrix X = random_uniform_matrix(tokens, problem_.W.cols(), counter_rng(4));
    const quantized_activations<Stages> quantized(problem_.W, tokens);
    stages_.quantize(X.data(), X.cols(), 0, quantized.blocks(), quantized);
    for (index t = 0; t < tokens; ++t) {
      for (index i = 0; i < quantized.run_count(); ++i) verify_run(X, quantized, t, i);
    }
  }

 private:
  static constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();
  static constexpr float untouched = 42.0f;

  /// The greatest error as a share of its bound.
  [[nodiscard]] double compare(const matrix& Y, const matrix& expected, const matrix& bound,
                               activation_mode mode) const {
    double greatest = 0;
    for (index t = 0; t < expected.rows(); ++t) {
      for (index r = 0; r < expected.cols(); ++r) {
        const double error = std::abs(static_cast<double>(Y(t, r)) - static_cast<double>(expected(t, r)));
        if (!is_finite(Y(t, r)) || error > static_cast<double>(bound(t, r))) {
          fail_at(expected.rows(), mode, "element (", t, ", ", r, ") is ", Y(t, r), ", expected ", expected(t, r),
                  " to within ", bound(t, r));
        }
        if (error > 0) greatest = (std::max)(greatest, error / static_cast<double>(bound(t, r)));
      }
      if (Y(t, expected.cols()) != untouched) {
        fail_at(expected.rows(), mode, "writes beyond the last row of token ", t);
      }
    }
    return greatest;
  }

  void verify_run(const matrix& X, const activation_view& quantized, index t, index i) const {
    const activation_run& run = quantized.runs[static_cast<std::size_t>(i)];
    const float scale = quantized.scale(t, i);
    float greatest = 0;
    int sum = 0;
    for (index place = run.first; place < run.end; ++place) {
      const index stored = problem_.W.layout().first_column(run.group) + place;
      const float x =
          X(t, quantized.stored_columns.empty() ? stored : quantized.stored_columns[static_cast<std::size_t>(stored)]);
      const int q = quantized.value(t, run, place);
      greatest = (std::max)(greatest, std::abs(x));
      sum += q;
      if (!is_finite(scale) || std::abs(x - scale * static_cast<float>(q)) > (0.5f + 127 * 4 * 0x1p-24f) * scale) {
        fail_at(X.rows(), activation_mode::int8, "activation ", x, " of token ", t, " is rounded to ", q, " times ",
                scale);
      }
    }
    if (scale != greatest / 127.0f || sum != quantized.sum(t, i)) {
      fail_at(X.rows(), activation_mode::int8, "run ", i, " of token ", t, " has scale ", scale, " and sum ",
              quantized.sum(t, i), ", expected ", greatest / 127.0f, " and ", sum);
    }
  }

  template <class... Parts>
  [[noreturn]] void fail_at(index tokens, activation_mode mode, const Parts&... parts) const {
    const char* name = mode == activation_mode::float32 ? "float32" : mode == activation_mode::int8 ? "int8" : "lookup";
    fail(errc::faulty_kernel, "kernels ", kernels_, ", codec ", codec_name(problem_.W.codec()), ", [",
         problem_.W.rows(), " x ", problem_.W.cols(), "] weights, [", tokens, " x ", problem_.W.cols(),
         "] activations in ", name, ": ", parts...);
  }

  std::string_view kernels_;
  const Stages& stages_;
  const kernel_problem<Codec>& problem_;
};

/// @param done  called for each product with its tokens, mode and error
template <class Stages, WeightCodec Codec, class Done>
void verify_stages(std::string_view kernels, const Stages& stages, const kernel_problem<Codec>& problem, Done&& done) {
  kernel_verifier<Stages, Codec> verifier(kernels, stages, problem);
  verifier.verify_quantization((std::min)(problem.X.rows(), tokens_of_block + 2));
  for (const activation_mode mode : {activation_mode::float32, activation_mode::int8, activation_mode::lookup}) {
    done(index{1}, mode, verifier.verify_product(1, mode));
    if (mode != activation_mode::lookup) done(problem.X.rows(), mode, verifier.verify_product(problem.X.rows(), mode));
  }
}

/// Calls check(problem) for problems of every codec of a std::variant.
template <class... Codec, class Check>
void for_each_kernel_problem(std::type_identity<std::variant<Codec...>>, Check&& check) {
  const auto check_codec = [&](auto codec) {
    // Groups that end within a word, a last one of some columns, and a second row tile of some rows.
    codec.group = 40;
    check(make_kernel_problem(codec, 70, 126, 6));
    // A group of two runs, and so many tokens that levels are rounded.
    codec.group = whole_row;
    check(make_kernel_problem(codec, 5, 288, tokens_of_levels + 1));
  };
  (check_codec(Codec{}), ...);
  check_codec(int_codec<4>{.symmetric = true});
}

}  // namespace luq::detail

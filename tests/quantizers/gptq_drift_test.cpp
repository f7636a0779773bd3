// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Column feedback behind quantized layers: gptq with the drift of its inputs.
#include <doctest/doctest.h>

#include <Eigen/Cholesky>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "codec_list.hpp"
#include "estimators/error_of.hpp"
#include "linear_problem.hpp"
#include "luq/core/openmp_executor.hpp"
#include "luq/core/random_matrix.hpp"
#include "luq/estimators/hessian.hpp"
#include "luq/estimators/input_drift.hpp"
#include "luq/quantizers/gptq.hpp"
#include "luq/quantizers/quantize.hpp"
#include "quantize_problem.hpp"

using luq::gptq;
using luq::matrix;

namespace {

/// A linear behind a quantized one: X are its inputs behind the float layer, X_hat behind the quantized one.
struct second_linear {
  matrix W;
  matrix X;
  matrix X_hat;
  matrix H;  // of X_hat
  matrix D;

  second_linear(luq::index out, luq::index in, luq::index tokens, std::uint64_t seed) {
    const auto first = luq_test::make_linear_problem(in, 48, tokens, seed);
    const matrix Q = luq_test::quantize_codes(first.W, first.H, luq::int_codec<2>{.group = 16}, gptq{}).decode();
    X = (first.X * first.W.transpose()).cwiseMax(0.0f);
    X_hat = (first.X * Q.transpose()).cwiseMax(0.0f);
    W = luq::random_normal_matrix(out, in, luq::counter_rng(seed, 3));
    luq::hessian inputs(in);
    inputs.add(X_hat);
    H = inputs.matrix();
    luq::input_drift drift(in);
    drift.add(X, X_hat);
    D = drift.matrix();
  }

  /// ||W X^T - Q X_hat^T||^2 / ||W X^T||^2: against the output of the model that is float throughout.
  [[nodiscard]] double error(const matrix& Q) const {
    const Eigen::MatrixXd expected = W.cast<double>() * X.cast<double>().transpose();
    return (expected - Q.cast<double>() * X_hat.cast<double>().transpose()).squaredNorm() / expected.squaredNorm();
  }
};

/// Column feedback as its definition reads, in double: after column j is coded, the columns after it take what is best
/// for the error of j (a solve with their part of H) and for its drift (another).
template <class Codec>
luq::basic_matrix<luq::code> defined_codes(const second_linear& linear, const Codec& codec, double share,
                                           const std::vector<int>& visit) {
  Eigen::MatrixXd H = linear.H.cast<double>();
  H.diagonal().array() += 0.01 * H.diagonal().mean();
  H = Eigen::MatrixXd(H(visit, visit));
  const Eigen::MatrixXd D = linear.D.cast<double>()(visit, visit);
  Eigen::MatrixXd w = linear.W.cast<double>()(Eigen::seqN(0, linear.W.rows()), visit);
  luq::basic_matrix<luq::code> codes(w.rows(), w.cols());
  for (luq::index j = 0; j < w.cols(); ++j) {
    const luq::index column = visit[static_cast<std::size_t>(j)];
    const luq::index group = column / codec.group;
    const auto parameters = luq::fit_group(codec, linear.W.middleCols(group * codec.group, codec.group), {});
    const luq::index later = w.cols() - j - 1;
    Eigen::VectorXd error(w.rows());
    for (luq::index r = 0; r < w.rows(); ++r) {
      codes(r, column) = codec.encode(static_cast<float>(w(r, j)), parameters.row(r), 0);
      error[r] = w(r, j) - static_cast<double>(luq::decode_weight(codec, codes(r, column), parameters.row(r), 0));
    }
    if (later == 0) break;
    const auto solver = H.bottomRightCorner(later, later).llt();
    const Eigen::VectorXd for_error = solver.solve(H.row(j).tail(later).transpose());
    const Eigen::VectorXd for_drift = solver.solve(D.row(j).tail(later).transpose());
    w.rightCols(later) += error * for_error.transpose() + share * w.col(j) * for_drift.transpose();
  }
  return codes;
}

}  // namespace

TEST_CASE("drift is compensated as the definition in double has it, with every codec and in both orders") {
  const second_linear linear(9, 160, 900, 1);
  std::vector<int> natural(160);
  std::iota(natural.begin(), natural.end(), 0);
  std::vector<int> activation = natural;
  std::stable_sort(activation.begin(), activation.end(), [&](int a, int b) { return linear.H(a, a) > linear.H(b, b); });
  luq_test::for_each_memoryless_codec(32, [&](const auto& codec) {
    if constexpr (luq::column_class_count<std::decay_t<decltype(codec)>> == 1) {
      for (const double share : {0.25, 1.0}) {
        CAPTURE(luq::codec_name(codec));
        CAPTURE(share);
        gptq quantizer{.static_groups = true, .weighted_fit = false, .drift_share = share};
        const auto same_codes = [&](const std::vector<int>& visit) {
          const auto codes = luq_test::quantize_codes_with_drift(linear.W, linear.H, linear.D, codec, quantizer).codes;
          const auto equal = (codes.array() == defined_codes(linear, codec, share, visit).array()).count();
          return static_cast<double>(equal) / static_cast<double>(codes.size());
        };
        // Rounding may flip a weight that lies between two codes, and those after it in its row.
        CHECK(same_codes(natural) > 0.97);
        quantizer.order = luq::column_order::activation;
        CHECK(same_codes(activation) > 0.97);
      }
    }
  });
}

TEST_CASE("behind a quantized layer, the output is closer to that of the float model") {
  std::vector<second_linear> linears;
  for (const unsigned seed : {2u, 7u, 8u, 9u}) linears.emplace_back(40, 96, 2000, seed);
  luq_test::for_each_memoryless_codec(32, [&](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    double ignored = 0;
    double published = 0;
    double whole = 0;
    for (const second_linear& linear : linears) {
      const auto error = [&](const gptq& quantizer) {
        return linear.error(
            luq_test::quantize_codes_with_drift(linear.W, linear.H, linear.D, codec, quantizer).decode());
      };
      ignored += error({});
      published += error({.drift_share = luq::gptaq_drift_share});
      whole += error({.drift_share = 1});
    }
    CHECK(whole < 0.95 * ignored);
    if (luq::levels<std::decay_t<decltype(codec)>>() > 2) {
      CHECK(published < 0.95 * ignored);
    } else {
      CHECK(published < 1.02 * ignored);  // a quarter of the drift is too little for signs to tell
    }
  });
}

TEST_CASE("without drift, or with none of it compensated, the codes are those of plain column feedback") {
  const second_linear linear(12, 64, 400, 3);
  const matrix none = matrix::Zero(64, 64);
  luq_test::for_each_memoryless_codec(16, [&](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    const auto plain = luq_test::quantize_codes(linear.W, linear.H, codec, gptq{});
    const auto zero = luq_test::quantize_codes_with_drift(linear.W, linear.H, none, codec,
                                                          gptq{.drift_share = luq::gptaq_drift_share});
    const auto ignored = luq_test::quantize_codes_with_drift(linear.W, linear.H, linear.D, codec, gptq{});
    CHECK(zero.codes == plain.codes);
    CHECK(ignored.codes == plain.codes);
  });
}

TEST_CASE("with drift, the result is the same bits for any number of threads, packed or not") {
  const second_linear linear(300, 290, 700, 4);
  const luq::int_codec<3> codec{.group = 64};
  for (const auto order : {luq::column_order::natural, luq::column_order::activation}) {
    const gptq quantizer{.order = order, .drift_share = 1};
    const auto serial = luq_test::quantize_codes_with_drift(linear.W, linear.H, linear.D, codec, quantizer);
    for (const int threads : {2, 3}) {
      const luq::openmp_executor executor{.threads = threads};
      const auto parallel =
          luq_test::quantize_codes_with_drift(linear.W, linear.H, linear.D, codec, quantizer, nullptr, executor);
      CHECK(parallel.codes == serial.codes);
      luq::linear_inputs inputs(
          luq::factorize_in_order(matrix(linear.H), quantizer.factor_options_of(codec.group), executor));
      inputs.set_drift(linear.D);
      const auto result = luq::quantize({linear.W, inputs}, codec, quantizer, {.executor = executor});
      CHECK(result.packed.unpack().decode() == serial.decode());
    }
  }
}

TEST_CASE("an input that is dead behind the quantized layer does no harm") {
  second_linear linear(6, 40, 300, 5);
  linear.X_hat.col(7).setZero();
  luq::hessian H(40);
  H.add(linear.X_hat);
  luq::input_drift D(40);
  D.add(linear.X, linear.X_hat);
  luq::quantize_report report;
  const matrix Q = luq_test::quantize_codes_with_drift(linear.W, H.matrix(), D.matrix(), luq::int_codec<4>{.group = 8},
                                                       gptq{.drift_share = 1}, &report)
                       .decode();
  CHECK(report.dead_columns == 1);
  CHECK(Q.col(7).isZero(0.0f));
  CHECK(Q.allFinite());
}

TEST_CASE("a drift that does not fit is an error") {
  const second_linear linear(3, 8, 60, 6);
  const auto code_of = [&](const matrix& D, double share) {
    return luq_test::error_of([&] {
             (void)luq_test::quantize_codes_with_drift(linear.W, linear.H, D, luq::sign_codec{},
                                                       gptq{.drift_share = share});
           })
        .code();
  };
  CHECK(code_of(matrix::Zero(8, 7), 0.25) == luq::errc::shape_mismatch);
  CHECK(code_of(matrix::Zero(9, 9), 0.25) == luq::errc::shape_mismatch);
  CHECK(code_of(matrix::Constant(8, 8, std::numeric_limits<float>::quiet_NaN()), 0.25) == luq::errc::non_finite);
  for (const double share : {-0.1, 1.1, std::numeric_limits<double>::quiet_NaN()}) {
    CHECK(code_of(linear.D, share) == luq::errc::invalid_argument);
  }
  const luq::error without = luq_test::error_of(
      [&] { (void)luq_test::quantize_codes(linear.W, linear.H, luq::sign_codec{}, gptq{.drift_share = 0.25}); });
  CHECK(without.code() == luq::errc::insufficient_data);
  CHECK(std::string(without.what()).find("set_drift") != std::string::npos);
}

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What a few tokens of huge norm cost the others, and what weights by norm (luq/estimators/norm_weights.hpp) change:
// relative output errors on fresh ordinary tokens and on fresh massive ones, after calibration on 3 000 tokens of 512
// correlated inputs, for 64 outputs. Prints two tables of Markdown.
#include <cmath>
#include <cstdio>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "luq/codecs/int_codec.hpp"
#include "luq/codecs/packed_matrix.hpp"
#include "luq/codecs/sign_codec.hpp"
#include "luq/codecs/trellis_codec.hpp"
#include "luq/core/random.hpp"
#include "luq/core/random_matrix.hpp"
#include "luq/estimators/hessian.hpp"
#include "luq/estimators/norm_weights.hpp"
#include "luq/quantizers/beam_search.hpp"
#include "luq/quantizers/gptq.hpp"
#include "luq/quantizers/quantize.hpp"
#include "luq/quantizers/refined.hpp"
#include "luq/quantizers/round_to_nearest.hpp"

namespace {

using luq::matrix;

constexpr luq::index calibration_tokens = 3000;
constexpr luq::index inputs = 512;
constexpr double unweighted = std::numeric_limits<double>::infinity();

/// Which of the calibration tokens are massive, and how.
struct setting {
  luq::index massive;  ///< how many
  float magnitude;     ///< of their massive channel
  bool same_channel;   ///< else each has another one
  bool heavy_tailed;   ///< norms of ordinary tokens are those of Student's t distribution with 3 degrees of freedom
};

matrix ordinary_tokens(const setting& s, std::uint64_t seed) {
  matrix X = luq::random_normal_matrix(calibration_tokens, inputs, luq::counter_rng(seed));
  for (luq::index c = 1; c < inputs; ++c) X.col(c) = 0.8f * X.col(c - 1) + 0.6f * X.col(c);
  if (!s.heavy_tailed) return X;
  const matrix chi = luq::random_normal_matrix(calibration_tokens, 3, luq::counter_rng(seed + 100));
  for (luq::index t = 0; t < X.rows(); ++t) X.row(t) *= std::sqrt(3.0f) / chi.row(t).norm();
  return X;
}

/// Makes every `distance`-th token massive.
void make_massive(matrix& X, const setting& s, luq::index distance) {
  for (luq::index i = 0; i < s.massive; ++i) {
    const luq::index channel = s.same_channel ? 100 : (100 + 97 * i) % inputs;
    X(i * distance, channel) = s.magnitude;
  }
}

double relative_output_error(const matrix& W, const matrix& Q, const matrix& X) {
  const matrix exact = X * W.transpose();
  return static_cast<double>((X * Q.transpose() - exact).squaredNorm() / exact.squaredNorm());
}

struct errors {
  double ordinary;
  double massive;
};

/// A linear under calibration tokens, and tokens like them that it is judged by.
struct experiment {
  explicit experiment(const setting& s) : seen(ordinary_tokens(s, 2)), ordinary(ordinary_tokens(s, 3)) {
    if (s.massive == 0) return;
    make_massive(seen, s, calibration_tokens / s.massive);
    massive = ordinary_tokens(s, 4).topRows(s.massive);
    make_massive(massive, s, 1);
  }

  [[nodiscard]] matrix hessian(double clip) const {
    luq::hessian H(inputs);
    H.add(seen, std::span<const float>(luq::norm_weights(seen, clip)));
    return std::move(H).matrix();
  }

  template <class Codec, class Quantizer>
  [[nodiscard]] errors errors_of(const matrix& H, const Codec& codec, const Quantizer& quantizer) const {
    const luq::linear_inputs known = luq::linear_inputs::borrow(H);
    const matrix Q = luq::quantize({W, known}, codec, quantizer).packed.unpack().decode();
    return {relative_output_error(W, Q, ordinary), massive.rows() > 0 ? relative_output_error(W, Q, massive) : 0.0};
  }

  matrix W = luq::random_normal_matrix(64, inputs, luq::counter_rng(1));
  matrix seen;
  matrix ordinary;
  matrix massive;
};

void print_errors(const errors& e) {
  std::printf(" %.4f | ", e.ordinary);
  if (e.massive > 0) std::printf("%.2g", e.massive);
  std::printf(" |");
  std::fflush(stdout);
}

/// A line of a table.
/// @param search  whether codes are searched for under H, or weights rounded to the nearest
void print_line(const std::string& name, const experiment& x, const matrix& H, bool search = true) {
  const luq::gptq feedback{.order = luq::column_order::activation};
  const luq::int_codec<4> integers{.group = 128};
  const luq::trellis_codec<4> trellis;
  const luq::sign_codec signs{.group = 128};
  const luq::round_to_nearest nearest;
  std::printf("| %s |", name.c_str());
  print_errors(search ? x.errors_of(H, integers, feedback) : x.errors_of(H, integers, nearest));
  print_errors(search ? x.errors_of(H, trellis, luq::beam_search{.rounds = 1}) : x.errors_of(H, trellis, nearest));
  print_errors(search ? x.errors_of(H, signs, luq::refined<>{.start = feedback}) : x.errors_of(H, signs, nearest));
  std::printf("\n");
}

void print_head(const char* first) {
  std::printf(
      "| %s | int4:g128, feedback | massive | trellis2, beam search | massive | sign:g128, refined | massive |\n",
      first);
  std::printf("|---|---:|---:|---:|---:|---:|---:|\n");
}

std::string weights_name(double clip) {
  return std::isinf(clip) ? "weights of 1" : "clip " + std::to_string(static_cast<int>(clip));
}

}  // namespace

int main() {
  const experiment usual({6, 3000.0f, true, false});
  print_head("6 tokens with one channel at 3 000");
  for (const double clip : {unweighted, 32.0, 16.0, 10.0, 8.0, 4.0, 2.0, 1.0}) {
    print_line(weights_name(clip), usual, usual.hessian(clip));
  }
  print_line("massive tokens not seen", usual, experiment({0, 0.0f, true, false}).hessian(unweighted));
  print_line("rounding to nearest", usual, usual.hessian(unweighted), false);

  std::printf("\n");
  print_head("massive tokens of 3 000");
  const std::vector<std::pair<std::string, setting>> settings{
      {"none", {0, 0.0f, true, false}},
      {"none, heavy-tailed norms", {0, 0.0f, true, true}},
      {"1 at 3 000", {1, 3000.0f, true, false}},
      {"3 at 3 000", {3, 3000.0f, true, false}},
      {"30 at 3 000", {30, 3000.0f, true, false}},
      {"6 at 30", {6, 30.0f, true, false}},
      {"6 at 300", {6, 300.0f, true, false}},
      {"6 at 30 000", {6, 30000.0f, true, false}},
      {"6 at 3 000, each in another channel", {6, 3000.0f, false, false}},
  };
  for (const auto& [name, s] : settings) {
    const experiment x(s);
    for (const double clip : {unweighted, luq::default_norm_clip}) {
      print_line(name + ": " + weights_name(clip), x, x.hessian(clip));
    }
  }
}

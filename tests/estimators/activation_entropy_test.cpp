// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/estimators/activation_entropy.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <initializer_list>
#include <limits>
#include <string>
#include <vector>

#include "error_of.hpp"
#include "luq/core/openmp_executor.hpp"
#include "luq/core/random_matrix.hpp"

using doctest::Approx;
using luq::activation_entropy;
using luq::activation_entropy_options;
using luq::entropy_estimate;
using luq::layer_entropy;
using luq::matrix;
using luq::token_class;
using luq_test::error_of;

namespace {

/// One sequence of outputs with its classes.
struct sequence {
  matrix X;  // [tokens x width]
  std::vector<token_class> classes;
};

/// Sequences in which token t of a sequence is one of `kinds` vectors far apart, image tokens in the first half. Text
/// takes each of the even kinds equally often, images each of the odd.
std::vector<sequence> separate_kinds(int sequences, int kinds) {
  const matrix vectors = 100 * luq::random_normal_matrix(kinds, 6, luq::counter_rng(51));
  std::vector<sequence> result;
  for (int s = 0; s < sequences; ++s) {
    sequence next{matrix(2 * kinds, 6), {}};
    for (int t = 0; t < 2 * kinds; ++t) {
      const bool image = t < kinds;
      const int kind = (2 * (t + s)) % kinds + (image ? 1 : 0);
      next.X.row(t) = vectors.row(kind);
      next.classes.push_back(image ? token_class::image : token_class::text);
    }
    result.push_back(next);
  }
  return result;
}

/// Sequences of normal vectors of different length, with padding.
std::vector<sequence> normal_sequences(int sequences) {
  std::vector<sequence> result;
  for (int s = 0; s < sequences; ++s) {
    const luq::index tokens = 30 + s % 7;
    sequence next{luq::random_normal_matrix(tokens, 8, luq::counter_rng(52, static_cast<std::uint64_t>(s))), {}};
    for (luq::index t = 0; t < tokens; ++t) {
      next.classes.push_back(t < 12 ? token_class::image : t < 28 ? token_class::text : token_class::padding);
    }
    for (luq::index t = 0; t < 12; ++t) next.X.row(t).array() += 1.0f;
    result.push_back(next);
  }
  return result;
}

activation_entropy entropy_of(const std::vector<sequence>& sequences, const activation_entropy_options& options) {
  activation_entropy result(sequences[0].X.cols(), options);
  for (std::size_t s = 0; s < sequences.size(); ++s) result.add(sequences[s].X, sequences[s].classes, s);
  return result;
}

bool same_estimate(const entropy_estimate& a, const entropy_estimate& b) {
  return a.bits == b.bits && a.miller_madow == b.miller_madow && a.seed_deviation == b.seed_deviation &&
         a.low == b.low && a.high == b.high && a.tokens == b.tokens;
}

bool same_estimate(const layer_entropy& a, const layer_entropy& b) {
  REQUIRE(a.text.has_value());
  REQUIRE(a.image.has_value());
  REQUIRE(b.text.has_value());
  REQUIRE(b.image.has_value());
  return same_estimate(a.all, b.all) && same_estimate(*a.text, *b.text) && same_estimate(*a.image, *b.image);
}

}  // namespace

TEST_CASE("outputs of K kinds, each as frequent, have log2 K bits; each class has its own kinds") {
  const layer_entropy H = entropy_of(separate_kinds(20, 16), {.clustering = {.clusters = 16}}).estimate();
  REQUIRE(H.text.has_value());
  REQUIRE(H.image.has_value());
  CHECK(H.all.bits == 4.0);
  CHECK(H.text->bits == 3.0);
  CHECK(H.image->bits == 3.0);
  CHECK(H.all.tokens == 640);
  CHECK(H.text->tokens == 320);
  CHECK(H.image->tokens == 320);
  CHECK(H.all.seed_deviation == 0.0);
  CHECK(H.all.miller_madow == Approx(4 + 15 / (2 * 640 * std::log(2.0))).epsilon(1e-12));
  CHECK(H.text->miller_madow == Approx(3 + 7 / (2 * 320 * std::log(2.0))).epsilon(1e-12));
}

TEST_CASE("padding does not count, whatever it holds") {
  auto sequences = separate_kinds(20, 16);
  const layer_entropy plain = entropy_of(sequences, {.clustering = {.clusters = 16}}).estimate();
  for (sequence& s : sequences) {
    s.X.conservativeResize(s.X.rows() + 3, 6);
    s.X.bottomRows(3).setConstant(std::numeric_limits<float>::quiet_NaN());
    s.classes.resize(s.classes.size() + 3, token_class::padding);
  }
  const activation_entropy padded = entropy_of(sequences, {.clustering = {.clusters = 16}});
  CHECK(same_estimate(padded.estimate(), plain));
  CHECK(padded.tokens(token_class::text) == 320);
  CHECK(padded.tokens(token_class::image) == 320);
  CHECK(padded.tokens(token_class::padding) == 0);
}

TEST_CASE("the whole is a sample of the stream, in which each class has its share") {
  // Two kinds, four fifths of them text, and a reservoir that is full for both classes: one of each share would read 1.
  std::vector<sequence> sequences(300, {matrix(20, 2), {}});
  for (sequence& s : sequences) {
    for (luq::index t = 0; t < 20; ++t) {
      const bool text = t % 5 != 0;
      s.X.row(t).setConstant(text ? 5.0f : -5.0f);
      s.classes.push_back(text ? token_class::text : token_class::image);
    }
  }
  const layer_entropy H = entropy_of(sequences, {.capacity = 1000, .clustering = {.clusters = 2}}).estimate();
  const double expected = -0.8 * std::log2(0.8) - 0.2 * std::log2(0.2);
  CHECK(H.all.tokens == 1000);
  CHECK(H.all.bits == Approx(expected).epsilon(0.08));  // 5 standard errors are 0.13 of 0.72
  CHECK(H.all.bits != Approx(1.0).epsilon(0.1));
  CHECK(H.text->tokens == 1000);
  CHECK(H.text->bits == 0.0);
}

TEST_CASE("splitting the stream and merging the parts gives exactly the same estimate") {
  const auto sequences = normal_sequences(60);
  const activation_entropy_options options{.capacity = 400, .clustering = {.clusters = 12}, .resamples = 20};
  const layer_entropy whole = entropy_of(sequences, options).estimate();
  CHECK(whole.all.tokens == 400);
  std::vector<activation_entropy> parts(3, activation_entropy(8, options));
  for (const luq::index i : luq::random_permutation(60, luq::counter_rng(53))) {
    const auto s = static_cast<std::size_t>(i);
    const std::span<const token_class> classes(sequences[s].classes);
    // Each sequence in two calls, to different parts, the later tokens first.
    parts[(s + 1) % 3].add(sequences[s].X.bottomRows(sequences[s].X.rows() - 10), classes.subspan(10), s, 10);
    parts[s % 3].add(sequences[s].X.topRows(10), classes.first(10), s);
  }
  parts[1].merge(parts[2]);
  parts[1].merge(parts[0]);
  CHECK(same_estimate(parts[1].estimate(), whole));
  CHECK(parts[1].tokens(token_class::image) == 60 * 12);
}

TEST_CASE("any number of threads gives the same bits") {
  const activation_entropy outputs = entropy_of(normal_sequences(60), {.clustering = {.clusters = 25}});
  const layer_entropy reference = outputs.estimate();
  for (const int threads : {1, 2, 3}) {
    CAPTURE(threads);
    CHECK(same_estimate(outputs.estimate(luq::openmp_executor{threads}), reference));
  }
}

TEST_CASE("the scale of the outputs does not matter") {
  auto sequences = normal_sequences(40);
  const layer_entropy reference = entropy_of(sequences, {.clustering = {.clusters = 25}}).estimate();
  for (sequence& s : sequences) s.X *= 64.0f;
  CHECK(same_estimate(entropy_of(sequences, {.clustering = {.clusters = 25}}).estimate(), reference));
}

TEST_CASE("the interval is as wide as the sampling error of the histogram, and grows with confidence") {
  // Groups far apart, so that every seeding finds them and only the bootstrap is left. Of independent labels with
  // shares p, the plug-in entropy has the variance (sum p log2^2 p - H^2) / N.
  const std::vector<double> share{0.4, 0.3, 0.2, 0.1};
  double mean_square = 0;
  double H = 0;
  for (const double p : share) {
    H -= p * std::log2(p);
    mean_square += p * std::log2(p) * std::log2(p);
  }
  constexpr luq::index tokens = 2000;
  sequence s{matrix(tokens, 1), std::vector<token_class>(tokens, token_class::text)};
  for (luq::index t = 0; t < tokens; ++t) {
    const luq::index tenth = t % 10;
    s.X(t, 0) = tenth < 4 ? 0.0f : tenth < 7 ? 100.0f : tenth < 9 ? 250.0f : 700.0f;
  }
  const double deviation = std::sqrt((mean_square - H * H) / tokens);
  for (const double confidence : {0.95, 0.68}) {
    CAPTURE(confidence);
    const double quantile = confidence == 0.95 ? 1.96 : 0.9945;  // of the normal distribution
    const auto estimate =
        entropy_of({s}, {.clustering = {.clusters = 4}, .seeds = 2, .resamples = 2000, .confidence = confidence})
            .estimate()
            .all;
    CHECK(estimate.bits == Approx(H).epsilon(1e-12));
    CHECK(estimate.seed_deviation == 0.0);
    CHECK(estimate.high - estimate.bits == Approx(quantile * deviation).epsilon(0.12));
    CHECK(estimate.bits - estimate.low == Approx(quantile * deviation).epsilon(0.12));
  }
}

TEST_CASE("seeds that disagree widen the interval and show in their deviation") {
  const auto sequences = normal_sequences(60);
  const auto estimate = [&](int seeds, std::uint64_t first) {
    return entropy_of(sequences, {.clustering = {.clusters = 25, .seed = first}, .seeds = seeds}).estimate().all;
  };
  const entropy_estimate pooled = estimate(3, 10);
  double mean = 0;
  double squares = 0;
  for (std::uint64_t seed = 10; seed < 13; ++seed) {
    const entropy_estimate one = estimate(1, seed);
    CHECK(one.seed_deviation == 0.0);
    CHECK(one.low < one.bits);
    CHECK(one.bits < one.high);
    mean += one.bits / 3;
  }
  for (std::uint64_t seed = 10; seed < 13; ++seed) {
    const double bits = estimate(1, seed).bits;
    squares += (bits - mean) * (bits - mean);
  }
  CHECK(pooled.bits == Approx(mean).epsilon(1e-12));
  CHECK(pooled.seed_deviation == Approx(std::sqrt(squares / 2)).epsilon(1e-9));
  CHECK(pooled.seed_deviation > 0.0);
  CHECK(pooled.low < pooled.bits);
  CHECK(pooled.bits < pooled.high);
  CHECK(pooled.high <= std::log2(25.0) + 0.1);
}

TEST_CASE("a class with fewer tokens than clusters has no entropy") {
  auto sequences = normal_sequences(3);
  const layer_entropy H = entropy_of(sequences, {.clustering = {.clusters = 40}}).estimate();
  CHECK(H.all.tokens == 84);
  CHECK(H.text.has_value());  // 48 tokens
  CHECK_FALSE(H.image.has_value());
}

TEST_CASE("too few tokens are an error that says how many there are and how many it takes") {
  const auto sequences = normal_sequences(3);
  const luq::error e =
      error_of([&] { static_cast<void>(entropy_of(sequences, {.clustering = {.clusters = 85}}).estimate()); });
  CHECK(e.code() == luq::errc::insufficient_data);
  CHECK(std::string(e.what()).find("85") != std::string::npos);
  CHECK(std::string(e.what()).find("84") != std::string::npos);
  CHECK_NOTHROW(static_cast<void>(entropy_of(sequences, {.clustering = {.clusters = 84}}).estimate()));
}

TEST_CASE("bad outputs are errors that name the token, and nothing is added") {
  auto sequences = normal_sequences(20);
  activation_entropy outputs = entropy_of(sequences, {.clustering = {.clusters = 10}});
  const layer_entropy before = outputs.estimate();
  sequence bad = sequences[0];
  bad.X(17, 3) = std::numeric_limits<float>::infinity();
  const luq::error e = error_of([&] { outputs.add(bad.X, bad.classes, 99); });
  CHECK(e.code() == luq::errc::non_finite);
  CHECK(std::string(e.what()).find("token 17 of sequence 99") != std::string::npos);
  CHECK(error_of([&] { outputs.add(sequences[0].X.leftCols(7), bad.classes, 99); }).code() ==
        luq::errc::shape_mismatch);
  CHECK(error_of([&] { outputs.add(sequences[0].X.topRows(3), bad.classes, 99); }).code() == luq::errc::shape_mismatch);
  CHECK(same_estimate(outputs.estimate(), before));
}

TEST_CASE("a sequence that is added twice is an error") {
  const auto sequences = normal_sequences(20);
  activation_entropy outputs = entropy_of(sequences, {.clustering = {.clusters = 10}});
  outputs.add(sequences[4].X, sequences[4].classes, 4);
  const luq::error e = error_of([&] { static_cast<void>(outputs.estimate()); });
  CHECK(e.code() == luq::errc::invalid_argument);
  CHECK(std::string(e.what()).find("of sequence 4") != std::string::npos);
}

TEST_CASE("options outside their range are errors") {
  const auto code = [](const activation_entropy_options& options) {
    return error_of([&] { activation_entropy(4, options); }).code();
  };
  CHECK(code({.clustering = {.clusters = 0}}) == luq::errc::invalid_argument);
  CHECK(code({.capacity = 99, .clustering = {.clusters = 100}}) == luq::errc::invalid_argument);
  CHECK(code({.seeds = 0}) == luq::errc::invalid_argument);
  CHECK(code({.resamples = 0}) == luq::errc::invalid_argument);
  CHECK(code({.confidence = 1.0}) == luq::errc::invalid_argument);
  CHECK(code({.confidence = std::nan("")}) == luq::errc::invalid_argument);
  activation_entropy outputs(4);
  CHECK(error_of([&] { outputs.merge(activation_entropy(5)); }).code() == luq::errc::shape_mismatch);
  CHECK(error_of([&] { outputs.merge(activation_entropy(4, {.sample_seed = 1})); }).code() ==
        luq::errc::shape_mismatch);
}

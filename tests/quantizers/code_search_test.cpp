// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/quantizers/code_search.hpp"

#include <doctest/doctest.h>

#include "luq/codecs/int_codec.hpp"
#include "luq/codecs/trellis_codec.hpp"
#include "luq/core/random_matrix.hpp"

namespace {

struct problem {
  luq::matrix W = luq::random_normal_matrix(24, 96, luq::counter_rng(1));
  luq::matrix H;

  problem() {
    luq::matrix X = luq::random_normal_matrix(300, 96, luq::counter_rng(2));
    for (luq::index c = 1; c < X.cols(); ++c) X.col(c) += 0.7f * X.col(c - 1);
    luq::hessian sums(96);
    sums.add(X);
    H = sums.matrix();
  }
};

}  // namespace

TEST_CASE("each search is the quantizer that it names") {
  const problem p;
  const luq::int_codec<3> codec{.group = 32};
  const auto codes = [&](luq::code_search how) { return luq::search_codes(p.W, p.H, codec, how).codes; };
  const luq::gptq feedback{.order = luq::column_order::activation};
  const auto expected = [&](const auto& quantizer) { return luq::quantize_codes(p.W, p.H, codec, quantizer).codes; };
  CHECK(codes(luq::code_search::nearest) == expected(luq::round_to_nearest{}));
  CHECK(codes(luq::code_search::feedback) == expected(feedback));
  CHECK(codes(luq::code_search::block_rule) == expected(luq::billm{}));
  CHECK(codes(luq::code_search::best) == expected(luq::refined<>{.start = feedback}));
  CHECK(codes(luq::code_search::nearest) != codes(luq::code_search::feedback));
  CHECK(codes(luq::code_search::feedback) != codes(luq::code_search::best));
}

TEST_CASE("codes that follow one another are found by beam search") {
  const problem p;
  const luq::trellis_codec<3> codec{.group = luq::whole_row};
  const auto codes = [&](luq::code_search how) { return luq::search_codes(p.W, p.H, codec, how).codes; };
  const auto beam = luq::quantize_codes(p.W, p.H, codec, luq::beam_search{.rounds = 1}).codes;
  CHECK(codes(luq::code_search::best) == beam);
  CHECK(codes(luq::code_search::feedback) == beam);
  CHECK(codes(luq::code_search::nearest) != beam);
}

TEST_CASE("a report is filled in") {
  const problem p;
  luq::matrix H = p.H;
  H.row(5).setZero();
  H.col(5).setZero();
  luq::quantize_report report;
  static_cast<void>(luq::search_codes(p.W, H, luq::int_codec<4>{.group = 32}, luq::code_search::feedback, &report));
  CHECK(report.dead_columns == 1);
}

TEST_CASE("names") {
  for (const auto how :
       {luq::code_search::nearest, luq::code_search::feedback, luq::code_search::block_rule, luq::code_search::best}) {
    CHECK(luq::parse_code_search(luq::code_search_name(how)) == how);
  }
  CHECK_THROWS_WITH_AS(static_cast<void>(luq::parse_code_search("Best")),
                       "search \"Best\": expected nearest, feedback, block rule or best", luq::error);
}

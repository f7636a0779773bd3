// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/quantizers/beam_search.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "codec_list.hpp"
#include "io/io_test_support.hpp"
#include "linear_problem.hpp"
#include "luq/core/openmp_executor.hpp"
#include "luq/quantizers/billm.hpp"
#include "luq/quantizers/gptq.hpp"
#include "luq/quantizers/quantize.hpp"
#include "luq/quantizers/templates/beam_search.hpp"
#include "quantize_problem.hpp"
#include "search_result.hpp"

using luq::beam_search;
using luq::matrix;
using luq_test::damped_error;
using luq_test::damped_row_error;
using luq_test::decoded;
using luq_test::for_each_codec;
using luq_test::make_linear_problem;

namespace {

/// The least error of a matrix of one row over all sequences of symbols, under the parameters it has.
template <class Codec>
double least_error(const luq_test::linear_problem& problem, luq::coded_matrix<Codec> coded) {
  const luq::index size = luq::group_size(coded.codec, coded.cols());
  double least = std::numeric_limits<double>::infinity();
  long sequences = 1;
  for (luq::index c = 0; c < coded.cols(); ++c) sequences *= luq::levels<Codec>();
  for (long sequence = 0; sequence < sequences; ++sequence) {
    long rest = sequence;
    for (luq::index c = 0; c < coded.cols(); ++c, rest /= luq::levels<Codec>()) {
      const auto symbol = static_cast<int>(rest % luq::levels<Codec>());
      if constexpr (luq::SequenceCodec<Codec>) {
        coded.codes(0, c) = Codec::next(c % size == 0 ? luq::code{0} : coded.codes(0, c - 1), symbol);
      } else {
        coded.codes(0, c) = static_cast<luq::code>(symbol);
      }
    }
    least = std::min(least, damped_error(problem, coded.decode()));
  }
  return least;
}

}  // namespace

TEST_CASE("one beam is column feedback with static groups") {
  const auto problem = make_linear_problem(40, 150, 500, 1);
  luq_test::for_each_memoryless_codec(32, [&](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    const auto greedy = luq_test::quantize_codes(problem.W, problem.H, codec, luq::gptq{.static_groups = true});
    const auto beam = luq_test::quantize_codes(problem.W, problem.H, codec, beam_search{.beams = 1, .rounds = 0});
    // Another order of summation may flip a weight on a rounding boundary, and those after it in its row.
    CHECK((beam.codes.array() == greedy.codes.array()).count() > 0.99 * static_cast<double>(beam.codes.size()));
  });
}

TEST_CASE("with as many beams as sequences the result is the best there is") {
  const auto check = [](const auto& codec, luq::index columns) {
    CAPTURE(luq::codec_name(codec));
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      CAPTURE(seed);
      const auto problem = make_linear_problem(1, columns, 50, seed);
      const auto found = luq_test::quantize_codes(problem.W, problem.H, codec, beam_search{.beams = 5000, .rounds = 0});
      const double error = damped_error(problem, found.decode());
      CHECK(error <= least_error(problem, found) * (1 + 1e-4));
    }
  };
  check(luq::sign_codec{.group = 5}, 10);
  check(luq::ternary_codec{.group = 4}, 7);
  check(luq::binary_coding_codec{.group = 3}, 6);
  check(luq::trellis_codec<2>{.group = 7}, 10);
  check(luq::trellis_codec<3>{.group = 4}, 7);
  check(luq::trellis_codec<4>{.group = 6}, 6);
}

TEST_CASE("the errors that are decided block by block are those of one coding") {
  // So many beams that the best codings still disagree about a block when the next one is done.
  const luq::index columns = 5 * luq::detail::beam_block;
  const auto problem = make_linear_problem(1, columns, 900, 11);
  const luq::hessian_factor factor = luq::factorize_hessian(problem.H);
  const luq::sign_codec codec{.group = luq::whole_row};
  const float scale = 0.8f;
  for (const luq::index beams : {luq::index{1}, luq::index{40}, luq::index{6000}}) {
    CAPTURE(beams);
    luq::detail::row_beam<luq::sign_codec> search(codec, beams);
    matrix working = problem.W;
    matrix errors(1, columns);
    std::vector<luq::code> codes(static_cast<std::size_t>(columns));
    const luq::index block = luq::detail::beam_block;
    for (luq::index begin = 0; begin < columns; begin += block) {
      search.extend(working.data(), begin, block, factor.U, columns, [&](luq::index) { return std::pair(&scale, 0); });
      if (begin == 0) continue;
      const luq::index prior = begin - block;
      search.decide_prior(errors.data() + prior, codes.data() + prior);
      const luq::index rest = columns - begin - block;
      working.rightCols(rest) -= errors.middleCols(prior, block) * factor.U.block(prior, begin + block, block, rest);
    }
    search.decide_current(errors.data() + columns - block, codes.data() + columns - block);
    CHECK(errors.cast<double>().squaredNorm() == doctest::Approx(search.least_cost()).epsilon(1e-4));
    matrix Q(1, columns);
    for (luq::index c = 0; c < columns; ++c)
      Q(0, c) = luq::decode_weight(codec, codes[static_cast<std::size_t>(c)], &scale, 0);
    CHECK(damped_error(problem, Q) == doctest::Approx(search.least_cost()).epsilon(1e-3));
  }
}

TEST_CASE("more beams lose less, beyond column feedback and beyond one block") {
  const auto problem = make_linear_problem(24, 200, 800, 2);
  for_each_codec(100, [&](const auto& codec) {
    using Codec = std::decay_t<decltype(codec)>;
    CAPTURE(luq::codec_name(codec));
    if constexpr (luq::levels<Codec>() <= 16) {
      const double narrow = damped_error(problem, decoded(problem, codec, beam_search{.beams = 4, .rounds = 0}));
      const double wide = damped_error(problem, decoded(problem, codec, beam_search{.beams = 64, .rounds = 0}));
      CHECK(wide < narrow);
      if constexpr (luq::MemorylessCodec<Codec>) {
        CHECK(narrow < damped_error(problem, decoded(problem, codec, luq::gptq{.static_groups = true})));
      }
    }
  });
}

TEST_CASE("a trellis with feedback loses much less than one coded block by block") {
  const auto problem = make_linear_problem(16, 256, 1000, 3);
  const auto check = [&](const auto& codec, double share) {
    CAPTURE(luq::codec_name(codec));
    const luq::billm blocks{.compensation = luq::block_compensation::exact};
    CHECK(damped_error(problem, decoded(problem, codec, beam_search{})) <
          share * damped_error(problem, decoded(problem, codec, blocks)));
  };
  check(luq::trellis_codec<2>{.group = 64}, 0.7);
  check(luq::trellis_codec<4>{.group = 64}, 0.7);
}

TEST_CASE("every round lowers the error of every row") {
  const auto problem = make_linear_problem(70, 90, 400, 4);
  for_each_codec(45, [&](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    matrix before = decoded(problem, codec, beam_search{.beams = 8, .rounds = 0});
    for (int rounds = 1; rounds <= 3; ++rounds) {
      CAPTURE(rounds);
      const matrix after = decoded(problem, codec, beam_search{.beams = 8, .rounds = rounds});
      for (luq::index r = 0; r < problem.W.rows(); ++r) {
        CHECK(damped_row_error(problem, after, r) <= damped_row_error(problem, before, r) * (1 + 1e-4));
      }
      before = after;
    }
  });
}

TEST_CASE("the reported loss is the damped output error of the result") {
  const auto problem = make_linear_problem(17, 140, 500, 5);
  for_each_codec(70, [&](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    luq::quantize_report report;
    const matrix Q =
        luq_test::quantize_codes(problem.W, problem.H, codec, beam_search{.beams = 8, .rounds = 1}, &report).decode();
    CHECK(report.loss == doctest::Approx(damped_error(problem, Q)).epsilon(1e-3));
    CHECK(report.damp == 0.01);
    CHECK(report.factorizations == 1);
  });
}

TEST_CASE("what is found is what is stored") {
  const auto problem = make_linear_problem(65, 150, 400, 6);
  for_each_codec(40, [&](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    const auto found = luq_test::quantize_codes(problem.W, problem.H, codec, beam_search{.beams = 6, .rounds = 1});
    const auto again = luq::pack(found).unpack();
    CHECK(again.codes == found.codes);
    CHECK(again.decode() == found.decode());
  });
}

TEST_CASE("the result is the same bits for any number of threads") {
  const auto problem = make_linear_problem(200, 70, 300, 7);
  for_each_codec(32, [&](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    const beam_search search{.beams = 6, .rounds = 1};
    const auto serial = luq_test::quantize_codes(problem.W, problem.H, codec, search);
    for (const int threads : {1, 2, 3}) {
      const auto parallel = luq_test::quantize_codes(problem.W, problem.H, codec, search, nullptr,
                                                     luq::openmp_executor{.threads = threads});
      CHECK(parallel.codes == serial.codes);
      CHECK(parallel.decode() == serial.decode());
    }
  });
}

TEST_CASE("dead columns, zero rows, tiny shapes") {
  auto problem = make_linear_problem(6, 32, 100, 8);
  problem.X.col(5).setZero();
  problem.H = problem.X.transpose() * problem.X / 100.0f;
  problem.W.row(2).setZero();
  for_each_codec(16, [&](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    const beam_search search{.beams = 8};
    luq::quantize_report report;
    const matrix Q = luq_test::quantize_codes(problem.W, problem.H, codec, search, &report).decode();
    CHECK(report.dead_columns == 1);
    CHECK(Q.allFinite());
    CHECK(Q.row(2).isZero(0.0f));
    for (const auto& [rows, cols] : {std::pair<int, int>{1, 1}, {1, 2}, {3, 1}, {0, 4}, {2, 64}, {2, 65}, {1, 128}}) {
      CHECK(decoded(make_linear_problem(rows, cols, 20, 9), codec, search).allFinite());
    }
  });
}

TEST_CASE("options out of range") {
  const auto problem = make_linear_problem(2, 4, 20, 10);
  for (const beam_search& wrong : {beam_search{.beams = 0}, beam_search{.beams = -1}, beam_search{.rounds = -1}}) {
    luq_test::check_fails(luq::errc::invalid_argument, "beam_search: expected beams >= 1 and rounds >= 0",
                          [&] { (void)luq_test::quantize_codes(problem.W, problem.H, luq::sign_codec{}, wrong); });
  }
}

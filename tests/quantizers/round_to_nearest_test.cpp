// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/quantizers/round_to_nearest.hpp"

#include <doctest/doctest.h>

#include "codec_list.hpp"
#include "linear_problem.hpp"
#include "luq/core/openmp_executor.hpp"
#include "luq/quantizers/quantize.hpp"
#include "quantize_problem.hpp"

using luq::matrix;
using luq::round_to_nearest;
using luq_test::make_linear_problem;

TEST_CASE("every group is coded for itself, the last one ragged") {
  const auto problem = make_linear_problem(130, 70, 10, 1);
  luq_test::for_each_codec(32, [&](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    const auto packed = luq::quantize(problem.W, codec, round_to_nearest{}).packed;
    for (luq::index g = 0; g < 3; ++g) {
      const luq::index columns = std::min<luq::index>(32, 70 - 32 * g);
      const luq::coded_group expected = luq::code_group(codec, problem.W.middleCols(32 * g, columns), {});
      CHECK(packed.unpack().codes.middleCols(32 * g, columns) == expected.codes);
      CHECK(packed.unpack().groups[static_cast<std::size_t>(g)].values == expected.parameters.values);
    }
    const luq::openmp_executor executor{.threads = 3};
    const auto parallel = luq::quantize(problem.W, codec, round_to_nearest{}, {.executor = executor}).packed;
    CHECK(std::equal(packed.bytes().begin(), packed.bytes().end(), parallel.bytes().begin(), parallel.bytes().end()));
  });
}

TEST_CASE("a fit weighted by the Hessian's diagonal loses less output") {
  const auto problem = make_linear_problem(64, 64, 400, 2);
  matrix H = matrix(problem.H.diagonal().asDiagonal());
  for (luq::index j = 0; j < 64; j += 5) H(j, j) *= 50;
  const auto error = [&](bool weighted) {
    const auto codes = luq_test::quantize_codes(problem.W, H, luq::ternary_codec{.group = 32},
                                                round_to_nearest{.weighted_fit = weighted});
    const matrix E = problem.W - codes.decode();
    return (E * H).cwiseProduct(E).sum();
  };
  CHECK(error(true) < 0.97f * error(false));
}

TEST_CASE("a weighted fit without inputs is an error") {
  CHECK_THROWS_AS((void)luq::quantize(matrix::Ones(2, 2), luq::sign_codec{}, round_to_nearest{.weighted_fit = true}),
                  luq::error);
}

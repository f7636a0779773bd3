// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// GPTQ, BiLLM and the Hessian against outputs of their reference implementations.
#include "golden_cases.hpp"

#include <doctest/doctest.h>

#include "io/io_test_support.hpp"
#include "luq/core/random_matrix.hpp"

TEST_CASE("every published case agrees with its reference implementation") {
  for (const char* file : {"linear_64x256", "linear_48x320_ragged_dead"}) {
    CAPTURE(file);
    const auto cases = luq_test::run_golden_file(std::string(LUQ_TEST_DATA "/golden/") + file + ".safetensors");
    CHECK(cases.size() == 26);  // the Hessian, 21 of GPTQ, 4 of BiLLM
    for (const auto& result : cases) {
      CAPTURE(result.name);
      CAPTURE(result.equal_weights);
      CAPTURE(result.error);
      CHECK(result.passed);
    }
  }
}

TEST_CASE("names of cases are understood wholly or not at all") {
  const luq::matrix W = luq::random_normal_matrix(2, 4, luq::counter_rng(1));
  const luq::matrix H = luq::matrix::Identity(4, 4);
  CHECK(luq_test::run_published_gptq(W, H, luq_test::golden_name("b4.g2.sym.actorder.static.mse")).rows() == 2);
  for (const char* name : {"b5.g128.sym", "b4.g0.sym", "b4.g.sym", "b4.g128", "b4.g128.sym.fast",
                           "b4.g128.sym.mse.static", "b4.g128.sym.actorder", "b4.g128.sym."}) {
    CAPTURE(name);
    luq_test::check_fails(luq::errc::unsupported, "unknown golden case",
                          [&] { (void)luq_test::run_published_gptq(W, H, luq_test::golden_name(name)); });
  }
}

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// matmul compiled into the program: on the default instruction set, and on those that the compiler's flags allow and no
// implementation of luq::dispatch is compiled for. matmul_test.cpp and its like test the implementations.
#include <doctest/doctest.h>

#include "luq/core/random_matrix.hpp"
#include "luq/kernels/matmul.hpp"
#include "luq/kernels/templates/any_matmul.hpp"
#include "luq/kernels/templates/matmul.hpp"
#include "packed_product.hpp"

using luq::activation_mode;
using luq::matrix;
using luq_test::expectation;
using luq_test::packed_problem;

namespace {

template <class Arch>
void check_arch() {
  CAPTURE(Arch::name());
  for (const luq::index group : {luq::index{7}, luq::index{128}, luq::whole_row}) {
    for (const auto& codec : luq_test::all_codecs(group)) {
      CAPTURE(luq::codec_name(codec));
      for (const luq::index rows : {1, 15, 63, 64, 130}) {
        for (const luq::index cols : {3, 40, 259}) {
          CAPTURE(rows);
          CAPTURE(cols);
          const packed_problem problem = luq_test::make_packed_problem(codec, rows, cols, 1);
          const matrix X = luq::random_normal_matrix(9, cols, luq::counter_rng(2));
          const expectation exact = luq_test::expect_float32(problem, X);
          const expectation rounded = luq_test::expect_rounded(problem, X);
          for (const luq::index tokens : {1, 4, 9}) {
            CAPTURE(tokens);
            const matrix x = X.topRows(tokens);
            const matrix in_float = luq_test::multiplied_on<Arch>(problem.packed, x, activation_mode::float32);
            const matrix in_int8 = luq_test::multiplied_on<Arch>(problem.packed, x, activation_mode::int8);
            CHECK(exact.top(tokens).violations(in_float) == 0);
            CHECK(rounded.top(tokens).violations(in_int8) == 0);
          }
        }
      }
    }
  }
}

}  // namespace

TEST_CASE("the default instruction set") {
  check_arch<luq::default_arch>();
}

#if XSIMD_WITH_AVX2
TEST_CASE("AVX2") {
  check_arch<xsimd::avx2>();
}
#endif

#if XSIMD_WITH_AVX512F
TEST_CASE("AVX-512F") {
  check_arch<xsimd::avx512f>();
}
#endif

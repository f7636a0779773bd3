// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/kernels/any_matmul.hpp"

#include <doctest/doctest.h>

#include "luq/core/openmp_executor.hpp"
#include "luq/core/random_matrix.hpp"
#include "luq/kernels/templates/any_matmul.hpp"
#include "luq/kernels/templates/matmul.hpp"
#include "packed_product.hpp"

using luq::activation_mode;
using luq::matrix;

namespace {

struct counting_executor {
  int* calls;
  [[nodiscard]] int concurrency() const { return 1; }
  template <class Task>
  void parallel_for(luq::index count, Task&& task) const {
    ++*calls;
    luq::serial_executor{}.parallel_for(count, task);
  }
};

bool equal(const matrix& a, const matrix& b) {
  return a == b;
}

}  // namespace

TEST_CASE("a product by the codec of run time is that by the codec of compile time, with the same options") {
  luq_test::for_each_codec(32, [](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    const auto packed = luq::pack(luq_test::random_coded_matrix(codec, 130, 70, 1));
    const luq::any_packed_matrix any = packed;
    const matrix X = luq::random_normal_matrix(5, 70, luq::counter_rng(2));
    for (const auto mode : {activation_mode::float32, activation_mode::int8}) {
      for (const bool accumulate : {false, true}) {
        CAPTURE(accumulate);
        const luq::matmul_options options{.activations = mode, .accumulate = accumulate};
        matrix expected = matrix::Constant(5, 130, 7.0f);
        luq::matmul(packed, X, expected, options);
        matrix Y = matrix::Constant(5, 130, 7.0f);
        luq::matmul(any, X, Y, options);
        CHECK(equal(Y, expected));
        expected.setConstant(7.0f);
        luq::matmul<xsimd::default_arch>(packed, X, expected, options);
        Y.setConstant(7.0f);
        luq::matmul<xsimd::default_arch>(any, X, Y, options, luq::openmp_executor{.threads = 2});
        CHECK(equal(Y, expected));
      }
    }
  });
}

TEST_CASE("without options a product overwrites Y and takes activations as they are") {
  for (const auto& codec : luq_test::all_codecs(luq::whole_row)) {
    CAPTURE(luq::codec_name(codec));
    const auto problem = luq_test::make_packed_problem(codec, 65, 40, 3);
    const matrix X = luq::random_normal_matrix(2, 40, luq::counter_rng(4));
    matrix Y = matrix::Constant(2, 65, luq_test::not_a_number);
    luq::matmul(problem.packed, X, Y);
    CHECK(luq_test::expect_float32(problem, X).violations(Y) == 0);
  }
}

TEST_CASE("the executor of the caller does the work") {
  const auto problem = luq_test::make_packed_problem(luq::sign_codec{}, 65, 40, 5);
  int calls = 0;
  matrix Y(2, 65);
  luq::matmul(problem.packed, matrix::Ones(2, 40), Y, {}, counting_executor{&calls});
  CHECK(calls > 0);
}

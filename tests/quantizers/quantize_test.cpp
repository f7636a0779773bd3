// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/quantizers/quantize.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <string>

#include "codec_list.hpp"
#include "linear_problem.hpp"
#include "luq/core/openmp_executor.hpp"
#include "luq/quantizers/billm.hpp"
#include "luq/quantizers/gptq.hpp"
#include "luq/quantizers/round_to_nearest.hpp"
#include "quantize_problem.hpp"

using luq::gptq;
using luq::matrix;
using luq_test::for_each_memoryless_codec;
using luq_test::make_linear_problem;

namespace {

template <class Call>
luq::errc code_of(Call&& call) {
  try {
    call();
  } catch (const luq::error& e) {
    CHECK(std::string(e.what()).find('\n') == std::string::npos);
    return e.code();
  }
  FAIL("no error");
  return luq::errc::unsupported;
}

}  // namespace

TEST_CASE("activations in, packed bytes out") {
  const auto problem = make_linear_problem(64, 128, 300, 1);
  luq::linear_inputs inputs(128);
  inputs.add(problem.X);
  const auto q4 = luq::quantize({problem.W, inputs}, luq::int_codec<4>{.group = 128}, gptq{});
  const auto q1 =
      luq::quantize({problem.W, inputs}, luq::sign_codec{.group = 128}, gptq{.order = luq::column_order::activation});
  CHECK(q4.bits_per_weight() == 4.15625);
  CHECK(q1.bits_per_weight() == 1.125);
  CHECK(luq_test::measured_output_error(problem, q4.packed.unpack().decode()) < 0.02);
  CHECK(luq_test::measured_output_error(problem, q1.packed.unpack().decode()) < 0.4);
}

TEST_CASE("a Hessian seen, given or borrowed, a shared factor and codes packed at the end give the same bytes") {
  for (const luq::index rows : {5, 64, 300}) {
    const auto problem = make_linear_problem(rows, 150, 400, 5);
    luq::hessian H(150);
    H.add(problem.X);
    for_each_memoryless_codec(48, [&](const auto& codec) {
      const auto check = [&](const auto& quantizer) {
        CAPTURE(rows);
        CAPTURE(luq::codec_name(codec));
        luq::quantize_report expected_report;
        const auto expected =
            luq::pack(luq_test::quantize_codes(problem.W, H.matrix(), codec, quantizer, &expected_report));
        const auto same = [&](const luq::linear_inputs& inputs, const luq::quantize_context& context = {}) {
          const auto [packed, report] = luq::quantize({problem.W, inputs}, codec, quantizer, context);
          CHECK(std::equal(packed.bytes().begin(), packed.bytes().end(), expected.bytes().begin(),
                           expected.bytes().end()));
          CHECK(report.loss == expected_report.loss);
          CHECK(report.damp == expected_report.damp);
          CHECK(report.factorizations == expected_report.factorizations);
          CHECK(report.dead_columns == expected_report.dead_columns);
        };
        const luq::openmp_executor executor{.threads = 3};
        same(luq::linear_inputs(H), {.executor = executor});
        const matrix mean = H.matrix();
        same(luq::linear_inputs(mean));
        same(luq::linear_inputs::borrow(mean));
        luq::factor_options options{.damping = quantizer.damping};
        if constexpr (requires { quantizer.order; }) options = quantizer.factor_options_of(codec.group);
        const luq::linear_inputs factor(luq::factorize_in_order(H.matrix(), options, executor));
        same(factor, {.executor = executor});
        // The factor serves another linear of the same inputs.
        const matrix other = problem.W.colwise().reverse();
        const auto shared = luq::quantize({other, factor}, codec, quantizer).packed;
        CHECK(shared.unpack().decode() == luq_test::quantize_codes(other, mean, codec, quantizer).decode());
      };
      check(gptq{});
      check(gptq{.order = luq::column_order::activation});
      check(gptq{.order = luq::column_order::group_aware});
      check(gptq{.static_groups = true});
      check(gptq{.fit = luq::group_fit::block_start});
      check(luq::billm{});
    });
  }
}

TEST_CASE("a factor made for other inputs or in another order is an error") {
  const auto problem = make_linear_problem(4, 8, 40, 6);
  const gptq natural;
  const gptq activation{.order = luq::column_order::activation};
  const luq::sign_codec codec;
  const auto inputs_for = [&](const gptq& quantizer) {
    return luq::linear_inputs(luq::factorize_in_order(matrix(problem.H), quantizer.factor_options_of(codec.group)));
  };
  const luq::linear_inputs factor = inputs_for(natural);
  const luq::linear_inputs ordered = inputs_for(activation);
  CHECK(code_of([&] { (void)luq::quantize({problem.W, factor}, codec, activation); }) == luq::errc::invalid_argument);
  CHECK(code_of([&] { (void)luq::quantize({problem.W, ordered}, codec, natural); }) == luq::errc::invalid_argument);
  CHECK(code_of([&] { (void)luq::quantize({problem.W, ordered}, codec, luq::billm{}); }) ==
        luq::errc::invalid_argument);
  CHECK(code_of([&] { (void)luq::quantize({problem.W.leftCols(7), factor}, codec, natural); }) ==
        luq::errc::shape_mismatch);
  CHECK(code_of([&] { (void)luq::quantize({problem.W.leftCols(7), factor}, codec, luq::billm{}); }) ==
        luq::errc::shape_mismatch);
}

TEST_CASE("the scale of the Hessian does not matter") {
  const auto problem = make_linear_problem(16, 64, 200, 2);
  const luq::int_codec<3> codec{.group = 32};
  const auto once = luq_test::quantize_codes(problem.W, problem.H, codec, gptq{});
  const auto scaled = luq_test::quantize_codes(problem.W, 1024.0f * problem.H, codec, gptq{});
  CHECK(once.codes == scaled.codes);
}

TEST_CASE("bad data are errors, each with its code") {
  const auto problem = make_linear_problem(4, 8, 40, 3);
  const luq::sign_codec codec;
  matrix W = problem.W;
  W(2, 5) = std::numeric_limits<float>::infinity();
  CHECK(code_of([&] { (void)luq_test::quantize_codes(W, problem.H, codec, gptq{}); }) == luq::errc::non_finite);
  CHECK(code_of([&] { (void)luq::quantize(W, codec, luq::round_to_nearest{}); }) == luq::errc::non_finite);
  CHECK(code_of([&] { (void)luq_test::quantize_codes(problem.W, matrix::Identity(7, 7), codec, gptq{}); }) ==
        luq::errc::shape_mismatch);
  const luq::linear_inputs without_tokens(8);
  CHECK(code_of([&] { (void)luq::quantize({problem.W, without_tokens}, codec, gptq{}); }) ==
        luq::errc::insufficient_data);
  CHECK(code_of([&] { (void)luq::quantize(problem.W, codec, gptq{}); }) == luq::errc::insufficient_data);
  CHECK(code_of([&] { (void)luq::quantize_codes(problem.W, codec, gptq{}); }) == luq::errc::insufficient_data);
  CHECK(code_of([&] { (void)luq_test::quantize_codes(problem.W, problem.H, luq::sign_codec{.group = -1}, gptq{}); }) ==
        luq::errc::invalid_argument);
  CHECK(code_of([&] { (void)luq_test::quantize_codes(1e6f * problem.W, problem.H, codec, gptq{}); }) ==
        luq::errc::non_finite);  // scales above the largest fp16
}

TEST_CASE("strided weights are read in place") {
  const auto problem = make_linear_problem(6, 20, 100, 4);
  matrix wide = matrix::Constant(6, 31, 99.0f);
  wide.middleCols(4, 20) = problem.W;
  const luq::binary_coding_codec codec{.group = 8};
  const auto from_block = luq_test::quantize_codes(luq::view(wide.data() + 4, 6, 20, 31), problem.H, codec, gptq{});
  CHECK(from_block.decode() == luq_test::quantize_codes(problem.W, problem.H, codec, gptq{}).decode());
}

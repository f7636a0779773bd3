// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What a recipe gives is what its steps give, put together by hand.
#include "luq/quantizers/quantize_recipe.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "codec_list.hpp"
#include "io/io_test_support.hpp"
#include "linear_problem.hpp"
#include "luq/codecs/hadamard_rotation.hpp"
#include "luq/codecs/input_scaling.hpp"
#include "luq/core/openmp_executor.hpp"
#include "luq/core/random_matrix.hpp"
#include "luq/io/safetensors/safetensors.hpp"
#include "luq/kernels/any_matmul.hpp"
#include "luq/quantizers/awq.hpp"
#include "luq/quantizers/beam_search.hpp"
#include "luq/quantizers/billm.hpp"
#include "luq/quantizers/error_propagation.hpp"
#include "luq/quantizers/gptq.hpp"
#include "luq/quantizers/output_error.hpp"
#include "luq/quantizers/quantize.hpp"
#include "luq/quantizers/refined.hpp"
#include "luq/quantizers/round_to_nearest.hpp"
#include "luq/quantizers/row_column.hpp"
#include "luq/templates.hpp"

using luq::code_search;
using luq::errc;
using luq::linear_inputs;
using luq::matrix;
using luq::parse_recipe;
using luq::recipe;
using luq::transform_method;
using luq_test::check_fails;
using luq_test::make_linear_problem;

namespace {

/// The golden linear of ragged groups and dead inputs, with inputs behind quantized layers.
struct golden_linear {
  matrix W;
  matrix H;
  matrix D;
  linear_inputs inputs;

  golden_linear() : inputs(0) {
    const luq::safetensors_reader file(LUQ_TEST_DATA "/golden/linear_48x320_ragged_dead.safetensors");
    // All 48 rows would take long.
    W = file.read_matrix("weight").topRows(3);
    H = file.read_matrix("hessian");
    D = 0.05f * luq::random_normal_matrix(H.rows(), H.cols(), luq::counter_rng(7)) * H;
    inputs = inputs_of_its_own();
  }

  [[nodiscard]] linear_inputs inputs_of_its_own() const {
    linear_inputs result(H);
    result.set_drift(D);
    return result;
  }
};

/// One codec of each kind.
const std::vector<luq::any_codec> recipe_codecs{luq::sign_codec{.group = 128}, luq::int_codec<3>{.group = 64},
                                                luq::billm_codec{.group = 128}, luq::lloyd_codec<2>{.group = 128},
                                                luq::trellis_codec<3>{.group = luq::whole_row}};

/// Every recipe that is valid for a codec.
std::vector<recipe> recipes_of(const luq::any_codec& codec) {
  std::vector<recipe> result;
  for (const auto transform :
       {transform_method::none, transform_method::hadamard, transform_method::awq, transform_method::rowcol}) {
    for (const auto search :
         {code_search::rtn, code_search::gptq, code_search::gptaq, code_search::billm, code_search::beam}) {
      for (const bool refines : {false, true}) {
        for (const bool propagates : {false, true}) {
          const recipe r(transform, codec, search, refines, propagates);
          const bool is_sequence =
              std::visit([](const auto& c) { return luq::SequenceCodec<std::decay_t<decltype(c)>>; }, codec);
          const bool feeds_back = search == code_search::gptq || search == code_search::gptaq || refines;
          if (is_sequence && feeds_back) continue;
          if (propagates && search == code_search::gptaq) continue;
          result.push_back(r);
        }
      }
    }
  }
  return result;
}

/// Steps that can change nothing: AWQ finds no scales with which signs lose less of this linear, and refinement may
/// find nothing better than beam search, which refits scales itself.
bool may_be_in_vain(const recipe& how) {
  const bool scales_signs =
      how.transform == transform_method::awq && std::holds_alternative<luq::sign_codec>(how.codec);
  return scales_signs || (how.search == code_search::beam && how.refines);
}

/// Calls use(quantizer) with the quantizer that has the search of a recipe, with the options that are documented.
template <class Codec, class Use>
auto with_search(const recipe& how, Use&& use) {
  const luq::beam_search beam{.rounds = 1};
  if constexpr (luq::MemorylessCodec<Codec>) {
    const luq::gptq feedback{.order = luq::column_order::activation};
    const luq::gptq drifting{.order = luq::column_order::activation, .drift_share = 0.25};
    const auto then = [&](const auto& start) {
      if (how.refines) return use(luq::refined<std::decay_t<decltype(start)>>{.start = start});
      return use(start);
    };
    switch (how.search) {
      case code_search::rtn:
        return then(luq::round_to_nearest{});
      case code_search::gptq:
        return then(feedback);
      case code_search::gptaq:
        return then(drifting);
      case code_search::billm:
        return then(luq::billm{});
      case code_search::beam:
        return then(beam);
    }
    return then(beam);
  } else {
    if (how.search == code_search::rtn) return use(luq::round_to_nearest{});
    if (how.search == code_search::billm) return use(luq::billm{});
    return use(beam);
  }
}

/// Transform, search and drift of a recipe, step by step and without its front door: transforms of W, H and D by hand.
template <class Codec>
luq::quantized_linear<Codec> steps_by_hand(const golden_linear& linear, const recipe& how, const Codec& codec) {
  matrix W = how.propagates_error ? luq::propagate_error(linear.W, linear.H, linear.D) : linear.W;
  luq::shared_transform transform;
  if (how.transform == transform_method::hadamard) {
    transform = std::make_shared<const luq::hadamard_rotation>(W.cols());
  } else if (how.transform == transform_method::awq) {
    const luq::matrix_view weights = W;
    const linear_inputs inputs = linear_inputs::borrow(linear.H);
    transform = std::make_shared<const luq::input_scaling>(
        luq::awq{}.search(std::span(&weights, 1), inputs, codec, luq::round_to_nearest{}).scaling);
  } else if (how.transform == transform_method::rowcol) {
    transform = std::make_shared<const luq::input_scaling>(luq::alternate_column_scales(W, {}, codec));
  }
  const matrix original = W;
  matrix H = linear.H;
  matrix D = linear.D;
  if (transform) {
    transform->transform_weights(W);
    transform->transform_hessian(H);
    matrix half = D;
    transform->transform_activations(half);
    matrix both = half.transpose();
    transform->transform_activations(both);
    D = both.transpose();
  }
  linear_inputs inputs(H);
  inputs.set_drift(D);
  luq::quantize_report report;
  auto codes = with_search<Codec>(
      how, [&](const auto& quantizer) { return luq::quantize_codes({W, inputs}, codec, quantizer, {}, &report); });
  codes.transform = transform;
  if (how.transform == transform_method::rowcol) {
    const linear_inputs own = linear_inputs::borrow(linear.H);
    codes.transform = std::make_shared<const luq::input_scaling>(luq::refit_column_scales({original, own}, codes));
  }
  return {luq::pack(codes), report};
}

}  // namespace

TEST_CASE(
    "every recipe gives the codes, the transform and the report of its steps, and others than the other recipes do") {
  const golden_linear linear;
  for (const luq::any_codec& any : recipe_codecs) {
    std::vector<std::pair<std::string, matrix>> results;
    for (const recipe& how : recipes_of(any)) {
      const std::string name = luq::recipe_name(how);
      CAPTURE(name);
      const auto result = luq::quantize({linear.W, linear.inputs}, how);
      std::visit(
          [&](const auto& codec) {
            const auto expected = steps_by_hand(linear, how, codec);
            REQUIRE(luq::bytes_of(result.packed).size() == expected.packed.bytes().size());
            CHECK(std::ranges::equal(luq::bytes_of(result.packed), expected.packed.bytes()));
            CHECK(luq::decode(result.packed) == expected.packed.unpack().decode());
            CHECK(result.report.loss == expected.report.loss);
            CHECK(result.report.damp == expected.report.damp);
            CHECK(result.report.factorizations == expected.report.factorizations);
            CHECK(result.report.dead_columns == expected.report.dead_columns);
            CHECK(result.bits_per_weight() == expected.bits_per_weight());
          },
          any);
      CHECK(luq::codec_of(result.packed) == any);
      const auto size = static_cast<luq::index>(luq::bytes_of(result.packed).size());
      CHECK(size == luq::packed_bytes(how, linear.W.rows(), linear.W.cols()));
      CHECK(result.bits_per_weight() == luq::bits_per_weight(how, linear.W.rows(), linear.W.cols()));
      const luq::shared_transform transform = luq::transform_of(result.packed);
      CHECK((transform ? transform->name() : "") == luq::stored_transform(how));
      if (may_be_in_vain(how)) continue;
      const matrix Q = luq::decode(result.packed);
      for (const auto& other : results) {
        CAPTURE(other.first);
        const bool differ = Q != other.second;
        CHECK(differ);
      }
      results.emplace_back(name, Q);
    }
  }
}

TEST_CASE("a recipe that is read gives what the codec's own search does, and is multiplied with") {
  const auto problem = make_linear_problem(24, 64, 300, 1);
  linear_inputs inputs(64);
  inputs.add(problem.X);
  const auto by_text = luq::quantize({problem.W, inputs}, parse_recipe("hadamard/int2:g32/gptq+refine"));
  const auto by_codec = luq::quantize({problem.W, inputs}, recipe(luq::int_codec<2>{.group = 32}));
  const auto plain = luq::quantize({problem.W, inputs}, parse_recipe("int2:g32/rtn"));
  const auto error = [&](const luq::any_quantized_linear& linear) {
    return luq_test::measured_output_error(problem, luq::decode(linear.packed));
  };
  CHECK(error(by_text) < error(plain));
  CHECK(error(by_codec) < error(plain));
  CHECK(std::ranges::equal(
      luq::bytes_of(by_codec.packed),
      luq::bytes_of(luq::quantize({problem.W, inputs}, parse_recipe("int2:g32/gptq+refine")).packed)));
  matrix Y(300, 24);
  luq::matmul(by_text.packed, problem.X, Y);
  CHECK(Y.isApprox(problem.X * luq::decode(by_text.packed).transpose(), 1e-4f));
}

TEST_CASE("the seed is that of the rotation") {
  const auto problem = make_linear_problem(8, 32, 100, 2);
  const linear_inputs inputs(problem.H);
  const auto seed_of = [&](const luq::quantize_context& context) {
    const auto result = luq::quantize({problem.W, inputs}, parse_recipe("hadamard/sign:g16/rtn"), context);
    return dynamic_cast<const luq::hadamard_rotation&>(*luq::transform_of(result.packed)).seed();
  };
  CHECK(seed_of({}) == 0);
  CHECK(seed_of({.seed = 77}) == 77);
}

TEST_CASE("every recipe is the same bits for any number of threads") {
  const auto problem = make_linear_problem(66, 16, 80, 3);  // two chunks of rows
  const matrix D = 0.05f * luq::random_normal_matrix(16, 16, luq::counter_rng(3, 4)) * problem.H;
  const auto result = [&](const recipe& how, int threads) {
    linear_inputs inputs(problem.H);
    inputs.set_drift(D);
    const luq::openmp_executor executor{.threads = threads};
    return luq::quantize({problem.W, inputs}, how, {.executor = executor});
  };
  for (const luq::any_codec& codec :
       {luq::any_codec(luq::int_codec<3>{.group = 8}), luq::any_codec(luq::trellis_codec<2>{.group = 16})}) {
    for (const recipe& how : recipes_of(codec)) {
      CAPTURE(luq::recipe_name(how));
      const auto serial = result(how, 1);
      for (const int threads : {2, 3}) {
        const auto parallel = result(how, threads);
        CHECK(std::ranges::equal(luq::bytes_of(parallel.packed), luq::bytes_of(serial.packed)));
        CHECK(parallel.report.loss == serial.report.loss);
      }
    }
  }
}

TEST_CASE("recipes that need no inputs do with weights alone, and give what they give with inputs") {
  const golden_linear linear;
  int alone = 0;
  for (const luq::any_codec& codec : recipe_codecs) {
    for (const recipe& how : recipes_of(codec)) {
      const std::string name = luq::recipe_name(how);
      CAPTURE(name);
      if (luq::needs_inputs(how)) {
        check_fails(errc::insufficient_data, "recipe " + name + ": expected inputs of the linear",
                    [&] { (void)luq::quantize(linear.W, how); });
        continue;
      }
      ++alone;
      const auto without = luq::quantize(linear.W, how);
      if (how.transform == transform_method::rowcol) continue;  // with inputs its scales are refitted
      const auto with = luq::quantize({linear.W, linear.inputs}, how);
      CHECK(std::ranges::equal(luq::bytes_of(without.packed), luq::bytes_of(with.packed)));
    }
  }
  CHECK(alone == 5 * 3);
}

TEST_CASE("recipes that need a drift name themselves where there is none") {
  const auto problem = make_linear_problem(4, 32, 100, 4);
  const linear_inputs inputs(problem.H);
  for (const recipe& how : recipes_of(luq::int_codec<4>{.group = 16})) {
    const std::string name = luq::recipe_name(how);
    CAPTURE(name);
    if (luq::needs_drift(how)) {
      check_fails(errc::insufficient_data,
                  "recipe " + name + ": expected inputs with a drift (linear_inputs::set_drift), got none",
                  [&] { (void)luq::quantize({problem.W, inputs}, how); });
    } else {
      CHECK_NOTHROW((void)luq::quantize({problem.W, inputs}, how));
    }
  }
}

TEST_CASE("a recipe that does not fit, and bad data, are errors, each with its code") {
  const auto problem = make_linear_problem(4, 16, 60, 5);
  linear_inputs inputs(problem.H);
  inputs.set_drift(problem.H);
  const auto code_with = [&](const luq::linear_problem& p, const recipe& how) {
    try {
      (void)luq::quantize(p, how);
    } catch (const luq::error& e) {
      CHECK(std::string(e.what()).find('\n') == std::string::npos);
      return e.code();
    }
    FAIL("no error");
    return errc::unsupported;
  };
  const luq::trellis_codec<2> trellis{.group = 16};
  const luq::sign_codec sign{.group = 8};
  CHECK(code_with({problem.W, inputs}, recipe(transform_method::none, trellis, code_search::gptq)) ==
        errc::invalid_argument);
  CHECK(code_with({problem.W, inputs}, recipe(transform_method::none, trellis, code_search::beam, true)) ==
        errc::invalid_argument);
  CHECK(code_with({problem.W, inputs}, recipe(transform_method::none, sign, code_search::gptaq, false, true)) ==
        errc::invalid_argument);
  CHECK(code_with({problem.W, inputs}, luq::sign_codec{.group = -1}) == errc::invalid_argument);
  matrix W = problem.W;
  W(2, 3) = std::numeric_limits<float>::quiet_NaN();
  const matrix narrow = problem.W.leftCols(15);
  const linear_inputs empty(16);
  for (const recipe& how : recipes_of(sign)) {
    CAPTURE(luq::recipe_name(how));
    CHECK(code_with({W, inputs}, how) == errc::non_finite);
    CHECK(code_with({narrow, inputs}, how) == errc::shape_mismatch);
    if (luq::needs_inputs(how)) CHECK(code_with({problem.W, empty}, how) == errc::insufficient_data);
  }
}

TEST_CASE("linears with the same inputs share the factor of a recipe") {
  const auto problem = make_linear_problem(10, 64, 300, 6);
  const linear_inputs inputs(problem.H);
  for (int i = 0; i < 3; ++i) (void)luq::quantize({problem.W, inputs}, parse_recipe("int4:g32/gptq"));
  CHECK(inputs.factorizations() == 1);
  for (int i = 0; i < 3; ++i) (void)luq::quantize({problem.W, inputs}, parse_recipe("sign:g16/gptq+refine"));
  CHECK(inputs.factorizations() == 1);
  for (int i = 0; i < 3; ++i) (void)luq::quantize({problem.W, inputs}, parse_recipe("hadamard/sign:g16/gptq+refine"));
  CHECK(inputs.factorizations() == 2);
}

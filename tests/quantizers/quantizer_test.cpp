// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/quantizers/quantizer.hpp"

#include <doctest/doctest.h>

#include <type_traits>
#include <utility>

#include "linear_problem.hpp"
#include "luq/codecs/billm_codec.hpp"
#include "luq/codecs/int_codec.hpp"
#include "luq/codecs/sign_codec.hpp"
#include "luq/codecs/trellis_codec.hpp"
#include "luq/quantizers/awq.hpp"
#include "luq/quantizers/beam_search.hpp"
#include "luq/quantizers/billm.hpp"
#include "luq/quantizers/gptq.hpp"
#include "luq/quantizers/hadamard.hpp"
#include "luq/quantizers/quantize.hpp"
#include "luq/quantizers/refined.hpp"
#include "luq/quantizers/round_to_nearest.hpp"
#include "luq/quantizers/row_column.hpp"

using luq::coded_matrix;
using luq::linear_inputs;
using luq::linear_problem;
using luq::quantize_context;
using luq::quantize_report;
using luq::Quantizer;
using luq::QuantizerFor;

namespace {

/// All codes zero: the least that a quantizer can be.
struct zero_search {
  static constexpr bool needs_inputs = false;

  template <luq::MemorylessCodec Codec>
  coded_matrix<Codec> operator()(const linear_problem& problem, const Codec& codec, const quantize_context&,
                                 quantize_report&) const {
    coded_matrix<Codec> result(codec, problem.W.rows(), problem.W.cols());
    for (auto& group : result.groups) group.values = luq::matrix::Ones(problem.W.rows(), luq::parameter_count<Codec>);
    return result;
  }
};

struct sequence_search {
  static constexpr bool needs_inputs = true;

  template <luq::SequenceCodec Codec>
  coded_matrix<Codec> operator()(const linear_problem&, const Codec&, const quantize_context&, quantize_report&) const;
};

struct sign_search {
  static constexpr bool needs_inputs = true;

  coded_matrix<luq::sign_codec> operator()(const linear_problem&, const luq::sign_codec&, const quantize_context&,
                                           quantize_report&) const;
};

struct says_nothing_of_inputs {
  template <luq::WeightCodec Codec>
  coded_matrix<Codec> operator()(const linear_problem&, const Codec&, const quantize_context&, quantize_report&) const;
};

struct without_report {
  static constexpr bool needs_inputs = true;

  template <luq::WeightCodec Codec>
  coded_matrix<Codec> operator()(const linear_problem&, const Codec&, const quantize_context&) const;
};

struct without_result {
  static constexpr bool needs_inputs = true;

  template <luq::WeightCodec Codec>
  void operator()(const linear_problem&, const Codec&, const quantize_context&, quantize_report&) const;
};

struct of_matrices {
  static constexpr bool needs_inputs = true;

  template <luq::WeightCodec Codec>
  coded_matrix<Codec> operator()(const luq::matrix& W, const luq::matrix& H, const Codec&, luq::executor_ref,
                                 quantize_report&) const;
};

struct not_const {
  static constexpr bool needs_inputs = true;

  template <luq::WeightCodec Codec>
  coded_matrix<Codec> operator()(const linear_problem&, const Codec&, const quantize_context&, quantize_report&);
};

using sign = luq::sign_codec;
using integers = luq::int_codec<4>;
using salient = luq::billm_codec;
using trellis = luq::trellis_codec<2>;

template <class Q>
constexpr bool takes_memoryless = QuantizerFor<Q, sign> && QuantizerFor<Q, integers> && QuantizerFor<Q, salient>;

// The library's own.
static_assert(Quantizer<luq::round_to_nearest> && takes_memoryless<luq::round_to_nearest>);
static_assert(Quantizer<luq::gptq> && takes_memoryless<luq::gptq>);
static_assert(Quantizer<luq::billm> && takes_memoryless<luq::billm>);
static_assert(Quantizer<luq::beam_search> && takes_memoryless<luq::beam_search>);
static_assert(Quantizer<luq::refined<>> && takes_memoryless<luq::refined<>>);
static_assert(Quantizer<luq::refined<luq::round_to_nearest>> && takes_memoryless<luq::refined<luq::round_to_nearest>>);
static_assert(Quantizer<luq::refined<luq::beam_search>> && takes_memoryless<luq::refined<luq::beam_search>>);
static_assert(QuantizerFor<luq::round_to_nearest, trellis> && QuantizerFor<luq::billm, trellis> &&
              QuantizerFor<luq::beam_search, trellis>);
static_assert(!QuantizerFor<luq::gptq, trellis> && !QuantizerFor<luq::refined<>, trellis> &&
              !QuantizerFor<luq::refined<luq::beam_search>, trellis>);

// Others.
static_assert(Quantizer<zero_search> && takes_memoryless<zero_search> && !QuantizerFor<zero_search, trellis>);
static_assert(Quantizer<sequence_search> && QuantizerFor<sequence_search, trellis> &&
              !QuantizerFor<sequence_search, sign>);
static_assert(QuantizerFor<sign_search, sign> && !QuantizerFor<sign_search, integers> && !Quantizer<sign_search>);
static_assert(!Quantizer<says_nothing_of_inputs> && !QuantizerFor<says_nothing_of_inputs, sign>);
static_assert(!Quantizer<without_report> && !QuantizerFor<without_report, sign>);
static_assert(!Quantizer<without_result> && !QuantizerFor<without_result, sign>);
static_assert(!Quantizer<of_matrices> && !QuantizerFor<of_matrices, sign>);
static_assert(!Quantizer<not_const> && !QuantizerFor<not_const, sign>);
static_assert(!Quantizer<int> && !Quantizer<sign> && !QuantizerFor<luq::gptq, int>);

// Searches for transforms are no quantizers, and quantizers no such searches.
static_assert(luq::TransformSearch<luq::hadamard, sign, luq::gptq> && luq::TransformSearch<luq::awq, sign, luq::gptq> &&
              luq::TransformSearch<luq::row_column, trellis, luq::beam_search> &&
              luq::TransformSearch<luq::given_transform, trellis, luq::round_to_nearest>);
static_assert(!luq::TransformSearch<luq::gptq, sign, luq::gptq> && !Quantizer<luq::hadamard>);

// A problem is made of weights, alone or with inputs that outlive it.
static_assert(std::is_convertible_v<luq::matrix, linear_problem> &&
              std::is_convertible_v<luq::matrix_view, linear_problem>);
static_assert(std::is_constructible_v<linear_problem, luq::matrix, const linear_inputs&> &&
              std::is_constructible_v<linear_problem, luq::matrix, linear_inputs*>);
static_assert(!std::is_constructible_v<linear_problem, luq::matrix, linear_inputs>);
static_assert(!std::is_constructible_v<linear_problem, int>);

}  // namespace

TEST_CASE("a quantizer of no library is taken by the front door, with codecs of its kind") {
  const luq::matrix W = luq_test::make_linear_problem(5, 40, 10, 1).W;
  const auto plain = luq::quantize(W, sign{.group = 16}, zero_search{});
  CHECK(plain.packed.unpack().decode() == -luq::matrix::Ones(5, 40));
  CHECK(plain.report.factorizations == 0);
  CHECK(plain.bits_per_weight() == plain.packed.bits_per_weight());
  const auto turned = luq::quantize(W, luq::hadamard{}, sign{.group = 16}, zero_search{});
  CHECK(turned.packed.transform() != nullptr);
  CHECK(luq::quantize_codes(W, integers{.group = 16}, zero_search{}).codes.isZero());
}

TEST_CASE("a problem refers to weights and inputs, and copies neither") {
  const auto problem = luq_test::make_linear_problem(5, 40, 60, 2);
  const linear_inputs inputs(problem.H);
  const linear_problem alone(problem.W);
  CHECK(alone.W.data() == problem.W.data());
  CHECK(alone.inputs == nullptr);
  const linear_problem with(problem.W, inputs);
  CHECK(with.W.data() == problem.W.data());
  CHECK(with.inputs == &inputs);
  CHECK(linear_problem(problem.W, &inputs).inputs == &inputs);
  CHECK(linear_problem(problem.W, static_cast<const linear_inputs*>(nullptr)).inputs == nullptr);
  const linear_problem block(luq::view(problem.W.data(), 5, 20, 40));
  CHECK(block.W.data() == problem.W.data());
  CHECK(block.W.cols() == 20);
}

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/quantizers/linear_inputs.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <latch>
#include <limits>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "io/io_test_support.hpp"
#include "linear_problem.hpp"
#include "luq/codecs/hadamard_rotation.hpp"
#include "luq/codecs/input_scaling.hpp"
#include "luq/codecs/int_codec.hpp"
#include "luq/codecs/sign_codec.hpp"
#include "luq/core/openmp_executor.hpp"
#include "luq/core/random_matrix.hpp"
#include "luq/estimators/mean_magnitude.hpp"
#include "luq/quantizers/awq.hpp"
#include "luq/quantizers/beam_search.hpp"
#include "luq/quantizers/billm.hpp"
#include "luq/quantizers/gptq.hpp"
#include "luq/quantizers/hadamard.hpp"
#include "luq/quantizers/quantize.hpp"

using luq::column_order;
using luq::errc;
using luq::gptq;
using luq::linear_inputs;
using luq::matrix;
using luq_test::check_fails;
using luq_test::make_linear_problem;

namespace {

/// T by transforming the unit vectors.
Eigen::MatrixXd matrix_of(const luq::input_transform& transform) {
  matrix X = matrix::Identity(transform.in_features(), transform.in_features());
  transform.transform_activations(X);
  return X.transpose().cast<double>();
}

double relative_distance(const luq::matrix_view& A, const Eigen::MatrixXd& B) {
  return (A.cast<double>() - B).norm() / B.norm();
}

luq::input_scaling uneven_scaling(luq::index in, float last) {
  std::vector<float> factors;
  for (luq::index c = 0; c < in; ++c) factors.push_back(0.25f + static_cast<float>(c % 13) / 8.0f);
  factors.back() = last;
  return luq::input_scaling(factors);
}

/// Calls action(i) on `count` threads at once.
void run_at_once(int count, const std::function<void(int)>& action) {
  std::latch start(count);
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([&, i] {
      start.arrive_and_wait();
      action(i);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace

TEST_CASE("tokens are added to the Hessian and to the mean magnitudes") {
  const matrix X = make_linear_problem(1, 40, 90, 1).X;
  luq::hessian H(40);
  luq::mean_magnitude m(40);
  linear_inputs inputs(40);
  CHECK(inputs.in_features() == 40);
  for (const luq::index first : {0, 30, 60}) {
    H.add(X.middleRows(first, 30));
    m.add(X.middleRows(first, 30));
    inputs.add(X.middleRows(first, 30), luq::openmp_executor{.threads = 2});
  }
  CHECK(inputs.magnitudes() == m.values());
  CHECK(matrix(inputs.H()) == H.matrix());
  CHECK(inputs.magnitudes() == m.values());  // also once H was read
  CHECK(inputs.drift() == nullptr);
  CHECK(inputs.factorizations() == 0);
}

TEST_CASE("tokens that are padding are added to neither") {
  const matrix X = make_linear_problem(1, 24, 30, 2).X;
  std::vector<luq::token_class> classes(30, luq::token_class::text);
  for (std::size_t t = 0; t < 30; t += 4) classes[t] = luq::token_class::padding;
  luq::hessian H(24);
  luq::mean_magnitude m(24);
  linear_inputs inputs(24);
  H.add(X, classes);
  m.add(X, classes);
  inputs.add(X, classes);
  CHECK(inputs.magnitudes() == m.values());
  CHECK(matrix(inputs.H()) == H.matrix());
  linear_inputs of_all(24);
  of_all.add(X);
  CHECK(matrix(of_all.H()) != H.matrix());
}

TEST_CASE("what an estimator has seen can be gone on with; its magnitudes are those that the Hessian knows") {
  const matrix X = make_linear_problem(1, 24, 60, 3).X;
  luq::hessian H(24);
  H.add(X.topRows(20));
  linear_inputs inputs(H);
  H.add(X.bottomRows(40));
  inputs.add(X.bottomRows(40));
  CHECK(matrix(inputs.H()) == H.matrix());
  CHECK(inputs.magnitudes() == luq::input_magnitude(H.matrix()));
}

TEST_CASE("a token that is not finite is not added at all") {
  matrix X = make_linear_problem(1, 24, 30, 4).X;
  linear_inputs inputs(24);
  inputs.add(X);
  linear_inputs spoilt(24);
  spoilt.add(X);
  X(17, 5) = std::numeric_limits<float>::quiet_NaN();
  check_fails(errc::non_finite, "17", [&] { spoilt.add(X); });
  CHECK(spoilt.magnitudes() == inputs.magnitudes());
  CHECK(matrix(spoilt.H()) == matrix(inputs.H()));
}

TEST_CASE("no token is added once the Hessian was read, or where it was given") {
  const auto problem = make_linear_problem(1, 24, 60, 5);
  const auto refused = [&](linear_inputs& inputs) {
    check_fails(errc::invalid_argument, "inputs: expected tokens before the Hessian is given or read",
                [&] { inputs.add(problem.X); });
    const std::vector<luq::token_class> classes(60, luq::token_class::text);
    check_fails(errc::invalid_argument, "inputs: expected tokens before the Hessian is given or read",
                [&] { inputs.add(problem.X, classes); });
  };
  const auto refused_after = [&](auto&& read) {
    linear_inputs inputs(24);
    inputs.add(problem.X);
    CHECK(inputs.magnitudes().size() == 24);  // does not read the Hessian
    inputs.add(problem.X);
    const std::vector<float> before = inputs.magnitudes();
    read(inputs);
    const matrix H = inputs.H();
    refused(inputs);
    CHECK(matrix(inputs.H()) == H);
    CHECK(inputs.magnitudes() == before);
  };
  refused_after([](const linear_inputs& inputs) { (void)inputs.H(); });
  refused_after([](const linear_inputs& inputs) { (void)inputs.factor({}); });
  refused_after([](const linear_inputs& inputs) { (void)inputs.transformed(luq::hadamard_rotation(24)); });
  refused_after([](const linear_inputs& inputs) { (void)inputs.transformed_once(luq::hadamard_rotation(24)); });
  linear_inputs given(problem.H);
  refused(given);
  linear_inputs borrowed = linear_inputs::borrow(problem.H);
  refused(borrowed);
  linear_inputs factor(luq::factorize_hessian(problem.H));
  refused(factor);
}

TEST_CASE("linears with the same inputs share one factor; another damping, order or kind of groups has its own") {
  const auto problem = make_linear_problem(20, 96, 300, 6);
  linear_inputs inputs(96);
  inputs.add(problem.X);
  const std::vector<matrix> weights{problem.W, luq::random_normal_matrix(8, 96, luq::counter_rng(6, 8)),
                                    luq::random_normal_matrix(8, 96, luq::counter_rng(6, 9))};
  const auto factorizations_after = [&](const auto& codec, const auto& quantizer) {
    for (const matrix& W : weights) (void)luq::quantize({W, inputs}, codec, quantizer);
    return inputs.factorizations();
  };
  const luq::int_codec<4> int4{.group = 32};
  const luq::sign_codec sign{.group = 16};
  CHECK(factorizations_after(int4, gptq{}) == 1);
  CHECK(factorizations_after(sign, gptq{}) == 1);
  CHECK(factorizations_after(sign, gptq{.static_groups = true, .block = 7}) == 1);
  CHECK(factorizations_after(sign, luq::billm{}) == 1);
  CHECK(factorizations_after(sign, luq::beam_search{.beams = 2, .rounds = 0}) == 1);
  CHECK(factorizations_after(int4, gptq{.damping = {.first = 0.1}}) == 2);
  CHECK(factorizations_after(int4, gptq{.damping = {.first = 0.1, .last = 2.0}}) == 3);
  CHECK(factorizations_after(int4, gptq{.order = column_order::activation}) == 4);
  CHECK(factorizations_after(sign, gptq{.order = column_order::activation}) == 4);  // whatever the groups
  CHECK(factorizations_after(int4, gptq{.order = column_order::group_aware}) == 5);
  CHECK(factorizations_after(luq::int_codec<3>{.group = 32}, gptq{.order = column_order::group_aware}) == 5);
  CHECK(factorizations_after(sign, gptq{.order = column_order::group_aware}) == 6);
  CHECK(factorizations_after(int4, gptq{}) == 6);
}

TEST_CASE("a factor is that of its options, and stays where it is") {
  const auto problem = make_linear_problem(1, 96, 300, 7);
  const linear_inputs inputs(problem.H);
  std::vector<std::pair<luq::factor_options, const luq::hessian_factor*>> made;
  for (const auto order : {column_order::natural, column_order::activation, column_order::group_aware}) {
    for (const double first : {0.01, 0.5}) {
      for (const luq::index group : {16, 32}) {
        const luq::factor_options options{.damping = {.first = first}, .order = order, .group = group};
        made.emplace_back(options, &inputs.factor(options, luq::openmp_executor{.threads = 2}));
      }
    }
  }
  for (const auto& [options, factor] : made) {
    CHECK(&inputs.factor(options) == factor);
    const luq::hessian_factor expected = luq::factorize_in_order(matrix(problem.H), options);
    CHECK(factor->U == expected.U);
    CHECK(factor->order == expected.order);
    CHECK(factor->damp == expected.damp);
  }
  std::set<const luq::hessian_factor*> different;
  for (const auto& entry : made) different.insert(entry.second);
  CHECK(different.size() == 2 + 2 + 4);
  CHECK(inputs.factorizations() == 8);
  CHECK(matrix(inputs.H()) == problem.H);
}

TEST_CASE("a factorisation that fails is none, and fails again") {
  matrix H = matrix::Constant(8, 8, -4.0f);
  H.diagonal().setOnes();
  const linear_inputs inputs(H);
  for (int i = 0; i < 2; ++i) check_fails(errc::indefinite_hessian, "8 inputs", [&] { (void)inputs.factor({}); });
  CHECK(inputs.factorizations() == 0);
  (void)inputs.factor({.damping = {.last = 100.0}});
  CHECK(inputs.factorizations() == 1);
}

TEST_CASE("threads that ask at once get one factor, and one of each transform") {
  const auto problem = make_linear_problem(1, 256, 600, 8);
  for (int repeat = 0; repeat < 5; ++repeat) {
    linear_inputs inputs(256);
    inputs.add(problem.X);
    std::vector<const luq::hessian_factor*> factors(4);
    run_at_once(4, [&](int i) { factors[static_cast<std::size_t>(i)] = &inputs.factor({}); });
    for (const auto* factor : factors) CHECK(factor == factors[0]);
    CHECK(inputs.factorizations() == 1);
    std::vector<const linear_inputs*> transformed(4);
    run_at_once(4, [&](int i) {
      const auto place = static_cast<std::size_t>(i);
      transformed[place] = &inputs.transformed(luq::hadamard_rotation(256, {.seed = 3}));
      (void)transformed[place]->factor({});
    });
    for (const auto* other : transformed) CHECK(other == transformed[0]);
    CHECK(inputs.factorizations() == 2);
  }
}

TEST_CASE("statistics of transformed inputs are T H T^T and T D T^T") {
  const auto problem = make_linear_problem(1, 48, 200, 9);
  const matrix D = 0.05f * luq::random_normal_matrix(48, 48, luq::counter_rng(9, 4)) * problem.H;
  linear_inputs inputs(problem.H);
  inputs.set_drift(D);
  REQUIRE(inputs.drift() != nullptr);
  CHECK(*inputs.drift() == D);
  const auto check = [&](const luq::input_transform& transform) {
    CAPTURE(transform.name());
    const Eigen::MatrixXd T = matrix_of(transform);
    const luq::openmp_executor executor{.threads = 3};
    const linear_inputs& other = inputs.transformed(transform, executor);
    CHECK(other.in_features() == 48);
    CHECK(relative_distance(other.H(), T * problem.H.cast<double>() * T.transpose()) < 1e-6);
    REQUIRE(other.drift() != nullptr);
    CHECK(relative_distance(*other.drift(), T * D.cast<double>() * T.transpose()) < 1e-6);
    CHECK(other.magnitudes() == luq::input_magnitude(other.H()));
    const linear_inputs once = inputs.transformed_once(transform);
    CHECK(matrix(once.H()) == matrix(inputs.transformed(transform).H()));
    CHECK(*once.drift() == *inputs.transformed(transform).drift());
  };
  check(luq::hadamard_rotation(48, {.seed = 9}));
  check(uneven_scaling(48, 3.0f));
  CHECK(linear_inputs(problem.H).transformed(luq::hadamard_rotation(48)).drift() == nullptr);
}

TEST_CASE("statistics are kept for equal transforms, and no others") {
  const auto problem = make_linear_problem(1, 48, 200, 10);
  const linear_inputs inputs(problem.H);
  const auto place = [&](const luq::input_transform& transform) { return &inputs.transformed(transform); };
  const linear_inputs* const rotated = place(luq::hadamard_rotation(48, {.seed = 1}));
  const linear_inputs* const scaled = place(uneven_scaling(48, 3.0f));
  const std::set<const linear_inputs*> different{rotated, scaled, place(luq::hadamard_rotation(48, {.seed = 2})),
                                                 place(luq::hadamard_rotation(48, {.seed = 1, .block = 8})),
                                                 place(uneven_scaling(48, 4.0f))};
  CHECK(different.size() == 5);
  CHECK(place(luq::hadamard_rotation(48, {.seed = 1})) == rotated);
  CHECK(place(luq::hadamard_rotation(48, {.seed = 1, .block = 16})) == rotated);  // the largest block there is
  CHECK(place(uneven_scaling(48, 3.0f)) == scaled);
}

TEST_CASE("linears with the same inputs share the factor after a rotation, but not after scales of their own") {
  const auto problem = make_linear_problem(12, 64, 200, 11);
  const linear_inputs inputs(problem.H);
  const luq::sign_codec codec{.group = 16};
  const auto quantize_three = [&](const auto& transform, const luq::quantize_context& context) {
    for (int i = 0; i < 3; ++i) (void)luq::quantize({problem.W, inputs}, transform, codec, gptq{}, context);
    return inputs.factorizations();
  };
  CHECK(quantize_three(luq::hadamard{}, {}) == 1);
  CHECK(quantize_three(luq::hadamard{}, {.seed = 1}) == 2);
  CHECK(quantize_three(luq::hadamard{.block = 8}, {.seed = 1}) == 3);
  CHECK(quantize_three(luq::awq{.steps = 3}, {}) == 3);
  const luq::given_transform given{std::make_shared<const luq::input_scaling>(uneven_scaling(64, 2.0f))};
  CHECK(quantize_three(given, {}) == 4);
}

TEST_CASE("a drift that is set later is that of transformed inputs, too") {
  const auto problem = make_linear_problem(1, 48, 200, 12);
  const luq::hadamard_rotation rotation(48, {.seed = 12});
  linear_inputs inputs(problem.H);
  CHECK(inputs.transformed(rotation).drift() == nullptr);
  const matrix D = luq::random_normal_matrix(48, 48, luq::counter_rng(12, 4));
  const Eigen::MatrixXd T = matrix_of(rotation);
  for (const float scale : {1.0f, 3.0f}) {
    inputs.set_drift(scale * D);
    REQUIRE(inputs.transformed(rotation).drift() != nullptr);
    CHECK(relative_distance(*inputs.transformed(rotation).drift(),
                            static_cast<double>(scale) * T * D.cast<double>() * T.transpose()) < 1e-6);
  }
}

TEST_CASE("a Hessian that is borrowed is read where it is, whatever its stride") {
  const auto problem = make_linear_problem(6, 24, 100, 13);
  matrix wide = matrix::Constant(24, 37, std::numeric_limits<float>::quiet_NaN());
  wide.middleCols(5, 24) = problem.H;
  const linear_inputs inputs = linear_inputs::borrow(luq::view(wide.data() + 5, 24, 24, 37));
  CHECK(inputs.H().data() == wide.data() + 5);
  CHECK(matrix(inputs.H()) == problem.H);
  CHECK(inputs.magnitudes() == luq::input_magnitude(problem.H));
  CHECK(inputs.factor({}).U == luq::factorize_hessian(problem.H).U);
  CHECK(matrix(wide.middleCols(5, 24)) == problem.H);
  wide.middleCols(5, 24) *= 2.0f;
  CHECK(matrix(inputs.H()) == 2.0f * problem.H);
  const matrix whole = problem.H;
  CHECK(linear_inputs::borrow(whole).H().data() == whole.data());
}

TEST_CASE("of a factor alone the Hessian is not known") {
  const auto problem = make_linear_problem(6, 24, 100, 14);
  luq::hessian_factor factor = luq::factorize_hessian(problem.H);
  const matrix U = factor.U;
  const float* const memory = factor.U.data();
  const linear_inputs inputs(std::move(factor));
  CHECK(inputs.in_features() == 24);
  CHECK(inputs.factor({}).U == U);
  CHECK(inputs.factor({}).U.data() == memory);
  CHECK(inputs.factor({.damping = {.first = 0.5}}).U.data() == memory);  // that which was given, whatever the options
  CHECK(inputs.factorizations() == 0);
  const auto refuses = [](auto&& action) {
    check_fails(errc::insufficient_data, "inputs: expected a Hessian, got a factor alone", action);
  };
  refuses([&] { (void)inputs.H(); });
  refuses([&] { (void)inputs.magnitudes(); });
  refuses([&] { (void)inputs.transformed(luq::hadamard_rotation(24)); });
  refuses([&] { (void)luq::quantize({problem.W, inputs}, luq::awq{}, luq::sign_codec{.group = 8}, gptq{}); });
}

TEST_CASE("inputs that are moved keep what was made of them") {
  const auto problem = make_linear_problem(1, 24, 100, 15);
  linear_inputs first(24);
  first.add(problem.X);
  const luq::hessian_factor* const factor = &first.factor({});
  const linear_inputs* const rotated = &first.transformed(luq::hadamard_rotation(24));
  linear_inputs second = std::move(first);
  CHECK(&second.factor({}) == factor);
  CHECK(&second.transformed(luq::hadamard_rotation(24)) == rotated);
  linear_inputs third(3);
  third = std::move(second);
  CHECK(third.in_features() == 24);
  CHECK(&third.factor({}) == factor);
  CHECK(third.factorizations() == 1);
}

TEST_CASE("magnitudes are those that were set") {
  const auto problem = make_linear_problem(1, 4, 30, 16);
  const std::vector<float> set{0.0f, 1.0f, 2.0f, 3.0f};
  linear_inputs given(problem.H);
  given.set_magnitudes(set);
  CHECK(given.magnitudes() == set);
  linear_inputs added(4);
  added.add(problem.X);
  added.set_magnitudes(set);
  CHECK(added.magnitudes() == set);
}

TEST_CASE("inputs without tokens, of other shapes or with numbers that are none are errors") {
  const auto problem = make_linear_problem(1, 8, 30, 17);
  const linear_inputs empty(8);
  const auto without_tokens = [](auto&& action) {
    check_fails(errc::insufficient_data, "Hessian of 8 inputs: no token was added to it", action);
  };
  without_tokens([&] { (void)empty.H(); });
  without_tokens([&] { (void)empty.factor({}); });
  without_tokens([&] { (void)empty.magnitudes(); });
  without_tokens([&] { (void)empty.transformed(luq::hadamard_rotation(8)); });
  without_tokens([&] { (void)linear_inputs(luq::hessian(8)).H(); });
  linear_inputs later(8);
  CHECK_THROWS_AS((void)later.H(), luq::error);
  later.add(problem.X);  // nothing was read
  CHECK(later.H().allFinite());

  const matrix oblong = matrix::Ones(8, 7);
  check_fails(errc::shape_mismatch, "Hessian: expected a square matrix, got 8 x 7",
              [&] { (void)linear_inputs(oblong); });
  check_fails(errc::shape_mismatch, "Hessian: expected a square matrix, got 8 x 7",
              [&] { (void)linear_inputs::borrow(oblong); });
  linear_inputs inputs(problem.H);
  check_fails(errc::shape_mismatch, "input drift: expected 8 x 8, got 8 x 7", [&] { inputs.set_drift(oblong); });
  check_fails(errc::shape_mismatch, "input drift: expected 8 x 8, got 9 x 9",
              [&] { inputs.set_drift(matrix::Zero(9, 9)); });
  check_fails(errc::shape_mismatch, "input magnitudes: expected 8, got 7",
              [&] { inputs.set_magnitudes(std::vector<float>(7, 1.0f)); });
  check_fails(errc::shape_mismatch, "input transform hadamard: expected 8 inputs, got 16",
              [&] { (void)inputs.transformed(luq::hadamard_rotation(16)); });
  check_fails(errc::shape_mismatch, "input transform scaling: expected 8 inputs, got 7",
              [&] { (void)inputs.transformed_once(luq::input_scaling(7)); });
  linear_inputs narrow(7);
  check_fails(errc::shape_mismatch, "7", [&] { narrow.add(problem.X); });

  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    matrix D = matrix::Zero(8, 8);
    D(3, 5) = bad;
    check_fails(errc::non_finite, "input drift: expected finite entries", [&] { inputs.set_drift(D); });
    std::vector<float> m(8, 1.0f);
    m[6] = bad;
    check_fails(errc::invalid_argument, "for input 6", [&] { inputs.set_magnitudes(m); });
    m[6] = -1.0f;
    check_fails(errc::invalid_argument, "got -1 for input 6", [&] { inputs.set_magnitudes(m); });
  }
  CHECK(inputs.drift() == nullptr);
  CHECK(inputs.magnitudes() == luq::input_magnitude(problem.H));
}

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/quantizers/billm.hpp"

#include <doctest/doctest.h>

#include <Eigen/Cholesky>

#include "codec_list.hpp"
#include "linear_problem.hpp"
#include "luq/core/openmp_executor.hpp"
#include "luq/quantizers/gptq.hpp"
#include "luq/quantizers/quantize.hpp"
#include "quantize_problem.hpp"

using luq::billm;
using luq::block_compensation;
using luq::matrix;
using luq_test::make_linear_problem;

namespace {

template <class Codec, class Quantizer>
double error_of(const luq_test::linear_problem& problem, const Codec& codec, const Quantizer& quantizer) {
  return luq_test::measured_output_error(problem,
                                         luq_test::quantize_codes(problem.W, problem.H, codec, quantizer).decode());
}

}  // namespace

TEST_CASE("compensating later blocks helps, exactly more than by the published rule, and column feedback helps most") {
  const auto problem = make_linear_problem(48, 256, 800, 1);
  const luq::billm_codec codec{.group = 64};
  const double none = error_of(problem, codec, billm{.compensation = block_compensation::none});
  const double published = error_of(problem, codec, billm{});
  const double exact = error_of(problem, codec, billm{.compensation = block_compensation::exact});
  const double feedback = error_of(problem, codec, luq::gptq{});
  CHECK(published < none);
  CHECK(exact < published);
  CHECK(feedback < exact);
}

TEST_CASE("exact compensation minimises the output error over the columns after the block") {
  // With a second block that any value fits (8 bits), the result must be near the least-squares optimum given the
  // codes of the first, which the normal equations of the damped Hessian give directly.
  const auto problem = make_linear_problem(6, 40, 400, 2);
  const luq::int_codec<8> codec{.group = 20};
  const luq::int_codec<2> coarse{.group = 20};
  Eigen::MatrixXd damped = problem.H.cast<double>();
  damped.diagonal().array() += 0.01 * damped.diagonal().mean();

  // Error of the first block under the coarse codec, and the optimal answer of the second.
  const matrix first = luq_test::quantize_codes(problem.W.leftCols(20), problem.H.topLeftCorner(20, 20), coarse,
                                                billm{.compensation = block_compensation::none})
                           .decode();
  const Eigen::MatrixXd E = (problem.W.leftCols(20) - first).cast<double>();
  const Eigen::MatrixXd answer =
      damped.bottomRightCorner(20, 20).ldlt().solve(damped.bottomLeftCorner(20, 20) * E.transpose());
  const matrix best = problem.W.rightCols(20) + answer.transpose().cast<float>();

  const luq::hessian_factor factor = luq::factorize_hessian(problem.H);
  matrix errors = (problem.W.leftCols(20) - first);
  factor.U.topLeftCorner(20, 20).triangularView<Eigen::Upper>().solveInPlace<Eigen::OnTheRight>(errors);
  const matrix ours = problem.W.rightCols(20) - errors * factor.U.topRightCorner(20, 20);
  CHECK((ours - best).cwiseAbs().maxCoeff() < 1e-3f);

  // And the quantizer itself, with codes fine enough for both blocks, leaves next to nothing.
  CHECK(error_of(problem, codec, billm{.compensation = block_compensation::exact}) < 1e-4);
}

TEST_CASE("a matrix of one group is coded as the codec codes it for itself") {
  const auto problem = make_linear_problem(30, 50, 200, 3);
  const luq::billm_codec codec{.group = 64};
  const auto result = luq_test::quantize_codes(problem.W, problem.H, codec, billm{});
  const auto importance = luq::factorize_hessian(problem.H).importance(0, 50);
  const luq::coded_group expected = luq::code_group(codec, problem.W, importance);
  CHECK(result.codes == expected.codes);
  CHECK(result.groups[0].values == expected.parameters.values);
  CHECK(result.groups[0].column_class == expected.parameters.column_class);
}

TEST_CASE("the block rule runs with every codec, the same bits for any number of threads") {
  const auto problem = make_linear_problem(150, 70, 300, 4);
  luq_test::for_each_codec(32, [&](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    luq::quantize_report serial_report;
    const auto serial = luq_test::quantize_codes(problem.W, problem.H, codec, billm{}, &serial_report);
    CHECK(serial_report.damp == 0.01);
    CHECK(serial_report.loss > 0);
    for (const int threads : {2, 3}) {
      luq::quantize_report report;
      const auto parallel = luq_test::quantize_codes(problem.W, problem.H, codec, billm{}, &report,
                                                     luq::openmp_executor{.threads = threads});
      CHECK(parallel.codes == serial.codes);
      CHECK(parallel.decode() == serial.decode());
      CHECK(report.loss == serial_report.loss);
    }
  });
}

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "app/frontier.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <luq/quantizers/output_error.hpp>

#include "app/pipeline.hpp"
#include "app_test_support.hpp"

using vlm_test::random_calibration;
using vlm_test::random_model;

TEST_CASE("sequences are split by turns") {
  const auto set = vlm_test::random_calibration_set(7);
  const auto [even, odd] = vlm::split_sequences(set.sequences);
  REQUIRE(even.size() == 4);
  REQUIRE(odd.size() == 3);
  for (std::size_t i = 0; i < even.size(); ++i) CHECK(even[i].ids == set.sequences[2 * i].ids);
  for (std::size_t i = 0; i < odd.size(); ++i) CHECK(odd[i].ids == set.sequences[2 * i + 1].ids);
}

TEST_CASE("a point of the frontier is the mean over all linears, beside the reference") {
  const auto questions = vlm_test::random_questions(12);
  const vlm::examination exam(random_model(), questions, {});
  // Held-out statistics of their own: other sequences than those of random_calibration().
  const auto set = vlm_test::random_calibration_set(5);
  luq::activation_entropy_options entropy;
  entropy.clustering.clusters = 4;
  const vlm::calibration held_out = vlm::calibrate(random_model(), set, set.sequences, {entropy}, {});
  const std::vector<luq::recipe> recipes{luq::parse_recipe("billm:g32/billm"),
                                         luq::parse_recipe("rowcol/int2:g16/gptq"), luq::parse_recipe("int8:g16/gptq")};
  const auto points = vlm::measure_frontier(random_model(), random_calibration(), held_out, exam, recipes, {});
  REQUIRE(points.size() == 3);
  CHECK(points[0].equals_reference == 1);
  CHECK(points[0].halves_reference == 0);
  CHECK(points[2].halves_reference == 1);
  CHECK(points[2].held_out_error < points[1].held_out_error);

  const auto decoder = vlm::quantize_decoder(random_model(), random_calibration(), recipes[1], {});
  CHECK(points[1].error == decoder.mean_output_error());
  double sum = 0;
  double weights = 0;
  double bytes = 0;
  for (std::size_t layer = 0; layer < decoder.layers.size(); ++layer) {
    for (const vlm::decoder_linear which : vlm::decoder_linears) {
      const luq::matrix& W = vlm::float_weights(random_model(), static_cast<luq::index>(layer), which);
      const auto& linear = decoder.layers[layer][static_cast<std::size_t>(which)];
      sum += luq::relative_output_error(W, *linear.decoded, held_out.layers[layer].hessian_of(which).matrix());
      weights += static_cast<double>(W.size());
      bytes += static_cast<double>(luq::packed_bytes(recipes[1], W.rows(), W.cols()));
    }
  }
  CHECK(points[1].held_out_error ==
        doctest::Approx(sum / static_cast<double>(decoder.layers.size() * vlm::decoder_linears.size())));
  CHECK(points[1].true_bits == doctest::Approx(8 * bytes / weights));

  const vlm::table rows = vlm::frontier_table(points);
  REQUIRE(rows.rows.size() == 3);
  CHECK(rows.rows[1][0] == "rowcol/int2:g16/gptq");
  CHECK(rows.rows[0][5] == "100.0 %");
  const vlm::chart figure = vlm::frontier_chart(points);
  CHECK(figure.series.size() == 2);  // feedback, and BiLLM
  CHECK(std::is_sorted(figure.series[0].x.begin(), figure.series[0].x.end()));
}

TEST_CASE("the recipes compared start with published BiLLM, and no two are the same") {
  const auto& recipes = vlm::frontier_recipes();
  CHECK(luq::recipe_name(recipes[0]) == "billm:g128/billm");
  for (std::size_t i = 0; i < recipes.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) CHECK(recipes[i] != recipes[j]);
  }
}

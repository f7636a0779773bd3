// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "app/quantize_duration.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "engine_test_support.hpp"

namespace {

/// Two layers of four query heads and two of keys, an image of nine patches whose class token is dropped.
vlm::model_config small_config() {
  vlm::model_config config;
  config.image_token = 4;
  vlm::llava_vision_config vision;
  vision.tower = {.hidden_size = 10,
                  .intermediate_size = 30,
                  .layers = 3,
                  .heads = 2,
                  .channels = 3,
                  .image_size = 24,
                  .patch_size = 8,
                  .hidden_activation = vlm::activation::quick_gelu,
                  .layer_norm_epsilon = 1e-5f};
  config.vision = vision;
  config.text.hidden_size = 12;
  config.text.intermediate_size = 20;
  config.text.layers = 2;
  config.text.heads = 4;
  config.text.key_value_heads = 2;
  config.text.head_dim = 4;
  return config;
}

/// A sequence of valid tokens and two of padding.
vlm::calibration_sequence sequence(std::size_t tokens, std::size_t image_tokens) {
  vlm::calibration_sequence result;
  result.ids.assign(tokens + 2, 7);
  std::fill_n(result.ids.begin(), image_tokens, 4);
  result.valid.assign(tokens, true);
  result.valid.resize(tokens + 2, false);
  result.image = image_tokens > 0 ? 0 : -1;
  return result;
}

const std::vector<vlm::image> one_image(1);

double operations_of(const std::vector<vlm::counted_work>& work, const std::string& name) {
  for (const vlm::counted_work& part : work) {
    if (part.name == name) return part.operations;
  }
  FAIL("no part is named ", name);
  return 0;
}

}  // namespace

TEST_CASE("operations are counted by the formulas of the header") {
  luq::activation_entropy_options entropy;
  entropy.clustering.clusters = 5;
  entropy.seeds = 2;
  entropy.capacity = 60;
  const std::vector<vlm::calibration_sequence> sequences{sequence(40, 9), sequence(30, 0)};
  const auto work = vlm::count_quantize_work(small_config(), one_image, sequences, entropy);
  REQUIRE(work.size() == 4);

  // q [16 x 12], k and v [8 x 12], o [12 x 16], gate and up [20 x 12], down [12 x 20]; 70 tokens
  const double weights = 16 * 12 + 2 * 8 * 12 + 12 * 16 + 2 * 20 * 12 + 12 * 20;
  const double decoder = 2 * (2 * 70 * weights + 4 * (40.0 * 40 + 30 * 30) * 16);
  const double vision_layer = 2 * 10 * (4 * 10 * 10 + 2 * 10 * 30) + 4 * 10 * 10 * 10;
  const double image = 2 * 9 * 3 * 8 * 8 * 10 + 3 * vision_layer + 2 * 9 * (10 * 12 + 12 * 12);
  CHECK(operations_of(work, "forward passes") == doctest::Approx(decoder + image));
  CHECK(operations_of(work, "Hessians") == doctest::Approx(2.0 * 70 * (12 * 12 + 16 * 16 + 12 * 12 + 20 * 20)));
  // all tokens are 70, of which 60 are kept, 61 of text and as many kept, 9 of images; 2 + floor(ln 5) = 3 trials
  CHECK(operations_of(work, "entropies") == doctest::Approx(2.0 * 2 * 2 * (60 + 60 + 9) * 5 * 12 * (3 + 20)));
  const double cubes = 2 * std::pow(12, 3) + std::pow(16, 3) + std::pow(20, 3);  // of the four inputs
  CHECK(operations_of(work, "factors") == doctest::Approx(2 * 2 * 2.0 / 3 * cubes));
}

TEST_CASE("operations of images of any size are counted by their grids and windows") {
  vlm::qwen_vision_config vision;
  vision.hidden_size = 8;
  vision.intermediate_size = 10;
  vision.layers = 3;
  vision.heads = 2;
  vision.patch_size = 4;
  vision.window_size = 16;
  vision.output_size = 12;
  vision.full_attention_layers = {1};
  vlm::model_config config = small_config();
  const double without =
      operations_of(vlm::count_quantize_work(config, one_image, {{sequence(40, 0)}}, {}), "forward passes");
  config.vision = vision;
  // 6 x 10 patches are 3 x 5 tokens in windows of 4, 4, 2, 2, 2, 1 tokens of 4 patches
  const std::vector<vlm::image> images{{{}, vlm::image_grid{6, 10}}};
  const std::vector<vlm::calibration_sequence> sequences{sequence(40, 15)};
  const double with = operations_of(vlm::count_quantize_work(config, images, sequences, {}), "forward passes");
  const double linears = 2 * 60 * (2 * 3 * 4 * 4 * 8 + 3 * (4 * 8 * 8 + 3 * 8 * 10));
  const double attention = 4 * 8 * (60.0 * 60 + 2 * (2 * 16 * 16 + 3 * 8 * 8 + 4 * 4));
  const double merger = 2 * 15 * (32 * 32 + 32 * 12);
  CHECK(with - without == doctest::Approx(linears + attention + merger));
  vlm_test::check_fails(luq::errc::shape_mismatch, {"grid"},
                        [&] { (void)vlm::count_quantize_work(config, one_image, sequences, {}); });
}

TEST_CASE("work grows with sequences and layers as it should") {
  const luq::activation_entropy_options entropy;
  vlm::model_config config = small_config();
  const std::vector<vlm::calibration_sequence> one{sequence(40, 9)};
  const std::vector<vlm::calibration_sequence> two{sequence(40, 9), sequence(40, 9)};
  const auto once = vlm::count_quantize_work(config, one_image, one, entropy);
  const auto twice = vlm::count_quantize_work(config, one_image, two, entropy);
  for (const char* part : {"forward passes", "Hessians", "entropies"}) {
    CHECK(operations_of(twice, part) == doctest::Approx(2 * operations_of(once, part)));
  }
  CHECK(operations_of(twice, "factors") == operations_of(once, "factors"));
  config.text.layers = 4;
  const auto deeper = vlm::count_quantize_work(config, one_image, one, entropy);
  for (const char* part : {"Hessians", "entropies", "factors"}) {
    CHECK(operations_of(deeper, part) == doctest::Approx(2 * operations_of(once, part)));
  }
}

TEST_CASE("the rate of products is that of a computer") {
  const double rate = vlm::product_rate({.threads = 1});
  CHECK(rate > 1e7);
  CHECK(rate < 1e13);
}

TEST_CASE("durations as text") {
  CHECK(vlm::duration_text(0) == "0.0 s");
  CHECK(vlm::duration_text(9.94) == "9.9 s");
  CHECK(vlm::duration_text(9.96) == "10 s");
  CHECK(vlm::duration_text(99.4) == "99 s");
  CHECK(vlm::duration_text(99.6) == "2 min");
  CHECK(vlm::duration_text(99.4 * 60) == "99 min");
  CHECK(vlm::duration_text(99.6 * 60) == "1.7 h");
  CHECK(vlm::duration_text(1e6) == "277.8 h");
}

TEST_CASE("searches take their time for each weight and each pair of columns") {
  const vlm::text_config text = small_config().text;
  const double weights = 16 * 12 + 2 * 8 * 12 + 12 * 16 + 2 * 20 * 12 + 12 * 20;
  const double squares = (16 + 8 + 8 + 20 + 20) * 144 + 12 * 256 + 12 * 400;
  CHECK(vlm::search_speed{"s", 3, 0}.seconds(text) == doctest::Approx(2 * 3 * weights));
  CHECK(vlm::search_speed{"s", 0, 5}.seconds(text) == doctest::Approx(2 * 5 * squares));
  for (const char* codec : {"sign:g128", "trellis1.58:g0"}) {
    const luq::recipe how = luq::parse_recipe(codec);
    const vlm::search_speed speed = vlm::measure_search(how, 1e11, {.threads = 1});
    CHECK(speed.recipe == luq::recipe_name(how));
    CHECK(speed.per_weight >= 0);
    CHECK(speed.per_weight_and_input >= 0);
    CHECK(speed.per_weight + speed.per_weight_and_input > 0);
    CHECK(speed.per_weight < 1e-3);
  }
}

TEST_CASE("a table of parts, searches, and their sum") {
  const vlm::text_config text = small_config().text;
  const double weights = 16 * 12 + 2 * 8 * 12 + 12 * 16 + 2 * 20 * 12 + 12 * 20;
  const vlm::table table =
      vlm::duration_table({{"first", 3e9}, {"second", 1e9}}, 2e9, {{"search", 1.5 / weights, 0}}, text);
  CHECK(table.rows ==
        std::vector<std::vector<std::string>>{
            {"first", "3.0", "1.5 s"}, {"second", "1.0", "0.5 s"}, {"search", "", "3.0 s"}, {"all", "", "5.0 s"}});
}

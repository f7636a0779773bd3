// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "app/calibrate.hpp"

#include <algorithm>

#include "app_test_support.hpp"

using vlm_test::check_fails;
using vlm_test::random_model;

namespace {

vlm::calibration_options small_options(double norm_clip = luq::default_norm_clip) {
  vlm::calibration_options options;
  options.entropy.clustering.clusters = 6;
  options.entropy.seeds = 2;
  options.norm_clip = norm_clip;
  return options;
}

vlm::calibration calibrate(const vlm::calibration_set& set, luq::progress_observer* progress = nullptr) {
  return vlm::calibrate(random_model(), set, set.sequences, small_options(), {}, progress);
}

/// Feeds every activation of a forward pass straight to accumulators of its own.
struct accumulating_observer : vlm::layer_observer {
  accumulating_observer(const vlm::text_config& shape, double norm_clip) : norm_clip_(norm_clip) {
    for (luq::index layer = 0; layer < shape.layers; ++layer) {
      outputs.emplace_back(shape.hidden_size, small_options().entropy);
      hessians.push_back({luq::hessian(shape.hidden_size), luq::hessian(shape.heads * shape.head_dim),
                          luq::hessian(shape.hidden_size), luq::hessian(shape.intermediate_size)});
    }
  }

  void on_linear_input(luq::index layer, vlm::linear_input input, const luq::matrix_view& X,
                       std::span<const luq::token_class> classes) override {
    luq::hessian& H = hessians[static_cast<std::size_t>(layer)][static_cast<std::size_t>(input)];
    H.add(X, std::span<const float>(luq::norm_weights(X, classes, norm_clip_)));
  }
  void on_layer_output(luq::index layer, const luq::matrix_view& X,
                       std::span<const luq::token_class> classes) override {
    outputs[static_cast<std::size_t>(layer)].add(X, classes, sequence);
  }

  std::uint64_t sequence = 0;
  std::vector<luq::activation_entropy> outputs;
  std::vector<std::array<luq::hessian, 4>> hessians;

 private:
  double norm_clip_;
};

accumulating_observer accumulate_by_hand(const vlm::calibration_set& set, double norm_clip = luq::default_norm_clip) {
  const vlm::vision_language_model& model = random_model();
  accumulating_observer observer(model.config().text, norm_clip);
  for (const auto& sequence : set.sequences) {
    const vlm::token_sequence tokens(sequence.ids, sequence.valid, model.config().image_token);
    vlm::encoded_images image;
    if (sequence.image >= 0) image = model.image_features(set.images[static_cast<std::size_t>(sequence.image)]);
    vlm::kv_cache cache = model.make_cache();
    const vlm::sequence_step step{&tokens, sequence.image >= 0 ? &image : nullptr, &cache};
    model.forward({&step, 1}, vlm::logits_of::no_token, &observer);
    ++observer.sequence;
  }
  return observer;
}

void check_same(const luq::entropy_estimate& actual, const luq::entropy_estimate& expected) {
  CHECK(actual.tokens == expected.tokens);
  CHECK(actual.bits == expected.bits);
  CHECK(actual.low == expected.low);
  CHECK(actual.high == expected.high);
  CHECK(actual.seed_deviation == expected.seed_deviation);
}

void check_same(const luq::layer_entropy& actual, const luq::layer_entropy& expected) {
  check_same(actual.all, expected.all);
  REQUIRE(actual.text.has_value() == expected.text.has_value());
  REQUIRE(actual.image.has_value() == expected.image.has_value());
  if (actual.text) check_same(*actual.text, *expected.text);
  if (actual.image) check_same(*actual.image, *expected.image);
}

void check_by_hand(const vlm::calibration_set& set) {
  const vlm::calibration statistics = calibrate(set);
  const accumulating_observer expected = accumulate_by_hand(set);
  REQUIRE(statistics.layers.size() == expected.outputs.size());
  for (std::size_t layer = 0; layer < statistics.layers.size(); ++layer) {
    CAPTURE(layer);
    const vlm::layer_statistics& actual = statistics.layers[layer];
    for (std::size_t input = 0; input < 4; ++input) {
      CAPTURE(input);
      CHECK(actual.inputs[input].tokens() == expected.hessians[layer][input].tokens());
      CHECK(vlm_test::identical(actual.inputs[input].matrix(), expected.hessians[layer][input].matrix()));
    }
    check_same(actual.outputs.estimate(), expected.outputs[layer].estimate());
  }
}

/// The set with `count` tokens of padding after every sequence.
vlm::calibration_set padded(vlm::calibration_set set, std::size_t count) {
  for (auto& sequence : set.sequences) {
    sequence.ids.resize(sequence.ids.size() + count, 0);
    sequence.valid.resize(sequence.ids.size(), false);
  }
  return set;
}

}  // namespace

TEST_CASE("statistics of one sequence are those of its activations") {
  check_by_hand(vlm_test::random_calibration_set(1));
}

TEST_CASE("sequences are numbered and added in their order, however many are held at once") {
  check_by_hand(vlm_test::random_calibration_set(19));
  check_by_hand(padded(vlm_test::random_calibration_set(9), 3));
}

TEST_CASE("Hessians weight the tokens of a sequence by its own norms, entropies do not") {
  // Half of the median: most tokens of any input are clipped. Padding must not enter the median.
  const vlm::calibration_set set = padded(vlm_test::random_calibration_set(9), 30);
  const vlm::calibration clipped = vlm::calibrate(random_model(), set, set.sequences, small_options(0.5), {});
  const accumulating_observer expected = accumulate_by_hand(set, 0.5);
  const vlm::calibration plain = vlm::calibrate(random_model(), set, set.sequences, small_options(0), {});
  for (std::size_t layer = 0; layer < clipped.layers.size(); ++layer) {
    CAPTURE(layer);
    for (std::size_t input = 0; input < 4; ++input) {
      CAPTURE(input);
      const luq::hessian& H = clipped.layers[layer].inputs[input];
      CHECK(vlm_test::identical(H.matrix(), expected.hessians[layer][input].matrix()));
      CHECK(H.tokens() == plain.layers[layer].inputs[input].tokens());
      CHECK(H.total_weight() < 0.5 * static_cast<double>(H.tokens()));
      CHECK(plain.layers[layer].inputs[input].total_weight() == static_cast<double>(H.tokens()));
    }
    check_same(clipped.layers[layer].outputs.estimate(), plain.layers[layer].outputs.estimate());
  }
}

TEST_CASE("a clip that no token reaches changes no bit") {
  const vlm::calibration_set set = vlm_test::random_calibration_set(9);
  const vlm::calibration plain = vlm::calibrate(random_model(), set, set.sequences, small_options(0), {});
  const vlm::calibration clipped = vlm::calibrate(random_model(), set, set.sequences, small_options(1e3), {});
  for (std::size_t layer = 0; layer < plain.layers.size(); ++layer) {
    for (std::size_t input = 0; input < 4; ++input) {
      CHECK(vlm_test::identical(clipped.layers[layer].inputs[input].matrix(),
                                plain.layers[layer].inputs[input].matrix()));
    }
  }
  check_fails(luq::errc::invalid_argument, {"expected a clip > 0, got -1"},
              [&] { (void)vlm::calibrate(random_model(), set, set.sequences, small_options(-1), {}); });
}

TEST_CASE("tokens are counted by class, padding is not") {
  const vlm::calibration_set set = padded(vlm_test::random_calibration_set(10), 4);
  luq::index text = 0;
  luq::index image = 0;
  for (const auto& sequence : set.sequences) {
    const luq::index places =
        sequence.image >= 0 ? vlm_test::llava_vision(random_model().config()).tokens_per_image() : 0;
    image += places;
    text += static_cast<luq::index>(sequence.ids.size()) - 4 - places;
  }
  const vlm::calibration statistics = calibrate(set);
  CHECK(statistics.sequences == 10);
  CHECK(statistics.text_tokens == text);
  CHECK(statistics.image_tokens == image);
  for (const auto& layer : statistics.layers) {
    CHECK(layer.outputs.tokens(luq::token_class::text) == text);
    CHECK(layer.outputs.tokens(luq::token_class::image) == image);
    for (const auto& hessian : layer.inputs) CHECK(hessian.tokens() == text + image);
  }
}

TEST_CASE("padding on the right changes nothing") {
  const vlm::calibration_set set = vlm_test::random_calibration_set(10);
  const vlm::calibration plain = calibrate(set);
  const vlm::calibration with_padding = calibrate(padded(set, 7));
  CHECK(with_padding.text_tokens == plain.text_tokens);
  CHECK(with_padding.image_tokens == plain.image_tokens);
  for (std::size_t layer = 0; layer < plain.layers.size(); ++layer) {
    CAPTURE(layer);
    for (std::size_t input = 0; input < 4; ++input) {
      // A product of more rows may sum in another order.
      const luq::matrix expected = plain.layers[layer].inputs[input].matrix();
      CHECK(vlm_test::relative_difference(with_padding.layers[layer].inputs[input].matrix(), expected) < 1e-6);
    }
    check_same(with_padding.layers[layer].outputs.estimate(), plain.layers[layer].outputs.estimate());
  }
}

TEST_CASE("the number of threads changes no bit") {
  const vlm::calibration_set set = vlm_test::random_calibration_set(11);
  const vlm::calibration one = vlm::calibrate(random_model(), set, set.sequences, small_options(), {.threads = 1});
  const vlm::calibration three = vlm::calibrate(random_model(), set, set.sequences, small_options(), {.threads = 3});
  for (std::size_t layer = 0; layer < one.layers.size(); ++layer) {
    for (std::size_t input = 0; input < 4; ++input) {
      CHECK(vlm_test::identical(one.layers[layer].inputs[input].matrix(), three.layers[layer].inputs[input].matrix()));
    }
    check_same(one.layers[layer].outputs.estimate(), three.layers[layer].outputs.estimate());
  }
}

TEST_CASE("a linear's Hessian is that of its input") {
  const vlm::calibration statistics = calibrate(vlm_test::random_calibration_set(2));
  for (const vlm::decoder_linear which : vlm::decoder_linears) {
    CHECK(statistics.layers[1].hessian_of(which).in_features() ==
          random_model().decoder_linear_at(1, which).in_features());
  }
  const auto& layer = statistics.layers[1];
  CHECK(&layer.hessian_of(vlm::decoder_linear::value) == &layer.hessian_of(vlm::decoder_linear::query));
  CHECK(&layer.hessian_of(vlm::decoder_linear::up) != &layer.hessian_of(vlm::decoder_linear::query));
}

TEST_CASE("progress counts sequences") {
  vlm_test::recorded_progress progress;
  (void)calibrate(vlm_test::random_calibration_set(11), &progress);
  REQUIRE(progress.tasks.size() == 1);
  CHECK(progress.tasks[0].units == 11);
  CHECK(progress.tasks[0].done == 11);
  CHECK(progress.tasks[0].ended);
}

TEST_CASE("activations that overflow are an error") {
  vlm::vision_language_model model = random_model();
  const auto& gate = model.decoder_linear_at(1, vlm::decoder_linear::gate);
  model.set_decoder_weights(
      1, vlm::decoder_linear::gate,
      std::make_shared<const luq::matrix>(luq::matrix::Constant(gate.out_features(), gate.in_features(), 3e38f)));
  const vlm::calibration_set set = vlm_test::random_calibration_set(3);
  check_fails(luq::errc::non_finite, {"random: sequence 0: ", "expected finite numbers"},
              [&] { (void)vlm::calibrate(model, set, set.sequences, small_options(), {}); });
}

TEST_CASE("an image that the sequence has no places for is an error") {
  vlm::calibration_set set = vlm_test::random_calibration_set(3);
  REQUIRE(set.sequences[2].image == -1);
  set.sequences[2].image = 0;
  check_fails(luq::errc::shape_mismatch, {"random: sequence 2: ", "one row of image features per image token"},
              [&] { (void)calibrate(set); });
}

TEST_CASE("errors of a sequence name its file and its row there") {
  const auto refuse = [](luq::errc code, std::vector<std::string> fragments, auto alter) {
    vlm::calibration_set set = padded(vlm_test::random_calibration_set(12), 2);
    std::ranges::reverse(set.sequences);  // row 7 is the fifth that is run
    alter(set, set.sequences[4]);
    fragments.emplace_back("random: sequence 7: ");
    check_fails(code, fragments, [&] { (void)calibrate(set); });
  };
  refuse(luq::errc::unsupported, {"expected padding at the end only"},
         [](auto&, auto& sequence) { sequence.valid[0] = false; });
  refuse(luq::errc::insufficient_data, {"at least one token that is not padding"},
         [](auto&, auto& sequence) { sequence.valid.assign(sequence.valid.size(), false); });
  refuse(luq::errc::invalid_argument, {"position 0", "got 4000"},
         [](auto&, auto& sequence) { sequence.ids[0] = 4000; });
  refuse(luq::errc::shape_mismatch, {"one row of image features per image token"},
         [](auto&, auto& sequence) { sequence.ids[0] = random_model().config().image_token; });
  refuse(luq::errc::shape_mismatch, {"image: expected"}, [](auto& set, auto& sequence) {
    set.images.push_back({{1.0f, 2.0f}, {}});
    sequence.image = static_cast<std::int32_t>(set.images.size()) - 1;
  });
}

TEST_CASE("text alone has no entropy of image tokens") {
  vlm::calibration_set set = vlm_test::random_calibration_set(12);
  std::erase_if(set.sequences, [](const auto& sequence) { return sequence.image >= 0; });
  const vlm::calibration statistics = calibrate(set);
  CHECK(statistics.image_tokens == 0);
  CHECK(statistics.text_tokens > 0);
  for (const auto& layer : statistics.layers) {
    const luq::layer_entropy entropy = layer.outputs.estimate();
    CHECK(!entropy.image);
    REQUIRE(entropy.text);
    check_same(entropy.all, *entropy.text);
  }
}

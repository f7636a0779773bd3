// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The whole engine against what Hugging Face transformers computes in float32, part by part from the pixels to the
// logits.
#include <luq/estimators/token_class.hpp>

#include "engine_test_support.hpp"

using vlm_test::fixture;
using vlm_test::random_fixture;
using vlm_test::random_model;
using vlm_test::relative_difference;
using vlm_test::tiny_fixture;
using vlm_test::tiny_model;

namespace {

// What is asked for is 1e-3 of the range; rounding in another order of additions costs about 1e-6.
constexpr double llava_tolerance = 2e-5;

class output_recorder : public vlm::layer_observer {
 public:
  void on_layer_output(luq::index layer, const luq::matrix_view& X,
                       std::span<const luq::token_class> /*classes*/) override {
    REQUIRE(layer == static_cast<luq::index>(outputs.size()));
    outputs.emplace_back(X);
  }
  std::vector<luq::matrix> outputs;
};

void check_against(const fixture& expected, const vlm::vision_language_model& model) {
  CAPTURE(expected.name);
  for (std::size_t i = 0; i < expected.images.size(); ++i) {
    CAPTURE(i);
    CHECK(relative_difference(model.image_features(expected.images[i]).rows, expected.image_features[i].rows) <
          llava_tolerance);
  }
  for (std::size_t s = 0; s < expected.sequences.size(); ++s) {
    CAPTURE(s);
    const auto& sequence = expected.sequences[s];
    vlm::encoded_images image;
    if (sequence.image >= 0) image = model.image_features(expected.images[static_cast<std::size_t>(sequence.image)]);
    CHECK(relative_difference(model.logits(model.sequence(sequence.ids), &image), sequence.logits) < llava_tolerance);
  }

  const auto& first = expected.sequences.front();
  output_recorder recorder;
  vlm::kv_cache cache = model.make_cache();
  const vlm::token_sequence tokens = model.sequence(first.ids);
  const vlm::sequence_step step{&tokens, vlm_test::features_of(expected, first), &cache};
  const luq::matrix none = model.forward({&step, 1}, vlm::logits_of::no_token, &recorder);
  CHECK(none.rows() == 0);
  REQUIRE(recorder.outputs.size() == expected.layer_outputs.size());
  for (std::size_t l = 0; l < recorder.outputs.size(); ++l) {
    CAPTURE(l);
    CHECK(relative_difference(recorder.outputs[l], expected.layer_outputs[l]) < llava_tolerance);
  }
}

}  // namespace

TEST_CASE("the trained model computes what transformers computes") {
  check_against(tiny_fixture(), tiny_model());
}

TEST_CASE("a random model of another shape computes what transformers computes") {
  check_against(random_fixture(), random_model());
}

TEST_CASE("the fixtures exercise images, text only, several lengths, and grouped queries") {
  for (const fixture* data : {&tiny_fixture(), &random_fixture()}) {
    bool with_image = false;
    bool without_image = false;
    for (const auto& sequence : data->sequences) (sequence.image >= 0 ? with_image : without_image) = true;
    CHECK(with_image);
    CHECK(without_image);
    CHECK(data->sequences[0].ids.size() != data->sequences[1].ids.size());
  }
  const vlm::text_config& random = random_model().config().text;
  const vlm::text_config& tiny = tiny_model().config().text;
  CHECK(random.heads / random.key_value_heads != tiny.heads / tiny.key_value_heads);
}

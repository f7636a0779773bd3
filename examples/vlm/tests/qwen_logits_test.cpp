// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Qwen2.5-VL against what Hugging Face transformers computes in float32, part by part from the patches to the logits.
#include <luq/io/safetensors/checkpoint.hpp>

#include "engine/checkpoint_names.hpp"
#include "engine/patch_merger.hpp"
#include "engine/qwen_tower.hpp"
#include "engine/weight_reader.hpp"
#include "qwen_test_support.hpp"

using vlm_test::qwen_fixture;
using vlm_test::qwen_sequence;
using vlm_test::relative_difference;

namespace {

// As for LLaVA: rounding in another order of additions costs about 1e-6.
constexpr double logit_tolerance = 2e-5;

struct qwen_under_test {
  const qwen_fixture& data;
  const vlm::vision_language_model& model;
};

std::array<qwen_under_test, 2> both_qwen_models() {
  return {{{vlm_test::published_fixture(), vlm_test::published_model()},
           {vlm_test::recent_fixture(), vlm_test::recent_model()}}};
}

class qwen_recorder : public vlm::layer_observer {
 public:
  void on_layer_output(luq::index layer, const luq::matrix_view& X,
                       std::span<const luq::token_class> /*classes*/) override {
    REQUIRE(layer == static_cast<luq::index>(outputs.size()));
    outputs.emplace_back(X);
  }
  std::vector<luq::matrix> outputs;
};

}  // namespace

TEST_CASE("the tower's last states are those of transformers, in the order of the patches") {
  for (const auto& [data, model] : both_qwen_models()) {
    const luq::checkpoint tensors(data.model);
    const std::string prefix = vlm::find_checkpoint_names(tensors, model.config(), "model").vision;
    const vlm::qwen_tower tower(vlm_test::qwen_vision(model.config()), vlm::weight_reader(tensors, "model", prefix));
    for (std::size_t i = 0; i < data.images.size(); ++i) {
      const std::string& name = data.name;
      CAPTURE(name);
      CAPTURE(i);
      CHECK(relative_difference(tower(data.images[i]), data.vision_states[i]) < logit_tolerance);
    }
  }
}

TEST_CASE("what the merger makes of transformers' states is what transformers makes of them") {
  for (const auto& [data, model] : both_qwen_models()) {
    const luq::checkpoint tensors(data.model);
    const std::string prefix = vlm::find_checkpoint_names(tensors, model.config(), "model").projector;
    const vlm::patch_merger merger =
        vlm::read_patch_merger(vlm_test::qwen_vision(model.config()), vlm::weight_reader(tensors, "model", prefix));
    for (std::size_t i = 0; i < data.images.size(); ++i) {
      CHECK(relative_difference(merger(data.vision_states[i]), data.image_features[i]) < logit_tolerance);
    }
  }
}

TEST_CASE("merged features are those of transformers, with the grid of their tokens") {
  for (const auto& [data, model] : both_qwen_models()) {
    for (std::size_t i = 0; i < data.images.size(); ++i) {
      const std::string& name = data.name;
      CAPTURE(name);
      CAPTURE(i);
      const vlm::encoded_images encoded = model.image_features(data.images[i]);
      CHECK(relative_difference(encoded.rows, data.image_features[i]) < logit_tolerance);
      REQUIRE(encoded.grids.size() == 1);
      CHECK(encoded.grids[0] == vlm::image_grid{data.images[i].grid->height / 2, data.images[i].grid->width / 2});
    }
  }
}

TEST_CASE("positions are those of get_rope_index") {
  for (const auto& [data, model] : both_qwen_models()) {
    for (const qwen_sequence& sequence : data.sequences) {
      const vlm::encoded_images images = vlm_test::encode_images(model, data, sequence);
      CHECK(vlm::positions_of(model.sequence(sequence.ids).classes(), images.grids, 0) == sequence.positions);
    }
  }
}

TEST_CASE("logits of text, of one image, and of two images of different grids are those of transformers") {
  for (const auto& [data, model] : both_qwen_models()) {
    for (std::size_t s = 0; s < data.sequences.size(); ++s) {
      const std::string& name = data.name;
      CAPTURE(name);
      CAPTURE(s);
      const qwen_sequence& sequence = data.sequences[s];
      const vlm::encoded_images images = vlm_test::encode_images(model, data, sequence);
      CHECK(relative_difference(model.logits(model.sequence(sequence.ids), &images), sequence.logits) <
            logit_tolerance);
    }
  }
}

TEST_CASE("the output of every decoder layer is that of transformers") {
  for (const auto& [data, model] : both_qwen_models()) {
    const qwen_sequence& sequence = data.sequences.front();
    const vlm::encoded_images images = vlm_test::encode_images(model, data, sequence);
    const vlm::token_sequence tokens = model.sequence(sequence.ids);
    qwen_recorder recorder;
    vlm::kv_cache cache = model.make_cache();
    const vlm::sequence_step step{&tokens, &images, &cache};
    model.forward({&step, 1}, vlm::logits_of::no_token, &recorder);
    REQUIRE(recorder.outputs.size() == data.layer_outputs.size());
    for (std::size_t l = 0; l < recorder.outputs.size(); ++l) {
      CAPTURE(l);
      CHECK(relative_difference(recorder.outputs[l], data.layer_outputs[l]) < logit_tolerance);
    }
  }
}

TEST_CASE("the fixtures exercise windows at edges, text only, several images, and both kinds of head") {
  for (const auto& [data, model] : both_qwen_models()) {
    std::vector<std::size_t> images;
    for (const qwen_sequence& sequence : data.sequences) images.push_back(sequence.images.size());
    CHECK(images == std::vector<std::size_t>{1, 0, 2, 1});
    const vlm::qwen_vision_config& vision = vlm_test::qwen_vision(model.config());
    const vlm::image_grid tokens = vision.merged(*data.images.front().grid);
    CHECK(tokens.height % vision.tokens_per_window_side() != 0);
    CHECK(tokens.width % vision.tokens_per_window_side() != 0);
  }
  CHECK(!vlm_test::published_model().config().tied_head);
  CHECK(vlm_test::recent_model().config().tied_head);
}

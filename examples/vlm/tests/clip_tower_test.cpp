// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "engine/clip_tower.hpp"

#include <luq/io/safetensors/checkpoint.hpp>

#include "engine/checkpoint_names.hpp"
#include "engine/weight_reader.hpp"
#include "engine_test_support.hpp"

using vlm_test::fixture;

TEST_CASE("every state of the tower is that of transformers") {
  for (const fixture* data : {&vlm_test::tiny_fixture(), &vlm_test::random_fixture()}) {
    const luq::checkpoint tensors(data->model);
    const vlm::model_config model = vlm::read_model_config(data->model);
    const std::string prefix = vlm::find_checkpoint_names(tensors, model, "model").vision;
    const vlm::clip_config& config = vlm_test::llava_vision(model).tower;
    const vlm::clip_tower tower(config, config.layers, vlm::weight_reader(tensors, "model", prefix));
    const std::vector<luq::matrix> states = tower.states(data->images.front().pixels);
    REQUIRE(states.size() == data->vision_states.size());
    for (std::size_t i = 0; i < states.size(); ++i) {
      CAPTURE(data->name);
      CAPTURE(i);
      CHECK(vlm_test::relative_difference(states[i], data->vision_states[i]) < 2e-5);
    }
  }
}

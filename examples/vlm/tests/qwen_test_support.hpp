// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The two Qwen2.5-VL models of tests/data/qwen2_5_vl with what transformers computed for them.
#pragma once

#include "app/dataset.hpp"
#include "engine_test_support.hpp"

namespace vlm_test {

/// A sequence of a fixture, without padding.
struct qwen_sequence {
  std::vector<std::int32_t> ids;
  std::vector<std::size_t> images;  ///< positions in qwen_fixture::images
  std::vector<vlm::token_position> positions;
  luq::matrix logits;  ///< [ids x vocabulary]
};

struct qwen_fixture {
  std::string name;
  std::filesystem::path model;
  std::vector<vlm::image> images;
  std::vector<luq::matrix> vision_states;   ///< of each image, [patches x tower hidden], before the merger
  std::vector<luq::matrix> image_features;  ///< of each image, [tokens x hidden]
  std::vector<qwen_sequence> sequences;
  std::vector<luq::matrix> layer_outputs;  ///< of sequence 0
};

/// Under the names and with the configuration of the published checkpoints: F16, a head of its own.
[[nodiscard]] const qwen_fixture& published_fixture();
[[nodiscard]] const vlm::vision_language_model& published_model();

/// As transformers 5 writes it: BF16, a tied head, another shape.
[[nodiscard]] const qwen_fixture& recent_fixture();
[[nodiscard]] const vlm::vision_language_model& recent_model();

[[nodiscard]] const vlm::qwen_vision_config& qwen_vision(const vlm::model_config& config);

/// The images of a sequence as the decoder of the fixture's model sees them.
[[nodiscard]] vlm::encoded_images encode_images(const vlm::vision_language_model& model, const qwen_fixture& from,
                                                const qwen_sequence& sequence);

/// Sequences for published_model() about the images of its fixture, every fourth one of text only.
[[nodiscard]] vlm::calibration_set qwen_calibration_set(std::size_t sequences);

/// Questions for published_model() about the images of its fixture and without an image; the answers are its own.
[[nodiscard]] vlm::question_set qwen_questions(std::size_t questions);

}  // namespace vlm_test

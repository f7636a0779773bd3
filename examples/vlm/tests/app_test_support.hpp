// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What the tests of the application share: the embedded data, small sets for the random model, sets written to files
// that a test can spoil, and a progress observer that keeps what it was told.
#pragma once

#include <cstdint>
#include <filesystem>
#include <luq/core/progress.hpp>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "app/dataset.hpp"
#include "app/quantize_decoder.hpp"
#include "engine_test_support.hpp"

namespace vlm_test {

/// The folder of the embedded model and its data.
[[nodiscard]] std::filesystem::path embedded_data();

/// The embedded calibration sequences and test questions.
[[nodiscard]] const vlm::calibration_set& tiny_calibration_set();
[[nodiscard]] const vlm::question_set& tiny_questions();

/// Those questions of a set that are about its first images, with these images.
[[nodiscard]] vlm::question_set questions_on_first_images(const vlm::question_set& set, std::size_t images);

/// Sequences for random_model() about the images of its fixture, every third one of text only, of different lengths.
[[nodiscard]] vlm::calibration_set random_calibration_set(std::size_t sequences);

/// Questions for random_model() about the images of its fixture and without an image; answers are arbitrary.
[[nodiscard]] vlm::question_set random_questions(std::size_t questions);

/// random_model() calibrated with a few sequences, and quantized.
[[nodiscard]] const vlm::calibration& random_calibration();

/// The same but that inputs 0 ... count-1 of one linear of layer 1 were zero for every token.
[[nodiscard]] vlm::calibration random_calibration_with_dead(vlm::linear_input of, luq::index count);
[[nodiscard]] vlm::quantized_decoder quantize_random_model(std::string_view how);

/// Logits of sequence 0 of the fixture of random_model(), under a model of its shape.
[[nodiscard]] luq::matrix random_logits(const vlm::vision_language_model& model);

/// A tensor of integers, stored as I32.
struct integer_tensor {
  std::vector<luq::index> shape;
  std::vector<std::int32_t> values;
};

/// A calibration or test set that can be altered before it is written.
struct stored_set {
  std::map<std::string, integer_tensor> integers;
  std::map<std::string, tensor> floats;
  std::map<std::string, std::string> metadata;

  void write(const std::filesystem::path& file) const;
};

/// A set as the file that dataset.hpp reads.
[[nodiscard]] stored_set store(const vlm::calibration_set& set);
[[nodiscard]] stored_set store(const vlm::question_set& set);

/// Only those sequences of a set that have an image, or only those of text, without tensors of images.
[[nodiscard]] stored_set store_one_kind(vlm::calibration_set set, bool with_image);

/// Keeps what it was told.
class recorded_progress : public luq::progress_observer {
 public:
  struct task {
    std::string name;
    std::uint64_t units;
    std::uint64_t done = 0;
    std::size_t steps = 0;  ///< calls of advance()
    bool ended = false;
  };

  void begin(std::string_view name, std::uint64_t units) override { tasks.push_back({std::string(name), units}); }
  void advance(std::uint64_t units) override {
    tasks.back().done += units;
    ++tasks.back().steps;
  }
  void end() override { tasks.back().ended = true; }

  std::vector<task> tasks;
};

}  // namespace vlm_test

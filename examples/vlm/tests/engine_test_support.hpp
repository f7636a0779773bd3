// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What the tests of the engine share: the two models with what transformers computed for them (fixtures are described
// in their own metadata), comparison relative to a range, and altered copies of a model.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <luq/core/error.hpp>
#include <luq/core/matrix_view.hpp>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/vision_language_model.hpp"

namespace vlm_test {

/// A tensor of floats of any rank.
struct tensor {
  std::vector<luq::index> shape;
  std::vector<float> values;

  /// The matrix of the last two axes at position `outer` of the first of three, as rows x columns.
  [[nodiscard]] luq::matrix slice(luq::index outer) const;
};

/// A sequence of a fixture and its logits.
struct fixture_sequence {
  std::vector<std::int32_t> ids;  ///< without padding
  std::int32_t image;             ///< -1 for none
  luq::matrix logits;             ///< [ids x vocabulary]
};

/// What transformers computed for one LLaVA model.
struct fixture {
  std::string name;
  std::filesystem::path model;
  std::vector<fixture_sequence> sequences;
  std::vector<vlm::image> images;
  std::vector<vlm::encoded_images> image_features;  ///< of each image
  std::vector<luq::matrix> layer_outputs;           ///< of sequence 0
  std::vector<luq::matrix> vision_states;           ///< of image 0
};

/// The trained model: query heads in pairs, quick_gelu, the state before the last layer, no class token.
[[nodiscard]] const fixture& tiny_fixture();
[[nodiscard]] const vlm::vision_language_model& tiny_model();

/// The random one: BF16, recent names, three query heads a key, exact gelu, the last state with its class token, no
/// projector bias.
[[nodiscard]] const fixture& random_fixture();
[[nodiscard]] const vlm::vision_language_model& random_model();

/// What is particular to LLaVA in a configuration.
[[nodiscard]] const vlm::llava_vision_config& llava_vision(const vlm::model_config& config);

/// The largest difference over the range of `expected`; infinite if shapes differ or something is not finite.
[[nodiscard]] double relative_difference(const luq::matrix& actual, const luq::matrix& expected);

/// Same shape and bits.
[[nodiscard]] bool identical(const luq::matrix& a, const luq::matrix& b);

/// Image features of a sequence, or null: what vision_language_model takes.
[[nodiscard]] const vlm::encoded_images* features_of(const fixture& from, const fixture_sequence& sequence);

/// A model directory that can be altered before it is written: all tensors in float and the configuration as text.
struct stored_model {
  std::map<std::string, tensor> tensors;
  std::string config;

  explicit stored_model(const std::filesystem::path& directory);

  /// Replaces the one occurrence of `from` in the configuration.
  void edit_config(std::string_view from, std::string_view to);

  /// Gives every tensor that begins with `from` the prefix `to`.
  void rename(std::string_view from, std::string_view to);

  /// Writes config.json and model.safetensors.
  void write(const std::filesystem::path& directory) const;

  /// Writes the tensors to two files with an index instead.
  void write_sharded(const std::filesystem::path& directory) const;
};

/// A new empty directory, removed with its content at the end of the scope.
class scratch_directory {
 public:
  scratch_directory();
  scratch_directory(const scratch_directory&) = delete;
  scratch_directory& operator=(const scratch_directory&) = delete;
  ~scratch_directory();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Checks that action() throws luq::error with this code and a one-line message that contains every fragment.
void check_fails(luq::errc code, const std::vector<std::string>& fragments, const std::function<void()>& action);

}  // namespace vlm_test

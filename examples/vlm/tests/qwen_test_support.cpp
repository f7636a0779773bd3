// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "qwen_test_support.hpp"

#include <luq/io/safetensors/safetensors.hpp>
#include <utility>
#include <variant>

#include "engine/generate.hpp"

namespace vlm_test {

namespace {

const std::filesystem::path& fixtures() {
  static const std::filesystem::path folder =
      std::filesystem::path(__FILE__).parent_path().parent_path().parent_path().parent_path() / "tests" / "data" /
      "qwen2_5_vl";
  return folder;
}

luq::matrix read_matrix(const luq::safetensors_reader& file, const std::string& name) {
  const auto& shape = file.shape(name);
  const std::vector<float> values = file.read_floats(name);
  return luq::view(values.data(), shape.at(0), shape.at(1));
}

qwen_fixture read_fixture(const std::string& name) {
  const luq::safetensors_reader file(fixtures() / (name + "_expected.safetensors"));
  qwen_fixture result;
  result.name = name;
  result.model = fixtures() / name;

  const luq::matrix pixels = read_matrix(file, "pixel_values");
  const luq::matrix states = read_matrix(file, "vision_states");
  const luq::matrix features = read_matrix(file, "image_features");
  const auto grids = file.read_integers<std::int32_t>("image_grid_thw");
  luq::index patch = 0;
  luq::index token = 0;
  for (std::size_t i = 0; i < grids.size(); i += 3) {
    const vlm::image_grid grid{grids[i + 1], grids[i + 2]};
    const float* const begin = pixels.data() + patch * pixels.cols();
    result.images.push_back({{begin, begin + grid.cells() * pixels.cols()}, grid});
    result.vision_states.emplace_back(states.middleRows(patch, grid.cells()));
    result.image_features.emplace_back(features.middleRows(token, grid.cells() / 4));
    patch += grid.cells();
    token += grid.cells() / 4;
  }
  REQUIRE(patch == pixels.rows());
  REQUIRE(token == features.rows());

  const auto ids = file.read_integers<std::int32_t>("input_ids");
  const auto mask = file.read_integers<std::int32_t>("attention_mask");
  const auto images = file.read_integers<std::int32_t>("images");
  const auto positions = file.read_integers<std::int32_t>("position_ids");
  const tensor logits{file.shape("logits"), file.read_floats("logits")};
  const auto length = static_cast<std::size_t>(file.shape("input_ids")[1]);
  for (std::size_t s = 0; s < images.size() / 2; ++s) {
    qwen_sequence sequence;
    for (std::size_t t = s * length; t < (s + 1) * length && mask[t] != 0; ++t) {
      sequence.ids.push_back(ids[t]);
      sequence.positions.push_back({positions[3 * t], positions[3 * t + 1], positions[3 * t + 2]});
    }
    for (const std::size_t i : {2 * s, 2 * s + 1}) {
      if (images[i] >= 0) sequence.images.push_back(static_cast<std::size_t>(images[i]));
    }
    sequence.logits = logits.slice(static_cast<luq::index>(s)).topRows(static_cast<luq::index>(sequence.ids.size()));
    result.sequences.push_back(std::move(sequence));
  }
  const tensor outputs{file.shape("layer_outputs"), file.read_floats("layer_outputs")};
  for (luq::index l = 0; l < outputs.shape[0]; ++l) result.layer_outputs.push_back(outputs.slice(l));
  return result;
}

/// A first token, an image or none between its two marks, and text.
std::vector<std::int32_t> prompt(std::int32_t image, std::size_t number, std::size_t words) {
  std::vector<std::int32_t> ids{1};
  if (image >= 0) {
    const vlm::image_grid grid = *published_fixture().images[static_cast<std::size_t>(image)].grid;
    ids.push_back(92);
    ids.insert(ids.end(), static_cast<std::size_t>(grid.cells() / 4), published_model().config().image_token);
    ids.push_back(93);
  }
  for (std::size_t w = 0; w < words; ++w) ids.push_back(static_cast<std::int32_t>((13 * number + 29 * w + 3) % 90));
  return ids;
}

/// Images 0, 1, 2 and none in turn.
std::int32_t patches_of(std::size_t number) {
  return number % 4 == 3 ? -1 : static_cast<std::int32_t>(number % 4);
}

}  // namespace

const qwen_fixture& published_fixture() {
  static const qwen_fixture result = read_fixture("published");
  return result;
}

const qwen_fixture& recent_fixture() {
  static const qwen_fixture result = read_fixture("recent");
  return result;
}

const vlm::vision_language_model& published_model() {
  static const vlm::vision_language_model model(published_fixture().model);
  return model;
}

const vlm::vision_language_model& recent_model() {
  static const vlm::vision_language_model model(recent_fixture().model);
  return model;
}

const vlm::qwen_vision_config& qwen_vision(const vlm::model_config& config) {
  return std::get<vlm::qwen_vision_config>(config.vision);
}

vlm::encoded_images encode_images(const vlm::vision_language_model& model, const qwen_fixture& from,
                                  const qwen_sequence& sequence) {
  vlm::encoded_images result;
  for (const std::size_t image : sequence.images) result.append(model.image_features(from.images[image]));
  return result;
}

vlm::calibration_set qwen_calibration_set(std::size_t sequences) {
  vlm::calibration_set set{"qwen", published_fixture().images, {}};
  for (std::size_t s = 0; s < sequences; ++s) {
    vlm::calibration_sequence sequence;
    sequence.image = patches_of(s);
    sequence.ids = prompt(sequence.image, s, 6 + s % 3);
    sequence.valid.assign(sequence.ids.size(), true);
    set.sequences.push_back(std::move(sequence));
  }
  return set;
}

vlm::question_set qwen_questions(std::size_t questions) {
  vlm::question_set set{"qwen", published_fixture().images, {"one", "other"}, {}};
  for (std::size_t q = 0; q < questions; ++q) {
    vlm::question question;
    question.image = patches_of(q);
    question.ids = prompt(question.image, q / 2, 2 + q % 3);
    question.kind = q % 2;
    std::vector<vlm::image> shown;
    if (question.image >= 0) shown.push_back(set.images[static_cast<std::size_t>(question.image)]);
    question.answer = vlm::generate(published_model(), question.ids, shown, 1, {}).front();
    set.questions.push_back(std::move(question));
  }
  return set;
}

}  // namespace vlm_test

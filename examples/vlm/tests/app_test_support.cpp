// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "app_test_support.hpp"

#include <algorithm>
#include <luq/io/safetensors/safetensors_writer.hpp>
#include <span>

#include "app/calibrate.hpp"

namespace vlm_test {

namespace {

constexpr std::int32_t first_token = 1;

/// A first token, the places of an image if there is one, and `words` arbitrary tokens of text.
std::vector<std::int32_t> random_ids(std::size_t number, std::int32_t image, std::size_t words) {
  const vlm::model_config& config = random_model().config();
  std::vector<std::int32_t> ids{first_token};
  if (image >= 0)
    ids.insert(ids.end(), static_cast<std::size_t>(llava_vision(config).tokens_per_image()), config.image_token);
  for (std::size_t w = 0; w < words; ++w) ids.push_back(static_cast<std::int32_t>((7 * number + 11 * w + 3) % 40));
  return ids;
}

/// Images 0, 1 and 2 of the fixture and none in turn; -1 for none.
std::int32_t image_of(std::size_t number) {
  return number % 3 == 2 ? -1 : static_cast<std::int32_t>((number / 3 + number) % random_fixture().images.size());
}

/// Pictures of one channel and one row, which is as good as any shape to the reader; or patches with their grids.
void store_images(const std::vector<vlm::image>& images, stored_set& stored) {
  tensor& pixels = stored.floats["pixel_values"];
  luq::index patches = 0;
  for (const auto& image : images) {
    pixels.values.insert(pixels.values.end(), image.pixels.begin(), image.pixels.end());
    if (!image.grid) continue;
    patches += image.grid->cells();
    integer_tensor& grids = stored.integers["image_grid_thw"];
    for (const luq::index extent : {luq::index{1}, image.grid->height, image.grid->width}) {
      grids.values.push_back(static_cast<std::int32_t>(extent));
    }
    grids.shape = {static_cast<luq::index>(grids.values.size() / 3), 3};
  }
  const auto count = static_cast<luq::index>(images.size());
  const auto values = static_cast<luq::index>(pixels.values.size());
  if (patches > 0) {
    pixels.shape = {patches, values / patches};
  } else {
    pixels.shape = {count, 1, 1, values / std::max<luq::index>(count, 1)};
  }
}

/// Rows of ids, filled up with zeros to the longest.
integer_tensor stored_ids(const std::vector<std::vector<std::int32_t>>& rows) {
  std::size_t longest = 0;
  for (const auto& row : rows) longest = std::max(longest, row.size());
  integer_tensor ids{{static_cast<luq::index>(rows.size()), static_cast<luq::index>(longest)}, {}};
  for (const auto& row : rows) {
    ids.values.insert(ids.values.end(), row.begin(), row.end());
    ids.values.resize(ids.values.size() + longest - row.size(), 0);
  }
  return ids;
}

/// One number per element of `of`.
template <class Elements, class Number>
integer_tensor stored_numbers(const Elements& of, Number&& number) {
  integer_tensor numbers{{static_cast<luq::index>(of.size())}, {}};
  for (const auto& element : of) numbers.values.push_back(static_cast<std::int32_t>(number(element)));
  return numbers;
}

}  // namespace

std::filesystem::path embedded_data() {
  return tiny_fixture().model.parent_path();
}

const vlm::calibration_set& tiny_calibration_set() {
  static const vlm::calibration_set set = vlm::read_calibration_set(embedded_data() / "calibration.safetensors");
  return set;
}

const vlm::question_set& tiny_questions() {
  static const vlm::question_set set = vlm::read_question_set(embedded_data() / "test.safetensors");
  return set;
}

vlm::question_set questions_on_first_images(const vlm::question_set& set, std::size_t images) {
  vlm::question_set part = set;
  part.images.resize(images);
  std::erase_if(part.questions, [&](const vlm::question& q) { return q.image >= static_cast<std::int32_t>(images); });
  return part;
}

vlm::calibration_set random_calibration_set(std::size_t sequences) {
  vlm::calibration_set set{"random", random_fixture().images, {}};
  for (std::size_t s = 0; s < sequences; ++s) {
    vlm::calibration_sequence sequence;
    sequence.image = image_of(s);
    sequence.ids = random_ids(s, sequence.image, 5 + s % 4);
    sequence.valid.assign(sequence.ids.size(), true);
    sequence.number = static_cast<luq::index>(s);
    set.sequences.push_back(std::move(sequence));
  }
  return set;
}

vlm::question_set random_questions(std::size_t questions) {
  vlm::question_set set{"random", random_fixture().images, {"one", "other"}, {}};
  for (std::size_t q = 0; q < questions; ++q) {
    vlm::question question;
    question.image = image_of(q);
    question.ids = random_ids(q, question.image, 1 + q % 5);
    question.answer = static_cast<std::int32_t>(q % 7);
    question.kind = q % 2;
    set.questions.push_back(std::move(question));
  }
  return set;
}

const vlm::calibration& random_calibration() {
  static const vlm::calibration result = [] {
    const vlm::calibration_set set = random_calibration_set(12);
    luq::activation_entropy_options entropy;
    entropy.clustering.clusters = 8;
    return vlm::calibrate(random_model(), set, set.sequences, {entropy}, {});
  }();
  return result;
}

vlm::calibration random_calibration_with_dead(vlm::linear_input of, luq::index count) {
  vlm::calibration result = random_calibration();
  luq::hessian& sums = result.layers[1].inputs[static_cast<std::size_t>(of)];
  luq::matrix H = sums.matrix() * static_cast<float>(sums.total_weight() / 2);
  H.topRows(count).setZero();
  H.leftCols(count).setZero();
  sums = luq::hessian::from_sum(H, sums.tokens(), sums.total_weight());
  return result;
}

vlm::quantized_decoder quantize_random_model(std::string_view how) {
  return vlm::quantize_decoder(random_model(), random_calibration(), luq::parse_recipe(how), {});
}

luq::matrix random_logits(const vlm::vision_language_model& model) {
  const fixture_sequence& sequence = random_fixture().sequences.front();
  return model.logits(model.sequence(sequence.ids), features_of(random_fixture(), sequence));
}

void stored_set::write(const std::filesystem::path& file) const {
  std::vector<luq::tensor_source> sources;
  for (const auto& [name, content] : integers) {
    sources.push_back(luq::make_tensor_source<std::int32_t>(name, content.shape, content.values));
  }
  for (const auto& [name, content] : floats) {
    sources.push_back(luq::make_tensor_source<float>(name, content.shape, content.values));
  }
  luq::write_safetensors(file, sources, metadata);
}

stored_set store(const vlm::calibration_set& set) {
  std::vector<std::vector<std::int32_t>> ids;
  std::vector<std::vector<std::int32_t>> mask;
  for (const auto& sequence : set.sequences) {
    ids.push_back(sequence.ids);
    mask.emplace_back(sequence.valid.begin(), sequence.valid.end());
  }
  stored_set stored;
  stored.integers["input_ids"] = stored_ids(ids);
  stored.integers["attention_mask"] = stored_ids(mask);
  stored.integers["image_index"] = stored_numbers(set.sequences, [](const auto& s) { return s.image; });
  store_images(set.images, stored);
  return stored;
}

stored_set store(const vlm::question_set& set) {
  std::vector<std::vector<std::int32_t>> ids;
  for (const auto& question : set.questions) ids.push_back(question.ids);
  stored_set stored;
  stored.integers["input_ids"] = stored_ids(ids);
  stored.integers["lengths"] = stored_numbers(set.questions, [](const auto& q) { return q.ids.size(); });
  stored.integers["answers"] = stored_numbers(set.questions, [](const auto& q) { return q.answer; });
  stored.integers["kinds"] = stored_numbers(set.questions, [](const auto& q) { return q.kind; });
  stored.integers["image_index"] = stored_numbers(set.questions, [](const auto& q) { return q.image; });
  store_images(set.images, stored);
  std::string& kinds = stored.metadata["kinds"];
  for (const auto& kind : set.kinds) kinds += (kinds.empty() ? "" : ",") + kind;
  return stored;
}

stored_set store_one_kind(vlm::calibration_set set, bool with_image) {
  std::erase_if(set.sequences, [&](const auto& sequence) { return (sequence.image >= 0) != with_image; });
  stored_set stored = store(set);
  if (!with_image) {
    stored.floats.erase("pixel_values");
    stored.integers.erase("image_grid_thw");
  }
  return stored;
}

}  // namespace vlm_test

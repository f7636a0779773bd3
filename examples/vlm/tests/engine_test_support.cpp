// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "engine_test_support.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <limits>
#include <luq/io/safetensors/checkpoint.hpp>
#include <luq/io/safetensors/safetensors.hpp>
#include <luq/io/safetensors/safetensors_writer.hpp>
#include <nlohmann/json.hpp>
#include <random>
#include <span>
#include <system_error>
#include <utility>
#include <variant>

namespace vlm_test {

namespace {

std::filesystem::path repository() {
  return std::filesystem::path(__FILE__).parent_path().parent_path().parent_path().parent_path();
}

tensor read_tensor(const luq::safetensors_reader& file, const std::string& name) {
  return {file.shape(name), file.read_floats(name)};
}

std::vector<luq::matrix> read_slices(const luq::safetensors_reader& file, const std::string& name) {
  const tensor whole = read_tensor(file, name);
  std::vector<luq::matrix> result;
  for (luq::index i = 0; i < whole.shape[0]; ++i) result.push_back(whole.slice(i));
  return result;
}

fixture read_fixture(const std::string& name, const std::filesystem::path& model, const std::string& file_name) {
  const luq::safetensors_reader file(repository() / "tests" / "data" / "llava" / file_name);
  fixture result;
  result.name = name;
  result.model = model;
  for (luq::matrix& rows : read_slices(file, "image_features")) result.image_features.push_back({std::move(rows), {}});
  result.layer_outputs = read_slices(file, "layer_outputs");
  result.vision_states = read_slices(file, "vision_states");

  const tensor pixels = read_tensor(file, "pixel_values");
  const auto image_size = pixels.values.size() / static_cast<std::size_t>(pixels.shape[0]);
  for (auto begin = pixels.values.begin(); begin != pixels.values.end();
       begin += static_cast<std::ptrdiff_t>(image_size)) {
    result.images.push_back({{begin, begin + static_cast<std::ptrdiff_t>(image_size)}, {}});
  }

  const std::vector<luq::matrix> logits = read_slices(file, "logits");
  const auto ids = file.read_integers<std::int32_t>("input_ids");
  const auto mask = file.read_integers<std::int32_t>("attention_mask");
  const auto image = file.read_integers<std::int32_t>("image_index");
  const auto length = static_cast<std::size_t>(file.shape("input_ids")[1]);
  for (std::size_t s = 0; s < image.size(); ++s) {
    fixture_sequence sequence;
    for (std::size_t t = s * length; t < (s + 1) * length && mask[t] != 0; ++t) sequence.ids.push_back(ids[t]);
    sequence.image = image[s];
    sequence.logits = logits[s].topRows(static_cast<luq::index>(sequence.ids.size()));
    result.sequences.push_back(sequence);
  }
  return result;
}

void write_text(const std::filesystem::path& path, const std::string& text) {
  std::ofstream stream(path, std::ios::binary);
  stream << text;
  REQUIRE(stream.good());
}

void write_tensors(const std::filesystem::path& path, const std::map<std::string, tensor>& tensors) {
  std::vector<luq::tensor_source> sources;
  for (const auto& [name, content] : tensors) {
    sources.push_back(luq::make_tensor_source<float>(name, content.shape, content.values));
  }
  luq::write_safetensors(path, sources);
}

}  // namespace

luq::matrix tensor::slice(luq::index outer) const {
  const luq::index rows = shape.at(1);
  const luq::index cols = shape.at(2);
  return luq::view(values.data() + outer * rows * cols, rows, cols);
}

const fixture& tiny_fixture() {
  static const fixture result =
      read_fixture("tiny-llava", repository() / "examples" / "data" / "tiny-llava", "tiny_logits.safetensors");
  return result;
}

const fixture& random_fixture() {
  static const fixture result = read_fixture("random-gqa", repository() / "tests" / "data" / "llava" / "random-gqa",
                                             "random_gqa_logits.safetensors");
  return result;
}

const vlm::vision_language_model& tiny_model() {
  static const vlm::vision_language_model model(tiny_fixture().model);
  return model;
}

const vlm::vision_language_model& random_model() {
  static const vlm::vision_language_model model(random_fixture().model);
  return model;
}

const vlm::llava_vision_config& llava_vision(const vlm::model_config& config) {
  return std::get<vlm::llava_vision_config>(config.vision);
}

double relative_difference(const luq::matrix& actual, const luq::matrix& expected) {
  if (actual.rows() != expected.rows() || actual.cols() != expected.cols() || !actual.allFinite()) {
    return std::numeric_limits<double>::infinity();
  }
  const double range = static_cast<double>(expected.maxCoeff()) - static_cast<double>(expected.minCoeff());
  return static_cast<double>((actual - expected).cwiseAbs().maxCoeff()) / range;
}

bool identical(const luq::matrix& a, const luq::matrix& b) {
  return a.rows() == b.rows() && a.cols() == b.cols() && std::equal(a.data(), a.data() + a.size(), b.data());
}

const vlm::encoded_images* features_of(const fixture& from, const fixture_sequence& sequence) {
  return sequence.image < 0 ? nullptr : &from.image_features[static_cast<std::size_t>(sequence.image)];
}

stored_model::stored_model(const std::filesystem::path& directory) {
  const luq::checkpoint stored(directory);
  for (const std::string& name : stored.names()) tensors[name] = {stored.shape(name), stored.read_floats(name)};
  std::ifstream stream(directory / "config.json", std::ios::binary);
  config.assign(std::istreambuf_iterator<char>(stream), {});
  REQUIRE(!config.empty());
}

void stored_model::edit_config(std::string_view from, std::string_view to) {
  const std::size_t position = config.find(from);
  CAPTURE(from);
  REQUIRE(position != std::string::npos);
  REQUIRE(config.find(from, position + 1) == std::string::npos);
  config.replace(position, from.size(), to);
}

void stored_model::rename(std::string_view from, std::string_view to) {
  std::map<std::string, tensor> renamed;
  for (auto& [name, content] : tensors) {
    const bool matches = std::string_view(name).starts_with(from);
    renamed[matches ? std::string(to) + name.substr(from.size()) : name] = std::move(content);
  }
  REQUIRE(renamed.size() == tensors.size());
  tensors = std::move(renamed);
}

void stored_model::write(const std::filesystem::path& directory) const {
  write_text(directory / "config.json", config);
  write_tensors(directory / "model.safetensors", tensors);
}

void stored_model::write_sharded(const std::filesystem::path& directory) const {
  write_text(directory / "config.json", config);
  std::map<std::string, tensor> shards[2];
  nlohmann::json shard_of = nlohmann::json::object();
  std::size_t number = 0;
  for (const auto& [name, content] : tensors) {
    shards[number % 2][name] = content;
    shard_of[name] = number % 2 == 0 ? "even.safetensors" : "odd.safetensors";
    ++number;
  }
  write_tensors(directory / "even.safetensors", shards[0]);
  write_tensors(directory / "odd.safetensors", shards[1]);
  write_text(directory / "model.safetensors.index.json", nlohmann::json{{"weight_map", shard_of}}.dump());
}

scratch_directory::scratch_directory() {
  std::random_device entropy;
  do {
    path_ = std::filesystem::temp_directory_path() / ("luq-test-" + std::to_string(entropy()));
  } while (!std::filesystem::create_directory(path_));
}

scratch_directory::~scratch_directory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void check_fails(luq::errc code, const std::vector<std::string>& fragments, const std::function<void()>& action) {
  try {
    action();
  } catch (const luq::error& failure) {
    const std::string message = failure.what();
    CAPTURE(message);
    CHECK(static_cast<int>(failure.code()) == static_cast<int>(code));
    for (const std::string& fragment : fragments) {
      CAPTURE(fragment);
      CHECK(message.find(fragment) != std::string::npos);
    }
    CHECK(message.find('\n') == std::string::npos);
    CHECK(message.size() < 600);
    return;
  }
  FAIL_CHECK("nothing was thrown; expected a message with: ", fragments.empty() ? "anything" : fragments.front());
}

}  // namespace vlm_test

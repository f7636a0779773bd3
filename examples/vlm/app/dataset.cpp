// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "dataset.hpp"

#include <algorithm>
#include <luq/core/error.hpp>
#include <luq/core/is_finite.hpp>
#include <luq/io/safetensors/safetensors.hpp>
#include <map>
#include <optional>
#include <sstream>

namespace vlm {

namespace {

using luq::errc;
using luq::fail;

constexpr const char* grid_tensor = "image_grid_thw";  // as processors of transformers call it

void require_shape(const luq::safetensors_reader& file, const std::string& name, std::size_t dimensions) {
  if (!file.contains(name)) fail(errc::corrupt_file, file.source(), ": expected a tensor \"", name, "\", found none");
  if (file.shape(name).size() != dimensions) {
    fail(errc::corrupt_file, file.source(), ": tensor \"", name, "\": expected ", dimensions, " dimensions, got ",
         luq::shape_text(file.shape(name)));
  }
}

/// A vector with one entry per sequence.
std::vector<std::int32_t> read_per_sequence(const luq::safetensors_reader& file, const std::string& name,
                                            luq::index sequences) {
  require_shape(file, name, 1);
  if (file.shape(name)[0] != sequences) {
    fail(errc::corrupt_file, file.source(), ": tensor \"", name, "\": expected ", sequences,
         " entries, one per sequence, got ", file.shape(name)[0]);
  }
  return file.read_integers<std::int32_t>(name);
}

/// Pictures of one size, [images x channels x height x width].
std::vector<image> read_pictures(const luq::safetensors_reader& file) {
  require_shape(file, "pixel_values", 4);
  const auto count = static_cast<std::size_t>(file.shape("pixel_values")[0]);
  const std::vector<float> values = file.read_floats("pixel_values", {.require_finite = true});
  const std::size_t size = values.size() / std::max<std::size_t>(count, 1);
  std::vector<image> images;
  for (std::size_t i = 0; i < count; ++i) {
    const auto begin = values.begin() + static_cast<std::ptrdiff_t>(i * size);
    images.push_back({{begin, begin + static_cast<std::ptrdiff_t>(size)}, std::nullopt});
  }
  return images;
}

/// The grids of patches, [images x 3] of frames, rows and columns. Of a still image there is one frame.
std::vector<image_grid> read_grids(const luq::safetensors_reader& file, luq::index patches) {
  require_shape(file, grid_tensor, 2);
  if (file.shape(grid_tensor)[1] != 3) {
    fail(errc::corrupt_file, file.source(), ": tensor \"", grid_tensor, "\": expected frames, rows and columns, got ",
         luq::shape_text(file.shape(grid_tensor)));
  }
  const auto numbers = file.read_integers<std::int32_t>(grid_tensor);
  std::vector<image_grid> grids;
  luq::index left = patches;
  for (std::size_t i = 0; i < numbers.size(); i += 3) {
    const std::string place = file.source() + ": " + grid_tensor + " of image " + std::to_string(i / 3);
    if (numbers[i] != 1) fail(errc::unsupported, place, ": expected 1 frame of a still image, got ", numbers[i]);
    const image_grid grid{numbers[i + 1], numbers[i + 2]};
    if (grid.height < 1 || grid.width < 1 || grid.cells() > left) {
      fail(errc::corrupt_file, place, ": expected some of the ", left, " patches of pixel_values that are left, got ",
           grid.height, " x ", grid.width);
    }
    left -= grid.cells();
    grids.push_back(grid);
  }
  if (left != 0) {
    fail(errc::corrupt_file, file.source(), ": pixel_values: expected ", patches - left, " patches, those of ",
         grids.size(), " images in ", grid_tensor, ", got ", patches);
  }
  return grids;
}

/// Patches of all images, [patches x values of one].
std::vector<image> read_patches(const luq::safetensors_reader& file) {
  require_shape(file, "pixel_values", 2);
  const std::vector<image_grid> grids = read_grids(file, file.shape("pixel_values")[0]);
  const std::vector<float> values = file.read_floats("pixel_values", {.require_finite = true});
  std::vector<image> images;
  auto begin = values.begin();
  for (const image_grid& grid : grids) {
    const auto end = begin + static_cast<std::ptrdiff_t>(grid.cells() * file.shape("pixel_values")[1]);
    images.push_back({{begin, end}, grid});
    begin = end;
  }
  return images;
}

/// The images of a file. Where `image_of` names none, their tensors may be absent.
/// @param image_of  the image of each row, -1 for none
/// @param row       what a row is, for messages
std::vector<image> read_images(const luq::safetensors_reader& file, const std::vector<std::int32_t>& image_of,
                               const char* row) {
  const bool has_none = std::ranges::all_of(image_of, [](std::int32_t number) { return number == -1; });
  if (has_none && !file.contains("pixel_values")) return {};
  std::vector<image> images = file.contains(grid_tensor) ? read_patches(file) : read_pictures(file);
  for (std::size_t i = 0; i < image_of.size(); ++i) {
    if (image_of[i] < -1 || image_of[i] >= static_cast<std::int32_t>(images.size())) {
      fail(errc::corrupt_file, file.source(), ": ", row, " ", i, ": image_index: expected -1 ... ", images.size(),
           " - 1, got ", image_of[i]);
    }
  }
  return images;
}

luq::index multimodal_share(double alpha, luq::index tokens) {
  return static_cast<luq::index>(alpha * static_cast<double>(tokens) + 0.5);
}

/// What mix_sequences() takes if it is not told how much.
luq::index tokens_allowed(const calibration_set& set, double alpha) {
  const token_totals totals = count_tokens(set);
  const luq::index tokens = alpha == 0 ? totals.text : alpha == 1 ? totals.multimodal : totals.of_every_ratio();
  if (tokens == 0) {
    const char* needed = alpha == 0 ? "text-only" : alpha == 1 ? "multimodal" : "multimodal and text-only";
    fail(errc::insufficient_data, set.source, ": expected ", needed, " sequences for a mixing ratio of ", alpha,
         ", found ", totals.multimodal, " multimodal and ", totals.text, " text-only tokens");
  }
  return tokens;
}

/// Sequences of one kind from the front until `tokens` valid tokens are reached.
void take_sequences(const calibration_set& set, bool multimodal, luq::index tokens,
                    std::vector<calibration_sequence>& mix) {
  luq::index taken = 0;
  for (const auto& sequence : set.sequences) {
    if (taken >= tokens) return;
    if ((sequence.image >= 0) != multimodal) continue;
    mix.push_back(sequence);
    taken += sequence.valid_tokens();
  }
  if (taken < tokens) {
    fail(errc::insufficient_data, set.source, ": expected ", tokens, " tokens in ",
         multimodal ? "multimodal" : "text-only", " sequences, found ", taken);
  }
}

}  // namespace

luq::index calibration_sequence::valid_tokens() const {
  return std::count(valid.begin(), valid.end(), true);
}

std::string place_of(const calibration_set& set, const calibration_sequence& sequence) {
  return set.source + ": sequence " + std::to_string(sequence.number);
}

calibration_set read_calibration_set(const std::filesystem::path& path) {
  const luq::safetensors_reader file(path);
  require_shape(file, "input_ids", 2);
  require_shape(file, "attention_mask", 2);
  const auto count = file.shape("input_ids")[0];
  const auto length = static_cast<std::size_t>(file.shape("input_ids")[1]);
  if (file.shape("attention_mask") != file.shape("input_ids")) {
    fail(errc::corrupt_file, file.source(), ": attention_mask: expected the shape of input_ids, ",
         luq::shape_text(file.shape("input_ids")), ", got ", luq::shape_text(file.shape("attention_mask")));
  }
  const auto ids = file.read_integers<std::int32_t>("input_ids");
  const auto mask = file.read_integers<std::int32_t>("attention_mask");
  const auto image_of = read_per_sequence(file, "image_index", count);

  calibration_set set{file.source(), read_images(file, image_of, "sequence"), {}};
  for (std::size_t i = 0; i < image_of.size(); ++i) {
    calibration_sequence sequence;
    sequence.ids.assign(ids.begin() + static_cast<std::ptrdiff_t>(i * length),
                        ids.begin() + static_cast<std::ptrdiff_t>((i + 1) * length));
    for (std::size_t t = 0; t < length; ++t) sequence.valid.push_back(mask[i * length + t] != 0);
    sequence.image = image_of[i];
    sequence.number = static_cast<luq::index>(i);
    set.sequences.push_back(std::move(sequence));
  }
  return set;
}

token_totals count_tokens(const calibration_set& set) {
  token_totals totals;
  for (const auto& sequence : set.sequences) {
    (sequence.image >= 0 ? totals.multimodal : totals.text) += sequence.valid_tokens();
  }
  return totals;
}

bool token_totals::allow(double alpha, luq::index tokens) const {
  const luq::index share = multimodal_share(alpha, tokens);
  return share <= multimodal && tokens - share <= text;
}

std::vector<calibration_sequence> mix_sequences(const calibration_set& set, double alpha, luq::index tokens) {
  if (!luq::is_finite(alpha) || alpha < 0 || alpha > 1) {
    fail(errc::invalid_argument, "mixing ratio: expected 0 ... 1, got ", alpha);
  }
  if (tokens == 0) tokens = tokens_allowed(set, alpha);
  const luq::index multimodal_tokens = multimodal_share(alpha, tokens);
  std::vector<calibration_sequence> mix;
  take_sequences(set, true, multimodal_tokens, mix);
  take_sequences(set, false, tokens - multimodal_tokens, mix);
  return mix;
}

question_set read_question_set(const std::filesystem::path& path) {
  const luq::safetensors_reader file(path);
  require_shape(file, "input_ids", 2);
  const auto count = file.shape("input_ids")[0];
  const auto length = static_cast<std::size_t>(file.shape("input_ids")[1]);
  const auto ids = file.read_integers<std::int32_t>("input_ids");
  const auto lengths = read_per_sequence(file, "lengths", count);
  const auto answers = read_per_sequence(file, "answers", count);
  const auto kinds = read_per_sequence(file, "kinds", count);
  const auto image_of = read_per_sequence(file, "image_index", count);

  question_set set{file.source(), read_images(file, image_of, "question"), {}, {}};
  const auto names = file.metadata().find("kinds");
  if (names == file.metadata().end()) {
    fail(errc::corrupt_file, file.source(), ": expected the names of the kinds of question in the metadata, got none");
  }
  std::istringstream stream(names->second);
  for (std::string name; std::getline(stream, name, ',');) set.kinds.push_back(name);

  for (std::size_t i = 0; i < lengths.size(); ++i) {
    if (lengths[i] < 1 || static_cast<std::size_t>(lengths[i]) > length) {
      fail(errc::corrupt_file, file.source(), ": question ", i, ": lengths: expected 1 ... ", length, ", got ",
           lengths[i]);
    }
    if (kinds[i] < 0 || static_cast<std::size_t>(kinds[i]) >= set.kinds.size()) {
      fail(errc::corrupt_file, file.source(), ": question ", i, ": kinds: expected 0 ... ", set.kinds.size(),
           " - 1, got ", kinds[i]);
    }
    const auto begin = ids.begin() + static_cast<std::ptrdiff_t>(i * length);
    set.questions.push_back({{begin, begin + lengths[i]}, answers[i], static_cast<std::size_t>(kinds[i]), image_of[i]});
  }
  if (set.questions.empty()) fail(errc::insufficient_data, file.source(), ": expected questions, found none");
  return set;
}

double majority_accuracy(const question_set& set) {
  std::map<std::size_t, std::map<std::int32_t, std::size_t>> answers_of_kind;
  for (const auto& question : set.questions) ++answers_of_kind[question.kind][question.answer];
  std::size_t right = 0;
  for (const auto& [kind, answers] : answers_of_kind) {
    std::size_t most = 0;
    for (const auto& [answer, count] : answers) most = std::max(most, count);
    right += most;
  }
  return static_cast<double>(right) / static_cast<double>(set.questions.size());
}

}  // namespace vlm

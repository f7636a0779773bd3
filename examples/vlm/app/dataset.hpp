// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Calibration sequences and test questions, read from safetensors files that a processor made (token ids and pixel
// values), so that no tokenizer and no image code is needed here. Layouts are in examples/vlm/README.md; those of
// images follow the models: pictures of one size, or patches of all images one after the other with a grid for each.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <luq/core/index.hpp>
#include <string>
#include <vector>

#include "../engine/image.hpp"

namespace vlm {

/// One calibration sequence. Padding is kept as the file has it: it must be told apart, never counted.
struct calibration_sequence {
  std::vector<std::int32_t> ids;
  std::vector<bool> valid;  ///< false for padding
  std::int32_t image = -1;  ///< position among the images of the set; -1 for a sequence of text only
  luq::index number = 0;    ///< its row in the file, for messages

  [[nodiscard]] luq::index valid_tokens() const;
};

struct calibration_set {
  std::string source;
  std::vector<image> images;
  std::vector<calibration_sequence> sequences;
};

/// Where a sequence of the set came from, for messages: "FILE: sequence 3".
[[nodiscard]] std::string place_of(const calibration_set& set, const calibration_sequence& sequence);

/// A file whose sequences are all of text only needs no images.
/// @throws luq::error for a missing or malformed file, or tensors that contradict one another
[[nodiscard]] calibration_set read_calibration_set(const std::filesystem::path& file);

/// Valid tokens by kind of sequence.
struct token_totals {
  luq::index multimodal = 0;
  luq::index text = 0;

  /// As many as a mix of every ratio can have: so many mixes can be compared.
  [[nodiscard]] luq::index of_every_ratio() const { return std::min(multimodal, text); }

  /// Whether a mix of that ratio can have so many tokens.
  [[nodiscard]] bool allow(double alpha, luq::index tokens) const;
};

[[nodiscard]] token_totals count_tokens(const calibration_set& set);

/// A mix of about `tokens` valid tokens of which the share `alpha` in [0, 1] stands in multimodal sequences (LUQ's
/// mixing ratio), the others in text-only ones, each kind taken from the front of the set in whole sequences.
/// @param tokens  0 takes as many as the set allows for *every* alpha, so that mixes can be compared; for an alpha of 0
///                or 1 all of the one kind, however much there is of the other
/// @throws luq::error insufficient_data if the set has too few tokens of a kind that the mix needs
[[nodiscard]] std::vector<calibration_sequence> mix_sequences(const calibration_set& set, double alpha,
                                                              luq::index tokens = 0);

/// A question whose answer is the one token that follows it.
struct question {
  std::vector<std::int32_t> ids;
  std::int32_t answer = 0;
  std::size_t kind = 0;  ///< position in question_set::kinds
  std::int32_t image = -1;
};

struct question_set {
  std::string source;
  std::vector<image> images;
  std::vector<std::string> kinds;
  std::vector<question> questions;
};

/// @throws luq::error for a missing or malformed file, or tensors that contradict one another
[[nodiscard]] question_set read_question_set(const std::filesystem::path& file);

/// Accuracy of always giving the most frequent answer of each kind of question: what looking at the image must beat.
[[nodiscard]] double majority_accuracy(const question_set& set);

}  // namespace vlm

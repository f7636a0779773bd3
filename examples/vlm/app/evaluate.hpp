// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Share of questions whose answer is the model's most likely next token.
#pragma once

#include <luq/core/executor.hpp>
#include <luq/core/openmp_executor.hpp>
#include <luq/core/progress.hpp>
#include <memory>
#include <vector>

#include "../engine/vision_language_model.hpp"
#include "dataset.hpp"

namespace vlm {

/// Right answers, in total and by kind of question.
struct accuracy {
  std::vector<luq::index> right;  ///< by kind
  std::vector<luq::index> asked;  ///< by kind

  [[nodiscard]] double overall() const;
  [[nodiscard]] double of_kind(std::size_t kind) const;
};

/// Questions ready to be asked of a model and of every quantized copy of it. Vision tower and projector are never
/// quantized, so what the decoder sees of each image is computed once.
class examination {
 public:
  /// Both must outlive the object.
  /// @throws luq::error as vision_language_model::check() for a question, as image_features() for an image, and
  ///         invalid_argument for an answer outside the vocabulary; each names the file and the question or image
  examination(const vision_language_model& model, const question_set& questions, const luq::openmp_executor& executor,
              luq::progress_observer* progress = nullptr);

  /// @param model  the model of the constructor, or a copy with other decoder weights
  [[nodiscard]] accuracy take(const vision_language_model& model, luq::progress_observer* progress = nullptr) const;

 private:
  void check_question(const vision_language_model& model, std::size_t q) const;

  /// The features that these tokens of question q have places for; null if none.
  [[nodiscard]] const encoded_images* features_for(std::size_t q, const token_sequence& tokens) const;

  void answer(const vision_language_model& model, std::size_t first_group, std::size_t groups,
              std::vector<char>& right) const;

  const question_set& questions_;
  luq::openmp_executor executor_;
  std::vector<encoded_images> features_;            // by image
  std::vector<std::vector<std::size_t>> by_image_;  // questions about one image; those without an image come last
};

}  // namespace vlm

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The tokens of one sequence and what each stands for: text, a place that a row of image features takes, or padding.
// Padding must trail: then no valid token ever looks at it, and positions need no correction.
#pragma once

#include <cstdint>
#include <luq/core/index.hpp>
#include <luq/estimators/token_class.hpp>
#include <span>
#include <vector>

namespace vlm {

/// No id: as the `image_token` of a sequence whose tokens are all text.
inline constexpr std::int32_t no_image_token = -1;

class token_sequence {
 public:
  /// A sequence without padding.
  /// @param image_token  id of image places (model_config::image_token), or no_image_token
  token_sequence(std::vector<std::int32_t> ids, std::int32_t image_token);

  /// A padded sequence.
  /// @param valid  one per id, false for padding
  /// @throws luq::error unsupported if a valid token follows padding; shape_mismatch if the sizes differ
  token_sequence(std::vector<std::int32_t> ids, const std::vector<bool>& valid, std::int32_t image_token);

  [[nodiscard]] luq::index size() const { return static_cast<luq::index>(ids_.size()); }
  [[nodiscard]] std::span<const std::int32_t> ids() const { return ids_; }
  [[nodiscard]] std::span<const luq::token_class> classes() const { return classes_; }

  /// Tokens before the padding.
  [[nodiscard]] luq::index valid_tokens() const { return valid_tokens_; }

  /// Places of image features.
  [[nodiscard]] luq::index image_tokens() const;

 private:
  std::vector<std::int32_t> ids_;
  std::vector<luq::token_class> classes_;
  luq::index valid_tokens_;
};

}  // namespace vlm

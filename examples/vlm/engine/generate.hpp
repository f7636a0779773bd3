// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Greedy decoding: always the most likely next token, of equals the one of smallest id.
#pragma once

#include <cstdint>
#include <luq/core/matrix_view.hpp>
#include <span>
#include <vector>

#include "vision_language_model.hpp"

namespace vlm {

/// The position of the largest of a row of logits, the first of equals.
[[nodiscard]] std::int32_t most_likely(const luq::matrix_view& logits, luq::index row);

/// Continues a prompt until one of the end tokens or the limit is reached.
/// @param images          whose tokens the prompt holds, in order
/// @param max_new_tokens  >= 0
/// @param end_tokens      usually model.config().end_tokens
/// @return the new tokens, without the end token
/// @throws luq::error as vision_language_model::image_features and vision_language_model::forward
[[nodiscard]] std::vector<std::int32_t> generate(const vision_language_model& model, std::vector<std::int32_t> prompt,
                                                 std::span<const image> images, luq::index max_new_tokens,
                                                 std::span<const std::int32_t> end_tokens);

}  // namespace vlm

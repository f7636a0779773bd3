// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What a token of a multimodal sequence stands for. Padding fills batches; it never counts in any estimate.
#pragma once

#include <cstdint>

namespace luq {

enum class token_class : std::uint8_t { text, image, padding };

}  // namespace luq

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "luq/core/error.hpp"

namespace luq {

LUQ_INLINE void fail(errc code, const std::string& message) {
  throw error(code, message);
}

}  // namespace luq

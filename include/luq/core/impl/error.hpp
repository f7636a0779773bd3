// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The one place that throws.
#pragma once

#include <cstdlib>
#include <utility>

#include "luq/core/error.hpp"

namespace luq {
namespace detail {

/// The handler of the program.
LUQ_INLINE error_handler& current_error_handler() noexcept {
  static error_handler handler = nullptr;
  return handler;
}

}  // namespace detail

LUQ_INLINE error_handler set_error_handler(error_handler handler) noexcept {
  return std::exchange(detail::current_error_handler(), handler);
}

LUQ_INLINE void fail(errc code, const std::string& message) {
#if defined(__cpp_exceptions)
  throw error(code, message);
#else
  if (const error_handler handler = detail::current_error_handler()) handler(code, message.c_str());
  std::abort();
#endif
}

}  // namespace luq

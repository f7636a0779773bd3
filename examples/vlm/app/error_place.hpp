// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Errors that say where their data came from. The engine knows a sequence, and not that it is the third of a file.
#pragma once

#include <luq/core/error.hpp>
#include <string>
#include <utility>

namespace vlm {

/// Calls work(). A luq::error that it throws is thrown with `place`, such as "FILE: sequence 3", before its message.
template <class Work>
decltype(auto) at_place(const std::string& place, Work&& work) {
  try {
    return std::forward<Work>(work)();
  } catch (const luq::error& error) {
    luq::fail(error.code(), place, ": ", error.what());
  }
}

}  // namespace vlm

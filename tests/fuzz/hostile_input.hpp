// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What every reader of luq/io owes to a file that was made to harm it: it reads it or throws luq::error, nothing else,
// and never holds more memory at a time than a small multiple of the file. A fuzz target is one call:
//
//   extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
//     return luq_fuzz::read_hostile({data, size}, {.multiple = 8}, [](std::span<const std::byte> file) { ... });
//   }
//
// Crashes, leaks and undefined behaviour are the sanitizers' to see. Memory is counted by the hooks of the address
// sanitizer, so that it is bounded only where that is on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <luq/core/error.hpp>
#include <span>
#include <string_view>

#include "allocation_meter.hpp"

namespace luq_fuzz {

/// Most bytes that a reader may hold beyond the file itself: multiple * size + constant.
struct memory_bound {
  double multiple;
  double constant = 16384;  ///< messages, and what the standard library holds for streams and locales
};

/// Ends the process as a crash, which the fuzzer keeps the input of.
[[noreturn]] inline void report(std::string_view flaw) {
  std::fprintf(stderr, "luq_fuzz: %.*s\n", static_cast<int>(flaw.size()), flaw.data());
  std::abort();
}

inline void require(bool condition, std::string_view flaw) {
  if (!condition) report(flaw);
}

/// @param read  called with the file's bytes; luq::error is an answer, all else is a flaw
template <class Read>
int read_hostile(std::span<const std::uint8_t> file, const memory_bound& bound, const Read& read) {
  const allocation_meter meter;
  try {
    read(std::as_bytes(file));
  } catch (const luq::error&) {
    // A file that is refused.
  }
  const double most = bound.multiple * static_cast<double>(file.size()) + bound.constant;
  if (static_cast<double>(meter.peak()) > most) {
    std::fprintf(stderr, "luq_fuzz: %zu bytes of file took %zu bytes of memory, more than %.0f\n", file.size(),
                 meter.peak(), most);
    std::abort();
  }
  return 0;
}

/// `data` that a reader gives out must lie in the file that it read.
inline void require_within(std::span<const std::byte> data, std::span<const std::byte> file) {
  require(data.empty() || (data.data() >= file.data() && data.data() + data.size() <= file.data() + file.size()),
          "data outside the file");
}

[[nodiscard]] inline std::string_view as_text(std::span<const std::byte> file) {
  return {reinterpret_cast<const char*>(file.data()), file.size()};
}

}  // namespace luq_fuzz

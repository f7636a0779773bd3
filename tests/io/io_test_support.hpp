// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What the tests of io/ share: a scratch directory, files as strings, a limit on the size of files that stands in for a
// full disk, safetensors files spelled by hand, and a check that something fails with a given code and message.
#pragma once

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include "luq/core/error.hpp"

#if __has_include(<sys/resource.h>)
#include <sys/resource.h>

#include <csignal>
#endif

namespace luq_test {

#if __has_include(<sys/resource.h>)

/// While it lives, the system refuses files of this process that are larger, as it does when a disk is full.
class file_size_limit {
 public:
  explicit file_size_limit(::rlim_t bytes) : old_handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &old_limit_) == 0);
    ::rlimit limit = old_limit_;
    limit.rlim_cur = bytes;
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
  }
  file_size_limit(const file_size_limit&) = delete;
  file_size_limit& operator=(const file_size_limit&) = delete;
  ~file_size_limit() {
    ::setrlimit(RLIMIT_FSIZE, &old_limit_);
    std::signal(SIGXFSZ, old_handler_);
  }

 private:
  void (*old_handler_)(int);
  ::rlimit old_limit_{};
};

#endif

/// A new empty directory, removed with its content at the end of the scope.
class scratch_directory {
 public:
  scratch_directory() {
    std::random_device entropy;
    do {
      path_ = std::filesystem::temp_directory_path() / ("luq-test-" + std::to_string(entropy()));
    } while (!std::filesystem::create_directory(path_));
  }
  scratch_directory(const scratch_directory&) = delete;
  scratch_directory& operator=(const scratch_directory&) = delete;
  ~scratch_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

  /// Number of entries, hidden ones included.
  [[nodiscard]] std::ptrdiff_t size() const {
    return std::distance(std::filesystem::directory_iterator(path_), std::filesystem::directory_iterator());
  }

 private:
  std::filesystem::path path_;
};

inline void write_text(const std::filesystem::path& path, std::string_view text) {
  std::ofstream stream(path, std::ios::binary);
  stream.write(text.data(), static_cast<std::streamsize>(text.size()));
  REQUIRE(stream.good());
}

[[nodiscard]] inline std::string read_text(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  REQUIRE(stream.good());
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

/// A file below tests/data/io.
[[nodiscard]] inline std::filesystem::path data_file(std::string_view name) {
  return std::filesystem::path(__FILE__).parent_path().parent_path() / "data" / "io" / name;
}

[[nodiscard]] inline std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

/// The eight bytes of a header length.
[[nodiscard]] inline std::string length_field(std::uint64_t length) {
  std::string result;
  for (int i = 0; i < 8; ++i) result += static_cast<char>((length >> (8 * i)) & 0xffu);
  return result;
}

/// A safetensors file with this header and that many zero bytes of data.
[[nodiscard]] inline std::string file_with_header(const std::string& header, std::size_t data_bytes = 0) {
  return length_field(header.size()) + header + std::string(data_bytes, '\0');
}

/// Checks that action() throws luq::error with this code and a one-line message that contains `fragment`.
template <class Action>
void check_fails(luq::errc code, std::string_view fragment, Action&& action) {
  try {
    action();
  } catch (const luq::error& failure) {
    const std::string message = failure.what();
    CAPTURE(message);
    CAPTURE(fragment);
    CHECK(static_cast<int>(failure.code()) == static_cast<int>(code));
    CHECK(message.find(fragment) != std::string::npos);
    CHECK(message.find('\n') == std::string::npos);
    CHECK(message.size() < 1000);
    return;
  }
  FAIL_CHECK("nothing was thrown; expected a message with: ", fragment);
}

}  // namespace luq_test

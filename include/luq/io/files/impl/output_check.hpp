// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The definitions of luq/io/files/output_check.hpp.
//
// IWYU pragma: private, include "luq/io/files/output_check.hpp"
#pragma once

#include "luq/io/files/output_check.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <system_error>
#include <vector>

#include "luq/core/compiled.hpp"
#include "luq/core/error.hpp"
#include "luq/io/files/detail/atomic_file.hpp"
#include "luq/io/files/detail/input_file.hpp"

#if LUQ_IO_HAS_POSIX
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#endif

namespace luq {

namespace detail {

#if LUQ_IO_HAS_POSIX

/// Throws io_failure if a file must not be replaced: one of another user in a folder with the sticky bit, such as /tmp,
/// or one that is marked immutable. A directory can never take the name of a file, so trying that changes nothing;
/// but before the system says so (ENOTDIR), it looks whether the file may be replaced at all.
inline void require_replaceable(const std::filesystem::path& file) {
  std::filesystem::path directory;
  do {
    directory = temporary_sibling(file, static_cast<std::uint64_t>(::getpid()));
  } while (::mkdir(directory.c_str(), 0700) != 0 && errno == EEXIST);
  const int result = ::rename(directory.c_str(), file.c_str());
  const int reason = errno;
  ::rmdir(directory.c_str());
  if (result == 0 || reason == ENOTDIR) return;
  fail(errc::io_failure, file.string(), ": cannot be replaced: ", std::generic_category().message(reason));
}

#else

inline void require_replaceable(const std::filesystem::path&) {}

#endif

/// The path without symbolic links, of which the last parts need not exist: equal for two names of one file.
[[nodiscard]] inline std::filesystem::path identity_of(const std::filesystem::path& path) {
  std::error_code failure;
  // weakly_canonical() leaves a path relative of which no part exists, and "a" is not "./a" then.
  const std::filesystem::path absolute = std::filesystem::absolute(path, failure);
  const std::filesystem::path canonical = std::filesystem::weakly_canonical(absolute, failure);
  return failure ? absolute.lexically_normal() : canonical;
}

/// Removes at the end of its life those folders of a path that were not there at its beginning, if they are empty.
class removed_folders {
 public:
  explicit removed_folders(std::filesystem::path path) {
    std::error_code failure;
    for (; !path.empty() && !std::filesystem::exists(path, failure) && !failure; path = path.parent_path()) {
      if (path.has_filename()) missing_.push_back(path);
    }
  }
  removed_folders(const removed_folders&) = delete;
  removed_folders& operator=(const removed_folders&) = delete;
  ~removed_folders() {
    std::error_code ignored;
    for (const std::filesystem::path& path : missing_) std::filesystem::remove(path, ignored);
  }

 private:
  std::vector<std::filesystem::path> missing_;  // the deepest first
};

}  // namespace detail

LUQ_INLINE void require_creatable(const std::filesystem::path& file) {
  const std::string name = file.string();
  if (!file.has_filename()) fail(errc::io_failure, "'", name, "': cannot be written: expected the name of a file");
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
  std::error_code failure;
  const std::filesystem::file_status place = std::filesystem::status(folder, failure);
  if (place.type() == std::filesystem::file_type::none) {
    fail(errc::io_failure, name, ": cannot be written: ", failure.message());
  }
  if (!std::filesystem::exists(place)) {
    fail(errc::io_failure, name, ": cannot be written: there is no folder ", folder.string());
  }
  if (!std::filesystem::is_directory(place)) {
    fail(errc::io_failure, name, ": cannot be written: ", folder.string(), " is no folder");
  }
  const std::filesystem::file_status old = std::filesystem::status(file, failure);
  if (old.type() == std::filesystem::file_type::none) {  // such as a name that is too long
    fail(errc::io_failure, name, ": cannot be written: ", failure.message());
  }
  if (std::filesystem::exists(old) && !std::filesystem::is_regular_file(old)) {
    fail(errc::io_failure, name, ": cannot be written: expected a file or a new name, got ",
         std::filesystem::is_directory(old) ? "a folder" : "something else");
  }
  {
    const detail::atomic_file attempt(file);
  }
  if (std::filesystem::exists(old)) detail::require_replaceable(file);
}

LUQ_INLINE void require_outputs(std::span<const std::filesystem::path> outputs,
                                std::span<const std::filesystem::path> inputs) {
  std::vector<std::filesystem::path> taken;
  for (const std::filesystem::path& input : inputs) taken.push_back(detail::identity_of(input));
  for (const std::filesystem::path& output : outputs) {
    require_creatable(output);
    taken.push_back(detail::identity_of(output));
    const auto first = std::find(taken.begin(), taken.end(), taken.back());
    const auto place = static_cast<std::size_t>(first - taken.begin());
    if (place < inputs.size()) {
      fail(errc::invalid_argument, output.string(), ": cannot be written: it is read, too");
    }
    if (place + 1 < taken.size()) {
      fail(errc::invalid_argument, output.string(), ": cannot be written: it is the name of two outputs");
    }
  }
}

LUQ_INLINE void require_output_folder(const std::filesystem::path& folder, std::span<const std::string> files,
                                      std::span<const std::filesystem::path> inputs) {
  if (folder.empty()) fail(errc::io_failure, "'': cannot be made: expected the name of a folder");
  const detail::removed_folders made(folder);
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  if (failure) fail(errc::io_failure, folder.string(), ": cannot be made: ", failure.message());
  std::vector<std::filesystem::path> outputs;
  for (const std::string& file : files) outputs.push_back(folder / file);
  require_outputs(outputs, inputs);
}

}  // namespace luq

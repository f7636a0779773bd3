// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Writing a file so that its name shows either the old content or all of the new one, whatever happens meanwhile: the
// bytes go to a temporary file in the same directory, which is flushed to the disk and then renamed. Whoever has
// mapped the old file keeps seeing the old bytes. Without commit(), or on any error, the temporary file is removed.
//
// A symbolic link as target is replaced, not followed. Permissions are those of a newly created file.
//
// IWYU pragma: private, include "luq/io/safetensors/safetensors_writer.hpp"
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <memory>
#include <span>
#include <string>

#include "luq/io/files/detail/input_file.hpp"

namespace luq::detail {

/// A name for a temporary file next to `target`, short whatever the target's length; no two calls give the same.
[[nodiscard]] std::filesystem::path temporary_sibling(const std::filesystem::path& target, std::uint64_t tag);

/// The portable way. It cannot ask the system to flush, so a power failure may leave a truncated new file.
class stream_atomic_file {
 public:
  explicit stream_atomic_file(std::filesystem::path target);
  stream_atomic_file(const stream_atomic_file&) = delete;
  stream_atomic_file& operator=(const stream_atomic_file&) = delete;
  ~stream_atomic_file();

  /// Nothing to do: a write beyond the end extends the file, and standard C++ cannot ask for space.
  void reserve(std::uint64_t /*size*/) const noexcept {}

  /// Places bytes at an offset from the beginning of the file.
  void write_at(std::uint64_t offset, std::span<const std::byte> bytes);

  /// Gives the file its name; call once, last.
  void commit();

 private:
  std::filesystem::path target_;
  std::filesystem::path temporary_;
  std::unique_ptr<std::ofstream> stream_;  // so that <fstream> is needed by the definitions alone
  bool committed_ = false;
};

#if LUQ_IO_HAS_POSIX

/// The POSIX way: the content is on the disk before the name changes, and the name before commit() returns.
class posix_atomic_file {
 public:
  explicit posix_atomic_file(const std::filesystem::path& target);
  posix_atomic_file(const posix_atomic_file&) = delete;
  posix_atomic_file& operator=(const posix_atomic_file&) = delete;
  ~posix_atomic_file();

  /// Sets the final size and takes that much of the disk, so that a disk too small is found before any data is
  /// written. A file system that cannot promise space gets the size alone; there a write may still find the disk full.
  void reserve(std::uint64_t size);

  /// Places bytes at an offset from the beginning of the file.
  void write_at(std::uint64_t offset, std::span<const std::byte> bytes);

  /// Gives the file its name; call once, last.
  void commit();

 private:
  /// Whether the file system gave the space; false if it has no such operation.
  [[nodiscard]] bool take_space(std::uint64_t size) const;

  /// Throws io_failure for an operation on that many bytes, with what errno says and how much space is left.
  [[noreturn]] void fail_for_space(const char* action, std::uint64_t bytes) const;

  void synchronize(const file_descriptor& descriptor, const char* action) const;

  std::string target_;
  std::string temporary_;
  file_descriptor descriptor_;
  bool renamed_ = false;
};

using atomic_file = posix_atomic_file;

#else

using atomic_file = stream_atomic_file;

#endif

}  // namespace luq::detail

#ifndef LUQ_COMPILED
#include "luq/io/files/impl/atomic_file.hpp"
#endif

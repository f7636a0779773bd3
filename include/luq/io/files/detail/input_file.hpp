// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A whole regular file as read-only bytes: mapped into memory where POSIX offers that (`mapped_file`), read into a
// buffer elsewhere (`buffered_file`). Both refuse whatever is not a regular file: a directory, a device, or a FIFO,
// which they open without waiting for a writer.
//
// A mapped file that another process truncates kills the reader with SIGBUS when it touches a page that is gone. The
// size is therefore compared again after mapping and by require_unchanged() before every use. That narrows the window
// and turns the usual accident (a file overwritten in place) into an error; it cannot close the window, so writers
// should replace files by renaming, as atomic_file does.
//
// IWYU pragma: private, include "luq/io/safetensors/safetensors.hpp"
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#if __has_include(<sys/mman.h>) && __has_include(<sys/stat.h>) && __has_include(<unistd.h>)
#define LUQ_IO_HAS_POSIX 1
#else
#define LUQ_IO_HAS_POSIX 0
#endif

namespace luq::detail {

/// The portable way: one read of the whole file.
class buffered_file {
 public:
  explicit buffered_file(const std::filesystem::path& path);

  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return contents_; }

  /// The buffer is a copy: nothing that happens to the file concerns it.
  void require_unchanged() const noexcept {}

 private:
  std::string path_;
  std::vector<std::byte> contents_;
};

#if LUQ_IO_HAS_POSIX

/// Owns a file descriptor.
class file_descriptor {
 public:
  file_descriptor() = default;
  explicit file_descriptor(int number) noexcept : number_(number) {}
  file_descriptor(file_descriptor&& other) noexcept;
  file_descriptor& operator=(file_descriptor&& other) noexcept;
  ~file_descriptor();

  [[nodiscard]] int number() const noexcept { return number_; }

 private:
  int number_ = -1;
};

/// Throws io_failure with the system's reason for errno.
[[noreturn]] void fail_with_errno(const std::string& path, const char* action);

/// The POSIX way: pages come from the file when they are first touched. Keeps the descriptor open for the size checks.
class mapped_file {
 public:
  explicit mapped_file(const std::filesystem::path& path);
  mapped_file(mapped_file&& other) noexcept;
  mapped_file& operator=(mapped_file&& other) noexcept;
  ~mapped_file();

  /// The address survives a move of this object.
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept {
    return {static_cast<const std::byte*>(address_), size_};
  }

  /// Throws io_failure if the file's size is no longer the mapped one.
  void require_unchanged() const;

 private:
  std::string path_;
  file_descriptor descriptor_;
  void* address_ = nullptr;
  std::size_t size_ = 0;
};

using input_file = mapped_file;

#else

using input_file = buffered_file;

#endif

}  // namespace luq::detail

#ifndef LUQ_COMPILED
#include "luq/io/files/impl/input_file.hpp"
#endif

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
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "luq/core/error.hpp"

#if __has_include(<sys/mman.h>) && __has_include(<sys/stat.h>) && __has_include(<unistd.h>)
#define LUQ_IO_HAS_POSIX 1
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#else
#define LUQ_IO_HAS_POSIX 0
#endif

namespace luq::detail {

/// The portable way: one read of the whole file.
class buffered_file {
 public:
  explicit buffered_file(const std::filesystem::path& path) : path_(path.string()) {
    std::error_code failure;
    const auto status = std::filesystem::status(path, failure);
    if (!std::filesystem::exists(status)) fail(errc::io_failure, path_, ": cannot open: no such file");
    if (!std::filesystem::is_regular_file(status)) fail(errc::io_failure, path_, ": expected a regular file");
    const std::uint64_t size = std::filesystem::file_size(path, failure);
    if (failure) fail(errc::io_failure, path_, ": cannot determine the size: ", failure.message());
    std::ifstream stream(path, std::ios::binary);
    if (!stream) fail(errc::io_failure, path_, ": cannot open for reading");
    if (size > (std::numeric_limits<std::size_t>::max)() / 2) {
      fail(errc::unsupported, path_, ": ", size, " bytes exceed the address space");
    }
    contents_.resize(static_cast<std::size_t>(size));
    stream.read(reinterpret_cast<char*>(contents_.data()), static_cast<std::streamsize>(size));
    if (static_cast<std::uint64_t>(stream.gcount()) != size) {
      fail(errc::io_failure, path_, ": expected ", size, " bytes, could read ", stream.gcount());
    }
  }

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
  file_descriptor(file_descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  file_descriptor& operator=(file_descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~file_descriptor() {
    if (number_ >= 0) ::close(number_);
  }

  [[nodiscard]] int number() const noexcept { return number_; }

 private:
  int number_ = -1;
};

/// Throws io_failure with the system's reason for errno.
[[noreturn]] inline void fail_with_errno(const std::string& path, const char* action) {
  fail(errc::io_failure, path, ": cannot ", action, ": ", std::generic_category().message(errno));
}

[[nodiscard]] inline const char* file_kind(::mode_t mode) noexcept {
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISFIFO(mode)) return "a FIFO";
  if (S_ISCHR(mode) || S_ISBLK(mode)) return "a device";
  return "something else";
}

/// The POSIX way: pages come from the file when they are first touched. Keeps the descriptor open for the size checks.
class mapped_file {
 public:
  explicit mapped_file(const std::filesystem::path& path) : path_(path.string()) {
    int number = -1;
    do {
      number = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    } while (number < 0 && errno == EINTR);
    if (number < 0) fail_with_errno(path_, "open");
    descriptor_ = file_descriptor(number);

    struct ::stat status {};
    if (::fstat(number, &status) != 0) fail_with_errno(path_, "determine the size");
    if (!S_ISREG(status.st_mode)) {
      fail(errc::io_failure, path_, ": expected a regular file, got ", file_kind(status.st_mode));
    }
    if (static_cast<std::uint64_t>(status.st_size) > (std::numeric_limits<std::size_t>::max)() / 2) {
      fail(errc::unsupported, path_, ": ", status.st_size, " bytes exceed the address space");
    }
    size_ = static_cast<std::size_t>(status.st_size);
    if (size_ == 0) return;  // mmap refuses an empty range
    void* const address = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, number, 0);
    if (address == MAP_FAILED) fail_with_errno(path_, "map into memory");
    address_ = address;
    try {
      require_unchanged();
    } catch (...) {
      ::munmap(address_, size_);
      throw;
    }
  }

  mapped_file(mapped_file&& other) noexcept
      : path_(std::move(other.path_)),
        descriptor_(std::move(other.descriptor_)),
        address_(std::exchange(other.address_, nullptr)),
        size_(std::exchange(other.size_, 0)) {}

  mapped_file& operator=(mapped_file&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(descriptor_, other.descriptor_);
    std::swap(address_, other.address_);
    std::swap(size_, other.size_);
    return *this;
  }

  ~mapped_file() {
    if (address_ != nullptr) ::munmap(address_, size_);
  }

  /// The address survives a move of this object.
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept {
    return {static_cast<const std::byte*>(address_), size_};
  }

  /// Throws io_failure if the file's size is no longer the mapped one.
  void require_unchanged() const {
    struct ::stat status {};
    if (::fstat(descriptor_.number(), &status) != 0) fail_with_errno(path_, "determine the size");
    if (static_cast<std::uint64_t>(status.st_size) != size_) {
      fail(errc::io_failure, path_, ": the size changed while in use: expected ", size_, " bytes, got ",
           status.st_size);
    }
  }

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

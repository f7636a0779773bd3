// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The definitions of luq/io/files/detail/input_file.hpp.
//
// IWYU pragma: private, include "luq/io/files/detail/input_file.hpp"
#pragma once

#include "luq/io/files/detail/input_file.hpp"

#include <cstdint>
#include <fstream>
#include <limits>
#include <system_error>
#include <utility>

#include "luq/core/compiled.hpp"
#include "luq/core/error.hpp"

#if LUQ_IO_HAS_POSIX
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#endif

namespace luq::detail {

LUQ_INLINE buffered_file::buffered_file(const std::filesystem::path& path) : path_(path.string()) {
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

#if LUQ_IO_HAS_POSIX

LUQ_INLINE file_descriptor::file_descriptor(file_descriptor&& other) noexcept
    : number_(std::exchange(other.number_, -1)) {}

LUQ_INLINE file_descriptor& file_descriptor::operator=(file_descriptor&& other) noexcept {
  std::swap(number_, other.number_);
  return *this;
}

LUQ_INLINE file_descriptor::~file_descriptor() {
  if (number_ >= 0) ::close(number_);
}

LUQ_INLINE void fail_with_errno(const std::string& path, const char* action) {
  fail(errc::io_failure, path, ": cannot ", action, ": ", std::generic_category().message(errno));
}

/// What is no regular file, for messages.
[[nodiscard]] inline const char* file_kind(::mode_t mode) noexcept {
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISFIFO(mode)) return "a FIFO";
  if (S_ISCHR(mode) || S_ISBLK(mode)) return "a device";
  return "something else";
}

LUQ_INLINE mapped_file::mapped_file(const std::filesystem::path& path) : path_(path.string()) {
  int number = -1;
  do {
    number = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  } while (number < 0 && errno == EINTR);
  if (number < 0) fail_with_errno(path_, "open");
  descriptor_ = file_descriptor(number);

  struct ::stat status{};
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

LUQ_INLINE mapped_file::mapped_file(mapped_file&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::move(other.descriptor_)),
      address_(std::exchange(other.address_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

LUQ_INLINE mapped_file& mapped_file::operator=(mapped_file&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(address_, other.address_);
  std::swap(size_, other.size_);
  return *this;
}

LUQ_INLINE mapped_file::~mapped_file() {
  if (address_ != nullptr) ::munmap(address_, size_);
}

LUQ_INLINE void mapped_file::require_unchanged() const {
  struct ::stat status{};
  if (::fstat(descriptor_.number(), &status) != 0) fail_with_errno(path_, "determine the size");
  if (static_cast<std::uint64_t>(status.st_size) != size_) {
    fail(errc::io_failure, path_, ": the size changed while in use: expected ", size_, " bytes, got ", status.st_size);
  }
}

#endif

}  // namespace luq::detail

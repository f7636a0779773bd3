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

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <span>
#include <string>
#include <system_error>
#include <utility>

#include "luq/core/assert.hpp"
#include "luq/core/error.hpp"
#include "luq/io/files/detail/input_file.hpp"

namespace luq::detail {

/// A name for a temporary file next to `target`, short whatever the target's length; no two calls give the same.
[[nodiscard]] inline std::filesystem::path temporary_sibling(const std::filesystem::path& target, std::uint64_t tag) {
  static std::atomic<std::uint64_t> counter{0};
  const std::uint64_t number = counter.fetch_add(1, std::memory_order_relaxed);
  return target.parent_path() / (".luq-" + std::to_string(tag) + "-" + std::to_string(number) + ".tmp");
}

/// The portable way. It cannot ask the system to flush, so a power failure may leave a truncated new file.
class stream_atomic_file {
 public:
  explicit stream_atomic_file(std::filesystem::path target)
      : target_(std::move(target)), temporary_(temporary_sibling(target_, 0)) {
    while (std::filesystem::exists(temporary_)) temporary_ = temporary_sibling(target_, 0);
    stream_.open(temporary_, std::ios::binary | std::ios::out | std::ios::trunc);
    if (!stream_) fail(errc::io_failure, target_.string(), ": cannot create a temporary file beside it");
  }

  stream_atomic_file(const stream_atomic_file&) = delete;
  stream_atomic_file& operator=(const stream_atomic_file&) = delete;

  ~stream_atomic_file() {
    if (committed_) return;
    stream_.close();
    std::error_code ignored;
    std::filesystem::remove(temporary_, ignored);
  }

  /// Nothing to do: a write beyond the end extends the file, and standard C++ cannot ask for space.
  void reserve(std::uint64_t /*size*/) const noexcept {}

  /// Places bytes at an offset from the beginning of the file.
  void write_at(std::uint64_t offset, std::span<const std::byte> bytes) {
    stream_.seekp(static_cast<std::streamoff>(offset));
    stream_.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    if (!stream_) fail(errc::io_failure, target_.string(), ": cannot write ", bytes.size(), " bytes");
  }

  /// Gives the file its name; call once, last.
  void commit() {
    LUQ_ASSERT(!committed_);
    stream_.close();
    if (stream_.fail()) fail(errc::io_failure, target_.string(), ": cannot write");
    std::error_code failure;
    std::filesystem::rename(temporary_, target_, failure);
    if (failure) fail(errc::io_failure, target_.string(), ": cannot replace: ", failure.message());
    committed_ = true;
  }

 private:
  std::filesystem::path target_;
  std::filesystem::path temporary_;
  std::ofstream stream_;
  bool committed_ = false;
};

#if LUQ_IO_HAS_POSIX

/// The POSIX way: the content is on the disk before the name changes, and the name before commit() returns.
class posix_atomic_file {
 public:
  explicit posix_atomic_file(const std::filesystem::path& target) : target_(target.string()) {
    int number = -1;
    do {
      temporary_ = temporary_sibling(target, static_cast<std::uint64_t>(::getpid())).string();
      number = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0666);
    } while (number < 0 && (errno == EINTR || errno == EEXIST));
    if (number < 0) fail_with_errno(target_, "create a temporary file beside it");
    descriptor_ = file_descriptor(number);
  }

  posix_atomic_file(const posix_atomic_file&) = delete;
  posix_atomic_file& operator=(const posix_atomic_file&) = delete;

  ~posix_atomic_file() {
    if (!renamed_) ::unlink(temporary_.c_str());
  }

  /// Sets the final size and takes that much of the disk, so that a disk too small is found before any data is
  /// written. A file system that cannot promise space gets the size alone; there a write may still find the disk full.
  void reserve(std::uint64_t size) {
    if (size > static_cast<std::uint64_t>((std::numeric_limits<::off_t>::max)())) {
      fail(errc::io_failure, target_, ": ", size, " bytes exceed the largest file");
    }
    if (take_space(static_cast<::off_t>(size))) return;
    while (::ftruncate(descriptor_.number(), static_cast<::off_t>(size)) != 0) {
      if (errno != EINTR) fail_for_space("reserve", size);
    }
  }

  /// Places bytes at an offset from the beginning of the file.
  void write_at(std::uint64_t offset, std::span<const std::byte> bytes) {
    constexpr std::size_t most_at_once = std::size_t{1} << 30;  // Linux writes at most 2 GiB - 4 KiB per call
    const std::size_t all = bytes.size();
    while (!bytes.empty()) {
      const std::size_t count = (std::min)(bytes.size(), most_at_once);
      const ::ssize_t written = ::pwrite(descriptor_.number(), bytes.data(), count, static_cast<::off_t>(offset));
      if (written < 0) {
        if (errno == EINTR) continue;
        fail_for_space("write", all);
      }
      if (written == 0) fail(errc::io_failure, target_, ": cannot write ", all, " bytes: none were accepted");
      offset += static_cast<std::uint64_t>(written);
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
  }

  /// Gives the file its name; call once, last.
  void commit() {
    LUQ_ASSERT(!renamed_);
    synchronize(descriptor_, "flush");
    if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail_with_errno(target_, "replace");
    renamed_ = true;

    const std::filesystem::path parent = std::filesystem::path(target_).parent_path();
    const int number = ::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (number < 0) {
      if (errno == EACCES) return;  // one may write to a directory that one may not read; there is no other way in
      fail_with_errno(target_, "open the directory of");
    }
    synchronize(file_descriptor(number), "flush the directory of");
  }

 private:
  /// Whether the file system gave the space; false if it has no such operation.
  [[nodiscard]] bool take_space([[maybe_unused]] ::off_t size) const {
#ifdef __linux__
    // Not posix_fallocate(): where the file system has no such operation, it writes into every block instead.
    if (size == 0) return true;
    while (::fallocate(descriptor_.number(), 0, 0, size) != 0) {
      if (errno == EOPNOTSUPP || errno == ENOSYS) return false;
      if (errno != EINTR) fail_for_space("reserve", static_cast<std::uint64_t>(size));
    }
    return true;
#else
    return false;
#endif
  }

  /// Throws io_failure for an operation on that many bytes, with what errno says and how much space is left.
  [[noreturn]] void fail_for_space(const char* action, std::uint64_t bytes) const {
    const int reason = errno;
    std::string left;
    if (reason == ENOSPC) {
      std::error_code unknown;
      const std::filesystem::space_info space = std::filesystem::space(temporary_, unknown);
      if (!unknown) left = ", " + std::to_string(space.available) + " bytes are free";
    }
    fail(errc::io_failure, target_, ": cannot ", action, " ", bytes,
         " bytes: ", std::generic_category().message(reason), left);
  }

  void synchronize(const file_descriptor& descriptor, const char* action) const {
    while (::fsync(descriptor.number()) != 0) {
      if (errno == EINTR) continue;
      if (errno == EINVAL || errno == ENOTSUP) return;  // a file system without a notion of flushing
      fail_with_errno(target_, action);
    }
  }

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

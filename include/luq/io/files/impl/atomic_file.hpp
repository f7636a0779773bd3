// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The definitions of luq/io/files/detail/atomic_file.hpp.
//
// IWYU pragma: private, include "luq/io/files/detail/atomic_file.hpp"
#pragma once

#include "luq/io/files/detail/atomic_file.hpp"

#include <algorithm>
#include <atomic>
#include <fstream>
#include <limits>
#include <system_error>
#include <utility>

#include "luq/core/assert.hpp"
#include "luq/core/compiled.hpp"
#include "luq/core/error.hpp"

#if LUQ_IO_HAS_POSIX
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#endif

namespace luq::detail {

LUQ_INLINE std::filesystem::path temporary_sibling(const std::filesystem::path& target, std::uint64_t tag) {
  static std::atomic<std::uint64_t> counter{0};
  const std::uint64_t number = counter.fetch_add(1, std::memory_order_relaxed);
  return target.parent_path() / (".luq-" + std::to_string(tag) + "-" + std::to_string(number) + ".tmp");
}

LUQ_INLINE stream_atomic_file::stream_atomic_file(std::filesystem::path target)
    : target_(std::move(target)), temporary_(temporary_sibling(target_, 0)) {
  while (std::filesystem::exists(temporary_)) temporary_ = temporary_sibling(target_, 0);
  stream_ = std::make_unique<std::ofstream>(temporary_, std::ios::binary | std::ios::out | std::ios::trunc);
  if (!*stream_) fail(errc::io_failure, target_.string(), ": cannot create a temporary file beside it");
}

LUQ_INLINE stream_atomic_file::~stream_atomic_file() {
  if (committed_) return;
  stream_->close();
  std::error_code ignored;
  std::filesystem::remove(temporary_, ignored);
}

LUQ_INLINE void stream_atomic_file::write_at(std::uint64_t offset, std::span<const std::byte> bytes) {
  stream_->seekp(static_cast<std::streamoff>(offset));
  stream_->write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!*stream_) fail(errc::io_failure, target_.string(), ": cannot write ", bytes.size(), " bytes");
}

LUQ_INLINE void stream_atomic_file::commit() {
  LUQ_ASSERT(!committed_);
  stream_->close();
  if (stream_->fail()) fail(errc::io_failure, target_.string(), ": cannot write");
  std::error_code failure;
  std::filesystem::rename(temporary_, target_, failure);
  if (failure) fail(errc::io_failure, target_.string(), ": cannot replace: ", failure.message());
  committed_ = true;
}

#if LUQ_IO_HAS_POSIX

LUQ_INLINE posix_atomic_file::posix_atomic_file(const std::filesystem::path& target) : target_(target.string()) {
  int number = -1;
  do {
    temporary_ = temporary_sibling(target, static_cast<std::uint64_t>(::getpid())).string();
    number = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0666);
  } while (number < 0 && (errno == EINTR || errno == EEXIST));
  if (number < 0) fail_with_errno(target_, "create a temporary file beside it");
  descriptor_ = file_descriptor(number);
}

LUQ_INLINE posix_atomic_file::~posix_atomic_file() {
  if (!renamed_) ::unlink(temporary_.c_str());
}

LUQ_INLINE void posix_atomic_file::reserve(std::uint64_t size) {
  if (size > static_cast<std::uint64_t>((std::numeric_limits<::off_t>::max)())) {
    fail(errc::io_failure, target_, ": ", size, " bytes exceed the largest file");
  }
  if (take_space(size)) return;
  while (::ftruncate(descriptor_.number(), static_cast<::off_t>(size)) != 0) {
    if (errno != EINTR) fail_for_space("reserve", size);
  }
}

LUQ_INLINE void posix_atomic_file::write_at(std::uint64_t offset, std::span<const std::byte> bytes) {
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

LUQ_INLINE void posix_atomic_file::commit() {
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

LUQ_INLINE bool posix_atomic_file::take_space([[maybe_unused]] std::uint64_t size) const {
#ifdef __linux__
  // Not posix_fallocate(): where the file system has no such operation, it writes into every block instead.
  if (size == 0) return true;
  while (::fallocate(descriptor_.number(), 0, 0, static_cast<::off_t>(size)) != 0) {
    if (errno == EOPNOTSUPP || errno == ENOSYS) return false;
    if (errno != EINTR) fail_for_space("reserve", size);
  }
  return true;
#else
  return false;
#endif
}

LUQ_INLINE void posix_atomic_file::fail_for_space(const char* action, std::uint64_t bytes) const {
  const int reason = errno;
  std::string left;
  if (reason == ENOSPC) {
    std::error_code unknown;
    const std::filesystem::space_info space = std::filesystem::space(temporary_, unknown);
    if (!unknown) left = ", " + std::to_string(space.available) + " bytes are free";
  }
  fail(errc::io_failure, target_, ": cannot ", action, " ", bytes, " bytes: ", std::generic_category().message(reason),
       left);
}

LUQ_INLINE void posix_atomic_file::synchronize(const file_descriptor& descriptor, const char* action) const {
  while (::fsync(descriptor.number()) != 0) {
    if (errno == EINTR) continue;
    if (errno == EINVAL || errno == ENOTSUP) return;  // a file system without a notion of flushing
    fail_with_errno(target_, action);
  }
}

#endif

}  // namespace luq::detail

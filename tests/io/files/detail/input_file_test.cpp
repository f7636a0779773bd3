// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/io/files/detail/input_file.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>

#include "io/io_test_support.hpp"

#if LUQ_IO_HAS_POSIX
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#define LUQ_TEST_INPUT_FILES luq::detail::buffered_file, luq::detail::mapped_file
#else
#define LUQ_TEST_INPUT_FILES luq::detail::buffered_file
#endif

using luq::errc;
using luq_test::check_fails;

namespace {

TEST_CASE_TEMPLATE("a regular file gives its bytes", File, LUQ_TEST_INPUT_FILES) {
  const luq_test::scratch_directory scratch;
  std::string content(100'000, '\0');
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 31 + i / 256);
  for (const std::size_t length :
       {std::size_t{0}, std::size_t{1}, std::size_t{4096}, std::size_t{4097}, content.size()}) {
    CAPTURE(length);
    const std::string expected = content.substr(0, length);
    luq_test::write_text(scratch / "a", expected);
    File first(scratch / "a");
    CHECK(std::ranges::equal(first.bytes(), luq_test::bytes_of(expected)));
    CHECK_NOTHROW(first.require_unchanged());
    const File second = std::move(first);
    CHECK(std::ranges::equal(second.bytes(), luq_test::bytes_of(expected)));
  }
}

TEST_CASE_TEMPLATE("links are followed", File, LUQ_TEST_INPUT_FILES) {
  const luq_test::scratch_directory scratch;
  luq_test::write_text(scratch / "a", "content");
  std::filesystem::create_symlink("a", scratch / "link");
  std::filesystem::create_symlink("nothing", scratch / "broken");
  CHECK(File(scratch / "link").bytes().size() == 7);
  check_fails(errc::io_failure, "cannot open", [&] { File file(scratch / "broken"); });
}

TEST_CASE_TEMPLATE("what is not there or not a regular file is refused", File, LUQ_TEST_INPUT_FILES) {
  const luq_test::scratch_directory scratch;
  check_fails(errc::io_failure, "none: cannot open: ", [&] { File file(scratch / "none"); });
  check_fails(errc::io_failure, "cannot open", [&] { File file(scratch / "none" / "none"); });
  check_fails(errc::io_failure, "expected a regular file", [&] { File file(scratch.path()); });
}

#if LUQ_IO_HAS_POSIX

TEST_CASE_TEMPLATE("devices are refused, and FIFOs without waiting", File, LUQ_TEST_INPUT_FILES) {
  const luq_test::scratch_directory scratch;
  check_fails(errc::io_failure, "/dev/zero: expected a regular file", [] { File file("/dev/zero"); });
  REQUIRE(::mkfifo((scratch / "fifo").c_str(), 0600) == 0);
  check_fails(errc::io_failure, "expected a regular file", [&] { File file(scratch / "fifo"); });
}

TEST_CASE_TEMPLATE("a file without permission is refused", File, LUQ_TEST_INPUT_FILES) {
  const luq_test::scratch_directory scratch;
  luq_test::write_text(scratch / "secret", "content");
  REQUIRE(::chmod((scratch / "secret").c_str(), 0) == 0);
  REQUIRE(::chmod(scratch.path().c_str(), 0755) == 0);
  // Root may read everything, so root becomes somebody else for a moment.
  const bool is_root = ::geteuid() == 0;
  if (is_root) REQUIRE(::seteuid(65534) == 0);
  check_fails(errc::io_failure, "secret: cannot open", [&] { File file(scratch / "secret"); });
  if (is_root) REQUIRE(::seteuid(0) == 0);
}

TEST_CASE("a mapped file notices another size") {
  const luq_test::scratch_directory scratch;
  luq_test::write_text(scratch / "a", std::string(5000, 'x'));
  const luq::detail::mapped_file file(scratch / "a");
  CHECK_NOTHROW(file.require_unchanged());
  std::filesystem::resize_file(scratch / "a", 4999);
  check_fails(errc::io_failure, "expected 5000 bytes, got 4999", [&] { file.require_unchanged(); });
  std::filesystem::resize_file(scratch / "a", 5001);
  check_fails(errc::io_failure, "expected 5000 bytes, got 5001", [&] { file.require_unchanged(); });
}

TEST_CASE("no descriptor is leaked, whether opening succeeds or fails") {
  const luq_test::scratch_directory scratch;
  luq_test::write_text(scratch / "a", "content");
  const int before = ::open("/dev/null", O_RDONLY);
  ::close(before);
  for (int i = 0; i < 10; ++i) {
    luq::detail::mapped_file file(scratch / "a");
    luq::detail::mapped_file other(scratch / "a");
    other = std::move(file);
    check_fails(errc::io_failure, "a directory", [&] { luq::detail::mapped_file directory(scratch.path()); });
  }
  const int after = ::open("/dev/null", O_RDONLY);
  ::close(after);
  CHECK(before == after);
}

#endif

}  // namespace

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/io/detail/atomic_file.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <stdexcept>
#include <string>

#include "io/io_test_support.hpp"

#if LUQ_IO_HAS_POSIX
#include <sys/resource.h>

#include <csignal>
#define LUQ_TEST_ATOMIC_FILES luq::detail::stream_atomic_file, luq::detail::posix_atomic_file
#else
#define LUQ_TEST_ATOMIC_FILES luq::detail::stream_atomic_file
#endif

using luq::errc;
using luq_test::bytes_of;
using luq_test::check_fails;
using luq_test::read_text;

namespace {

TEST_CASE_TEMPLATE("the content appears at once, at commit", File, LUQ_TEST_ATOMIC_FILES) {
  const luq_test::scratch_directory scratch;
  const std::filesystem::path path = scratch / "a";
  luq_test::write_text(path, "old content");
  {
    File file(path);
    CHECK(scratch.size() == 2);
    file.resize(6);
    file.write_at(3, bytes_of("def"));
    file.write_at(0, bytes_of("abc"));
    CHECK(read_text(path) == "old content");
    file.commit();
    CHECK(read_text(path) == "abcdef");
  }
  CHECK(read_text(path) == "abcdef");
  CHECK(scratch.size() == 1);
}

TEST_CASE_TEMPLATE("without commit the old file stays and nothing is left over", File, LUQ_TEST_ATOMIC_FILES) {
  const luq_test::scratch_directory scratch;
  luq_test::write_text(scratch / "a", "old content");
  const auto fail_midway = [&](const std::filesystem::path& path) {
    File file(path);
    file.write_at(0, bytes_of("new"));
    throw std::runtime_error("midway");
  };
  CHECK_THROWS_AS(fail_midway(scratch / "a"), std::runtime_error);
  CHECK_THROWS_AS(fail_midway(scratch / "b"), std::runtime_error);
  CHECK(read_text(scratch / "a") == "old content");
  CHECK(scratch.size() == 1);
}

TEST_CASE_TEMPLATE("a place that cannot be written to gives an error", File, LUQ_TEST_ATOMIC_FILES) {
  const luq_test::scratch_directory scratch;
  check_fails(errc::io_failure, "cannot create a temporary file", [&] { File file(scratch / "none" / "a"); });
  std::filesystem::create_directory(scratch / "directory");
  check_fails(errc::io_failure, "directory: cannot replace", [&] {
    File file(scratch / "directory");
    file.write_at(0, bytes_of("abc"));
    file.commit();
  });
  CHECK(scratch.size() == 1);
}

TEST_CASE_TEMPLATE("a link is replaced, what it points to stays", File, LUQ_TEST_ATOMIC_FILES) {
  const luq_test::scratch_directory scratch;
  luq_test::write_text(scratch / "target", "old");
  std::filesystem::create_symlink("target", scratch / "link");
  File file(scratch / "link");
  file.write_at(0, bytes_of("new"));
  file.commit();
  CHECK(read_text(scratch / "target") == "old");
  CHECK(read_text(scratch / "link") == "new");
  CHECK_FALSE(std::filesystem::is_symlink(scratch / "link"));
}

TEST_CASE_TEMPLATE("two writers of one file do not meet; the last to commit wins", File, LUQ_TEST_ATOMIC_FILES) {
  const luq_test::scratch_directory scratch;
  File first(scratch / "a");
  File second(scratch / "a");
  first.write_at(0, bytes_of("first"));
  second.write_at(0, bytes_of("second"));
  second.commit();
  CHECK(read_text(scratch / "a") == "second");
  first.commit();
  CHECK(read_text(scratch / "a") == "first");
  CHECK(scratch.size() == 1);
}

TEST_CASE("whole texts, and names without a directory or of full length") {
  const luq_test::scratch_directory scratch;
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(scratch.path());
  luq::detail::write_file_atomically("plain", "content");
  luq::detail::write_file_atomically("plain", "");
  luq::detail::write_file_atomically(std::string(255, 'n'), "long");
  std::filesystem::current_path(before);
  CHECK(read_text(scratch / "plain").empty());
  CHECK(read_text(scratch / std::string(255, 'n')) == "long");
  CHECK(scratch.size() == 2);
}

#if LUQ_IO_HAS_POSIX

TEST_CASE("a full disk gives an error, the old file stays and nothing is left over") {
  const luq_test::scratch_directory scratch;
  luq_test::write_text(scratch / "a", "old content");
  // A limit on file sizes stands in for the full disk: both make the system refuse.
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  ::rlimit old_limit{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &old_limit) == 0);
  ::rlimit small_limit = old_limit;
  small_limit.rlim_cur = 4096;
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small_limit) == 0);
  const std::string large(10'000, 'x');
  check_fails(errc::io_failure, "a: cannot write: ", [&] { luq::detail::write_file_atomically(scratch / "a", large); });
  check_fails(errc::io_failure, "a: cannot set the size: ", [&] {
    luq::detail::posix_atomic_file file(scratch / "a");
    file.resize(large.size());
  });
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &old_limit) == 0);
  std::signal(SIGXFSZ, old_handler);
  CHECK(read_text(scratch / "a") == "old content");
  CHECK(scratch.size() == 1);
}

TEST_CASE("the file has the permissions of a new file") {
  const luq_test::scratch_directory scratch;
  const ::mode_t old_mask = ::umask(027);
  luq::detail::write_file_atomically(scratch / "a", "content");
  ::umask(old_mask);
  CHECK(std::filesystem::status(scratch / "a").permissions() == static_cast<std::filesystem::perms>(0640));
}

#endif

}  // namespace

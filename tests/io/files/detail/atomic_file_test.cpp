// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/io/files/detail/atomic_file.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include "io/io_test_support.hpp"

#if LUQ_IO_HAS_POSIX
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sched.h>
#include <sys/mount.h>
#endif
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
    file.reserve(6);
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

#if LUQ_IO_HAS_POSIX

TEST_CASE("a file that may not be so large gives an error, the old file stays and nothing is left over") {
  const luq_test::scratch_directory scratch;
  luq_test::write_text(scratch / "a", "old content");
  const std::string large(10'000, 'x');
  {
    const luq_test::file_size_limit limit(4096);
    check_fails(errc::io_failure, "a: cannot write 10000 bytes: ", [&] {
      luq::detail::posix_atomic_file file(scratch / "a");
      file.write_at(0, bytes_of(large));
    });
    check_fails(errc::io_failure, "a: cannot reserve 10000 bytes: ", [&] {
      luq::detail::posix_atomic_file file(scratch / "a");
      file.reserve(large.size());
    });
  }
  CHECK(read_text(scratch / "a") == "old content");
  CHECK(scratch.size() == 1);
}

#ifdef __linux__

/// Gives this process a view of the mounted file systems of its own, which it may change.
bool enter_own_mounts() {
  if (::geteuid() == 0) {
    return ::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
  }
  // An ordinary user may do so as the superuser of a name space of users, with the user alone in it.
  const std::string user = "0 " + std::to_string(::geteuid()) + " 1";
  const std::string group = "0 " + std::to_string(::getegid()) + " 1";
  if (::unshare(CLONE_NEWNS | CLONE_NEWUSER) != 0) return false;
  std::ofstream("/proc/self/setgroups") << "deny";
  std::ofstream("/proc/self/uid_map") << user;
  std::ofstream("/proc/self/gid_map") << group;
  return true;
}

/// Runs action() in a process of its own that sees an empty file system of 64 KiB at `directory`.
/// @return whether the system lets this user make one
template <class Action>
bool run_on_small_disk(const std::filesystem::path& directory, Action&& action) {
  constexpr int not_permitted = 77;
  const ::pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const bool is_mounted = enter_own_mounts() && ::mount("none", directory.c_str(), "tmpfs", 0, "size=64k") == 0;
    ::_exit(is_mounted ? action() : not_permitted);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  if (WEXITSTATUS(status) == not_permitted) return false;
  CHECK(WEXITSTATUS(status) == 0);
  return true;
}

TEST_CASE("a full disk is found when space is reserved, and the message says how much there is") {
  const luq_test::scratch_directory scratch;
  const auto fill = [&scratch]() -> int {
    luq_test::write_text(scratch / "other", std::string(16'384, 'x'));
    try {
      luq::detail::posix_atomic_file file(scratch / "a");
      file.reserve(100'000);
    } catch (const luq::error& failure) {
      const std::string expected = "a: cannot reserve 100000 bytes: No space left on device, 49152 bytes are free";
      return std::string(failure.what()).ends_with(expected) && scratch.size() == 1 ? 0 : 1;
    }
    return 2;
  };
  if (!run_on_small_disk(scratch.path(), fill)) MESSAGE("not run: this user may not mount a small file system");
}

#endif

TEST_CASE("the file has the permissions of a new file") {
  const luq_test::scratch_directory scratch;
  const ::mode_t old_mask = ::umask(027);
  {
    luq::detail::posix_atomic_file file(scratch / "a");
    file.commit();
  }
  ::umask(old_mask);
  CHECK(std::filesystem::status(scratch / "a").permissions() == static_cast<std::filesystem::perms>(0640));
}

#endif

}  // namespace

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/io/files/output_check.hpp"

#include <doctest/doctest.h>

#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include "io/io_test_support.hpp"

using luq::errc;
using luq_test::check_fails;
using luq_test::read_text;
using luq_test::write_text;
using paths = std::vector<std::filesystem::path>;

namespace {

void check_not_creatable(const std::filesystem::path& file, std::string_view fragment) {
  check_fails(errc::io_failure, fragment, [&] { luq::require_creatable(file); });
}

TEST_CASE("a new file, one that is there, and a link are creatable, and stay as they are") {
  const luq_test::scratch_directory scratch;
  write_text(scratch / "old", "content");
  std::filesystem::create_symlink("nowhere", scratch / "link");
  luq::require_creatable(scratch / "new");
  luq::require_creatable(scratch / "old");
  luq::require_creatable(scratch / "link");
  luq::require_creatable(scratch / std::string(255, 'n'));
  CHECK(scratch.size() == 2);
  CHECK(read_text(scratch / "old") == "content");
}

TEST_CASE("a name without a folder is one of the current folder") {
  const luq_test::scratch_directory scratch;
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(scratch.path());
  luq::require_creatable("new");
  std::filesystem::current_path(before);
  CHECK(scratch.size() == 0);
}

TEST_CASE("what is no place for a file") {
  const luq_test::scratch_directory scratch;
  write_text(scratch / "file", "content");
  std::filesystem::create_directory(scratch / "folder");
  std::filesystem::create_directory_symlink("folder", scratch / "link");
  check_not_creatable("", "'': cannot be written: expected the name of a file");
  check_not_creatable(scratch / "folder" / "", "expected the name of a file");
  check_not_creatable(scratch / "none" / "a",
                      "a: cannot be written: there is no folder " + (scratch / "none").string());
  check_not_creatable(scratch / "file" / "a", "a: cannot be written: " + (scratch / "file").string() + " is no folder");
  check_not_creatable(scratch / "file" / "a" / "b", "b: cannot be written: there is no folder ");
  check_not_creatable(scratch / "folder", "folder: cannot be written: expected a file or a new name, got a folder");
  check_not_creatable(scratch / "link", "expected a file or a new name, got a folder");
  check_not_creatable(scratch / std::string(256, 'n'), "n: cannot be written: ");
  CHECK(scratch.size() == 3);
  CHECK(read_text(scratch / "file") == "content");
}

#ifdef __linux__

TEST_CASE("devices, and folders that nobody can write to") {
  check_not_creatable("/dev/full", "expected a file or a new name, got something else");
  check_not_creatable("/dev/null", "expected a file or a new name, got something else");
  check_not_creatable("/proc/luq-output", "/proc/luq-output: cannot create a temporary file beside it: ");
  check_not_creatable("/proc/self/status", "/proc/self/status: cannot create a temporary file beside it: ");
}

/// While it lives, a superuser's process has the permissions of an ordinary user.
class ordinary_user {
 public:
  ordinary_user() {
    if (::getuid() == 0) REQUIRE(::seteuid(65534) == 0);
  }
  ordinary_user(const ordinary_user&) = delete;
  ordinary_user& operator=(const ordinary_user&) = delete;
  ~ordinary_user() {
    if (::getuid() == 0) REQUIRE(::seteuid(0) == 0);
  }
};

TEST_CASE("a folder that is read-only") {
  const luq_test::scratch_directory scratch;
  std::filesystem::create_directory(scratch / "folder");
  write_text(scratch / "folder" / "old", "content");
  std::filesystem::permissions(scratch.path(), static_cast<std::filesystem::perms>(0755));
  std::filesystem::permissions(scratch / "folder", static_cast<std::filesystem::perms>(0555));
  {
    const ordinary_user user;
    check_not_creatable(scratch / "folder" / "new", "new: cannot create a temporary file beside it: Permission denied");
    check_not_creatable(scratch / "folder" / "old", "old: cannot create a temporary file beside it: Permission denied");
  }
  std::filesystem::permissions(scratch / "folder", std::filesystem::perms::owner_all);
}

TEST_CASE("a file of another user in a folder with the sticky bit") {
  if (::getuid() != 0) {
    MESSAGE("not run: only a superuser can make files of two users");
    return;
  }
  const luq_test::scratch_directory scratch;
  std::filesystem::permissions(scratch.path(), static_cast<std::filesystem::perms>(01777));
  write_text(scratch / "old", "content");
  const ordinary_user user;
  luq::require_creatable(scratch / "new");
  check_not_creatable(scratch / "old", "old: cannot be replaced: Operation not permitted");
  CHECK(scratch.size() == 1);
}

#endif

TEST_CASE("outputs that are one file, under whatever names, and outputs that are inputs") {
  const luq_test::scratch_directory scratch;
  write_text(scratch / "old", "content");
  std::filesystem::create_directory(scratch / "folder");
  std::filesystem::create_directory_symlink(".", scratch / "here");
  std::filesystem::create_symlink("old", scratch / "link");
  luq::require_outputs(paths{});
  luq::require_outputs(paths{scratch / "a", scratch / "b", scratch / "old"},
                       paths{scratch / "c", scratch / "none" / "d"});
  const auto refuse = [](const paths& outputs, const paths& inputs, std::string_view fragment) {
    check_fails(errc::invalid_argument, fragment, [&] { luq::require_outputs(outputs, inputs); });
  };
  refuse({scratch / "a", scratch / "a"}, {}, "a: cannot be written: it is the name of two outputs");
  refuse({scratch / "a", scratch / "folder" / ".." / "a"}, {}, "it is the name of two outputs");
  refuse({scratch / "a", scratch / "b", scratch / "here" / "b"}, {},
         "here/b: cannot be written: it is the name of two");
  refuse({scratch / "a", scratch / "old"}, {scratch / "b", scratch / "old"}, "old: cannot be written: it is read, too");
  refuse({scratch / "here" / "old"}, {scratch / "old"}, "it is read, too");
  refuse({scratch / "old"}, {scratch / "link"}, "it is read, too");
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(scratch.path());
  refuse({"a", "./a"}, {}, "./a: cannot be written: it is the name of two outputs");
  refuse({"a", scratch / "a"}, {}, "it is the name of two outputs");
  refuse({"./a"}, {"a"}, "./a: cannot be written: it is read, too");
  std::filesystem::current_path(before);
  check_fails(errc::io_failure, "there is no folder",
              [&] { luq::require_outputs(paths{scratch / "a", scratch / "none" / "b"}); });
  CHECK(scratch.size() == 4);
}

TEST_CASE("a folder of outputs is there or can be made, and is not made") {
  const luq_test::scratch_directory scratch;
  const std::array<std::string, 2> files{"a", "b"};
  luq::require_output_folder(scratch.path(), files);
  luq::require_output_folder(scratch / "new" / "newer", files);
  luq::require_output_folder(scratch / "new" / "", files);
  CHECK(scratch.size() == 0);
  std::filesystem::create_directory(scratch / "folder");
  luq::require_output_folder(scratch / "folder" / "new", files, paths{scratch / "folder" / "a"});
  CHECK(std::filesystem::is_empty(scratch / "folder"));

  const auto refuse = [&](errc code, const std::filesystem::path& folder, std::string_view fragment) {
    check_fails(code, fragment, [&] { luq::require_output_folder(folder, files, paths{scratch / "input" / "b"}); });
  };
  write_text(scratch / "file", "content");
  refuse(errc::io_failure, "", "expected the name of a folder");
  refuse(errc::io_failure, scratch / "file", "file: cannot be made: ");
  refuse(errc::io_failure, scratch / "file" / "new", "new: cannot be made: ");
  refuse(errc::invalid_argument, scratch / "input", "b: cannot be written: it is read, too");
  CHECK_FALSE(std::filesystem::exists(scratch / "input"));
  std::filesystem::create_directory(scratch / "folder" / "b");
  refuse(errc::io_failure, scratch / "folder", "b: cannot be written: expected a file or a new name, got a folder");
#ifdef __linux__
  refuse(errc::io_failure, "/proc/luq-output", "/proc/luq-output: cannot be made: ");
#endif
}

}  // namespace

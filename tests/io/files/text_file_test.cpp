// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/io/files/text_file.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>

#include "io/io_test_support.hpp"
#include "luq/io/files/detail/input_file.hpp"

using luq_test::read_text;

namespace {

TEST_CASE("whole texts, and names without a directory or of full length") {
  const luq_test::scratch_directory scratch;
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(scratch.path());
  luq::write_text_file("plain", "content");
  luq::write_text_file("plain", "");
  luq::write_text_file(std::string(255, 'n'), "long");
  std::filesystem::current_path(before);
  CHECK(read_text(scratch / "plain").empty());
  CHECK(read_text(scratch / std::string(255, 'n')) == "long");
  CHECK(scratch.size() == 2);
}

#if LUQ_IO_HAS_POSIX

TEST_CASE("a text that does not fit leaves the old one") {
  const luq_test::scratch_directory scratch;
  luq::write_text_file(scratch / "a", "old content");
  {
    const luq_test::file_size_limit limit(4096);
    luq_test::check_fails(luq::errc::io_failure, "a: cannot reserve 10000 bytes: ", [&] {
      luq::write_text_file(scratch / "a", std::string(10'000, 'x'));
    });
  }
  CHECK(read_text(scratch / "a") == "old content");
  CHECK(scratch.size() == 1);
}

#endif

}  // namespace

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Runs luq-vlm as a user would, with both of its outputs caught.
#pragma once

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "engine_test_support.hpp"

namespace vlm_test {

struct program_result {
  int exit_code;  ///< negative: minus the signal that ended it
  std::string out;
  std::string err;
};

/// @param device  where standard output goes instead; nothing of it is then in the result
inline program_result run_program(std::vector<std::string> arguments, const std::string& device = "") {
  const scratch_directory directory;
  const std::string out = device.empty() ? (directory.path() / "out").string() : device;
  const std::string err = (directory.path() / "err").string();
  arguments.insert(arguments.begin(), LUQ_VLM);
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  REQUIRE(posix_spawn_file_actions_init(&actions) == 0);
  constexpr int flags = O_CREAT | O_WRONLY | O_TRUNC;
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out.c_str(), flags, 0600);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, err.c_str(), flags, 0600);
  pid_t child = 0;
  const int failure = posix_spawn(&child, LUQ_VLM, &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  REQUIRE(failure == 0);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);

  const auto content = [](const std::string& path) {
    std::ifstream stream(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(stream), {});
  };
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), device.empty() ? content(out) : "",
          content(err)};
}

/// Checks that a command ends with one short line on standard error, which has all of the fragments.
/// @return the line
inline std::string check_refused(const std::vector<std::string>& arguments, const std::vector<std::string>& fragments) {
  std::string line = "luq-vlm";
  for (const std::string& argument : arguments) line += " " + argument;
  CAPTURE(line);
  const program_result result = run_program(arguments);
  CAPTURE(result.err);
  CHECK(result.exit_code > 0);
  CHECK(result.out.empty());
  CHECK(result.err.starts_with("luq-vlm: "));
  CHECK(std::ranges::count(result.err, '\n') == 1);
  CHECK(result.err.ends_with('\n'));
  CHECK(result.err.size() < 400);
  for (const std::string& fragment : fragments) {
    CAPTURE(fragment);
    CHECK(result.err.find(fragment) != std::string::npos);
  }
  return result.err;
}

}  // namespace vlm_test

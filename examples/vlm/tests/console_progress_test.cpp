// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "app/console_progress.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <optional>
#include <regex>
#include <stdexcept>
#include <thread>

#include "engine_test_support.hpp"

namespace {

/// Standard error goes to another descriptor as long as this lives.
class redirected_stderr {
 public:
  explicit redirected_stderr(int target) : saved_(dup(STDERR_FILENO)) {
    REQUIRE(saved_ >= 0);
    REQUIRE(dup2(target, STDERR_FILENO) >= 0);
  }
  redirected_stderr(const redirected_stderr&) = delete;
  redirected_stderr& operator=(const redirected_stderr&) = delete;
  ~redirected_stderr() {
    std::fflush(stderr);
    dup2(saved_, STDERR_FILENO);
    close(saved_);
  }

 private:
  int saved_;
};

/// What action() writes to standard error, a file.
template <class Action>
std::string written_to_file(Action&& action) {
  const vlm_test::scratch_directory directory;
  const std::filesystem::path path = directory.path() / "stderr";
  const int file = open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  REQUIRE(file >= 0);
  {
    const redirected_stderr redirection(file);
    action();
  }
  close(file);
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// What action() writes to standard error, a terminal.
template <class Action>
std::string written_to_terminal(Action&& action) {
  const int terminal = posix_openpt(O_RDWR | O_NOCTTY);
  REQUIRE(terminal >= 0);
  REQUIRE(grantpt(terminal) == 0);
  REQUIRE(unlockpt(terminal) == 0);
  const int end = open(ptsname(terminal), O_RDWR | O_NOCTTY);
  REQUIRE(end >= 0);
  {
    const redirected_stderr redirection(end);
    action();
  }
  close(end);
  std::string text;
  char buffer[1024];
  for (ssize_t count = 0; (count = read(terminal, buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(count));
  }
  close(terminal);
  return text;
}

/// Gives TERM another value as long as this lives; null removes it.
class terminal_type {
 public:
  explicit terminal_type(const char* value) {
    if (const char* const old = getenv("TERM")) saved_ = old;
    set(value);
  }
  terminal_type(const terminal_type&) = delete;
  terminal_type& operator=(const terminal_type&) = delete;
  ~terminal_type() { set(saved_ ? saved_->c_str() : nullptr); }

 private:
  static void set(const char* value) {
    if (value != nullptr) {
      setenv("TERM", value, 1);
    } else {
      unsetenv("TERM");
    }
  }

  std::optional<std::string> saved_;
};

/// Two tasks, in steps long enough to be drawn.
void work(std::chrono::milliseconds line_interval = std::chrono::minutes(1)) {
  vlm::console_progress progress(line_interval);
  {
    luq::progress_scope scope(&progress, "first task", 4);
    for (int i = 0; i < 2; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(110));
      scope.advance(2);
    }
  }
  const luq::progress_scope scope(&progress, "of no units", 0);
}

void fail_in_a_task() {
  vlm::console_progress progress;
  try {
    luq::progress_scope scope(&progress, "failing task", 4);
    scope.advance(1);
    throw std::runtime_error("the reason");
  } catch (const std::runtime_error&) {
  }
}

/// A task that is begun and finished while an exception is in flight.
struct works_when_destroyed {
  ~works_when_destroyed() {
    vlm::console_progress progress;
    const luq::progress_scope scope(&progress, "cleaning up", 1);
  }
};

}  // namespace

TEST_CASE("one plain line for each finished task where there is no terminal") {
  const terminal_type type("xterm");
  const std::string text = written_to_file([] { work(); });
  CAPTURE(text);
  CHECK(std::regex_match(text, std::regex("first task: 0\\.[2-9] s\nof no units: 0\\.0 s\n")));
}

TEST_CASE("lines of a long task at intervals where there is no terminal, none of a task that is all done") {
  const terminal_type type("xterm");
  const std::string text = written_to_file([] { work(std::chrono::milliseconds(100)); });
  CAPTURE(text);
  CHECK(std::regex_match(text,
                         std::regex("first task: 50 %, 0 s left\nfirst task: 0\\.[2-9] s\nof no units: 0\\.0 s\n")));
}

TEST_CASE("plain lines on a terminal that cannot redraw one") {
  for (const char* value : {"dumb", "", static_cast<const char*>(nullptr)}) {
    const terminal_type type(value);
    const std::string text = written_to_terminal([] { work(); });
    CAPTURE(text);
    CHECK(std::regex_match(text, std::regex("first task: 0\\.[2-9] s\r\nof no units: 0\\.0 s\r\n")));
  }
}

TEST_CASE("a bar with the time left on a terminal, and the line of the task in its place") {
  const terminal_type type("xterm");
  const std::string text = written_to_terminal([] { work(); });
  CAPTURE(text);
  const std::string clear = "\r\033[K";
  const std::string empty = clear + "first task [..............................]   0 %" + clear;
  CHECK(text.starts_with(empty));
  CHECK(text.find("first task [###############...............]  50 %, 0 s left" + clear) != std::string::npos);
  CHECK(text.find("first task [##############################] 100 %, 0 s left" + clear + "first task: 0.") !=
        std::string::npos);
  CHECK(text.find(clear + "of no units [..............................]   0 %" + clear + "of no units: 0.0 s\r\n") !=
        std::string::npos);
}

TEST_CASE("a task that an exception ends leaves no line") {
  const terminal_type type("xterm");
  CHECK(written_to_file(fail_in_a_task).empty());
  const std::string text = written_to_terminal(fail_in_a_task);
  CHECK(text.ends_with("\r\033[K"));
  CHECK(text.find('\n') == std::string::npos);
}

TEST_CASE("a task that is finished while an exception is in flight has its line") {
  const std::string text = written_to_file([] {
    try {
      const works_when_destroyed cleaner;
      throw std::runtime_error("the reason");
    } catch (const std::runtime_error&) {
    }
  });
  CHECK(text == "cleaning up: 0.0 s\n");
}

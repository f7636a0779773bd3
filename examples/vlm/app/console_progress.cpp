// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "console_progress.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <exception>

#include "report/document.hpp"

namespace vlm {

namespace {

constexpr auto redraw_interval = std::chrono::milliseconds(100);
constexpr int bar_width = 30;
constexpr const char* clear_line = "\r\033[K";

}  // namespace

console_progress::console_progress() : terminal_(isatty(STDERR_FILENO) != 0) {}

void console_progress::begin(std::string_view task, std::uint64_t units) {
  task_ = task;
  units_ = units;
  done_ = 0;
  exceptions_ = std::uncaught_exceptions();
  started_ = drawn_ = clock::now();
  if (terminal_) draw();
}

void console_progress::advance(std::uint64_t units) {
  done_ += units;
  const auto now = clock::now();
  if (terminal_ && now - drawn_ >= redraw_interval) {
    drawn_ = now;
    draw();
  }
}

void console_progress::end() {
  if (terminal_) std::fputs(clear_line, stderr);
  if (std::uncaught_exceptions() > exceptions_) return;
  std::fprintf(stderr, "%s: %s s\n", task_.c_str(), fixed(elapsed_seconds(), 1).c_str());
}

void console_progress::draw() const {
  const double share = units_ == 0 ? 0.0 : static_cast<double>(std::min(done_, units_)) / static_cast<double>(units_);
  const int filled = static_cast<int>(share * bar_width);
  std::string bar(static_cast<std::size_t>(filled), '#');
  bar.resize(bar_width, '.');
  std::fprintf(stderr, "%s%s [%s] %3.0f %%", clear_line, task_.c_str(), bar.c_str(), 100 * share);
  if (share > 0) std::fprintf(stderr, ", %.0f s left", elapsed_seconds() * (1 - share) / share);
  std::fflush(stderr);
}

double console_progress::elapsed_seconds() const {
  return std::chrono::duration<double>(clock::now() - started_).count();
}

}  // namespace vlm

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "console_progress.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>

#include "../report/document.hpp"

namespace vlm {

namespace {

constexpr auto redraw_interval = std::chrono::milliseconds(100);
constexpr int bar_width = 30;
constexpr const char* clear_line = "\r\033[K";

/// Whether standard error is a terminal that knows the sequences of clear_line.
bool can_redraw() {
  const char* const terminal = std::getenv("TERM");
  return isatty(STDERR_FILENO) != 0 && terminal != nullptr && *terminal != '\0' && std::string_view(terminal) != "dumb";
}

}  // namespace

console_progress::console_progress(std::chrono::milliseconds line_interval)
    : draws_bars_(can_redraw()), interval_(draws_bars_ ? redraw_interval : line_interval) {}

void console_progress::begin(std::string_view task, std::uint64_t units) {
  task_ = task;
  units_ = units;
  done_ = 0;
  exceptions_ = std::uncaught_exceptions();
  started_ = shown_ = clock::now();
  if (draws_bars_) draw();
}

void console_progress::advance(std::uint64_t units) {
  done_ += units;
  const auto now = clock::now();
  if (now - shown_ < interval_) return;
  shown_ = now;
  if (draws_bars_) {
    draw();
  } else if (done_ < units_) {
    print_line();
  }
}

void console_progress::end() {
  if (draws_bars_) std::fputs(clear_line, stderr);
  if (std::uncaught_exceptions() > exceptions_) return;
  std::fprintf(stderr, "%s: %s s\n", task_.c_str(), fixed(elapsed_seconds(), 1).c_str());
}

void console_progress::draw() const {
  const double share = share_done();
  const int filled = static_cast<int>(share * bar_width);
  std::string bar(static_cast<std::size_t>(filled), '#');
  bar.resize(bar_width, '.');
  std::fprintf(stderr, "%s%s [%s] %3.0f %%", clear_line, task_.c_str(), bar.c_str(), 100 * share);
  print_time_left();
  std::fflush(stderr);
}

void console_progress::print_line() const {
  std::fprintf(stderr, "%s: %.0f %%", task_.c_str(), 100 * share_done());
  print_time_left();
  std::fputs("\n", stderr);
}

void console_progress::print_time_left() const {
  const double share = share_done();
  if (share > 0) std::fprintf(stderr, ", %.0f s left", elapsed_seconds() * (1 - share) / share);
}

double console_progress::share_done() const {
  return units_ == 0 ? 0.0 : static_cast<double>(std::min(done_, units_)) / static_cast<double>(units_);
}

double console_progress::elapsed_seconds() const {
  return std::chrono::duration<double>(clock::now() - started_).count();
}

}  // namespace vlm

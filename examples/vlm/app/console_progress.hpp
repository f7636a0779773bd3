// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Shows progress on standard error. On a terminal: a bar with the time left, redrawn in its line. Elsewhere, as in the
// log file of a job, and on a terminal that cannot move its cursor (TERM is dumb or not set): plain lines, one for each
// finished task, and in a long task one a minute with the share that is done. There are no colours.
//
// A task that an exception ends leaves no bar: what follows is its error.
#pragma once

#include <chrono>
#include <cstdint>
#include <luq/core/progress.hpp>
#include <string>

namespace vlm {

class console_progress : public luq::progress_observer {
 public:
  /// @param line_interval  between plain lines of a task that is not finished
  explicit console_progress(std::chrono::milliseconds line_interval = std::chrono::minutes(1));

  void begin(std::string_view task, std::uint64_t units) override;
  void advance(std::uint64_t units) override;
  void end() override;

 private:
  using clock = std::chrono::steady_clock;

  void draw() const;
  void print_line() const;
  [[nodiscard]] double share_done() const;
  void print_time_left() const;
  [[nodiscard]] double elapsed_seconds() const;

  bool draws_bars_;
  clock::duration interval_;  // between two bars, or between two lines
  std::string task_;
  std::uint64_t units_ = 0;
  std::uint64_t done_ = 0;
  int exceptions_ = 0;  // in flight when the task began
  clock::time_point started_;
  clock::time_point shown_;
};

}  // namespace vlm

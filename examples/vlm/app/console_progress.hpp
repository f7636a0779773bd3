// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Shows progress on standard error: a bar with an ETA on a terminal, one plain line per finished task elsewhere.
// A task that an exception ends leaves nothing: what follows is its error.
#pragma once

#include <chrono>
#include <cstdint>
#include <luq/core/progress.hpp>
#include <string>

namespace vlm {

class console_progress : public luq::progress_observer {
 public:
  console_progress();

  void begin(std::string_view task, std::uint64_t units) override;
  void advance(std::uint64_t units) override;
  void end() override;

 private:
  using clock = std::chrono::steady_clock;

  void draw() const;
  [[nodiscard]] double elapsed_seconds() const;

  bool terminal_;
  std::string task_;
  std::uint64_t units_ = 0;
  std::uint64_t done_ = 0;
  int exceptions_ = 0;  // in flight when the task began
  clock::time_point started_;
  clock::time_point drawn_;
};

}  // namespace vlm

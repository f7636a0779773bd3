// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// How long work tells its caller how far it has come. The library never prints: the caller passes an observer, and
// the number of units is known before the work begins, so that an ETA is honest. A unit is what takes about equal
// time (a token, a column block, a question), not a step of unknown size.
#pragma once

#include <cstdint>
#include <string_view>

namespace luq {

/// Receives the progress of one task at a time, from the thread that called the library.
class progress_observer {
 public:
  virtual ~progress_observer() = default;
  virtual void begin(std::string_view task, std::uint64_t units) = 0;
  virtual void advance(std::uint64_t units) = 0;
  virtual void end() = 0;
};

/// begin() when made, end() when destroyed; silent without an observer, so callees need no null checks.
class progress_scope {
 public:
  progress_scope(progress_observer* observer, std::string_view task, std::uint64_t units) : observer_(observer) {
    if (observer_ != nullptr) observer_->begin(task, units);
  }
  progress_scope(const progress_scope&) = delete;
  progress_scope& operator=(const progress_scope&) = delete;
  ~progress_scope() {
    if (observer_ != nullptr) observer_->end();
  }

  void advance(std::uint64_t units = 1) {
    if (observer_ != nullptr) observer_->advance(units);
  }

 private:
  progress_observer* observer_;
};

}  // namespace luq

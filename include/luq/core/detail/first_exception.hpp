// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The exception of the smallest task, for executors whose threads must not let one escape.
#pragma once

#include <exception>

#include "luq/core/index.hpp"

namespace luq::detail {

class first_exception {
 public:
  /// Call under a lock, inside a catch block.
  void record(index task) {
    if (!exception_ || task < task_) {
      task_ = task;
      exception_ = std::current_exception();
    }
  }

  void rethrow_if_any() const {
    if (exception_) std::rethrow_exception(exception_);
  }

 private:
  index task_ = 0;
  std::exception_ptr exception_;
};

}  // namespace luq::detail

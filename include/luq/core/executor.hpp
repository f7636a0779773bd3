// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Where threads come from. The library starts none: long work takes an executor from the caller and hands it
// independent tasks. Every algorithm cuts its work into tasks by the size of the problem, never by the number of
// threads, so its result is the same bits on any executor.
#pragma once

#include <concepts>
#include <exception>

#include "luq/core/index.hpp"

namespace luq {

namespace detail {
struct example_task {
  void operator()(index) const {}
};
}  // namespace detail

/// `executor.parallel_for(count, task)` calls task(i) once for each i in [0, count), in any order and on any thread,
/// and returns when all calls have returned. A task that throws makes the call throw that exception after the others
/// have ended (of several, the one of the smallest i). `concurrency()` is how many tasks may run at once, a hint.
template <class E>
concept Executor = std::copy_constructible<E> && requires(const E& executor, index count, detail::example_task task) {
  { executor.concurrency() } -> std::convertible_to<int>;
  executor.parallel_for(count, task);
};

/// Runs every task on the calling thread, in order.
struct serial_executor {
  [[nodiscard]] int concurrency() const noexcept { return 1; }

  template <std::invocable<index> Task>
  void parallel_for(index count, Task&& task) const {
    for (index i = 0; i < count; ++i) task(i);
  }
};

static_assert(Executor<serial_executor>);

namespace detail {

/// Keeps the exception of the smallest task, for executors whose threads must not let one escape.
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

}  // namespace detail
}  // namespace luq

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Where threads come from. The library starts none: long work takes an executor from the caller and hands it
// independent tasks. Every algorithm cuts its work into tasks by the size of the problem, never by the number of
// threads, so its result is the same bits on any executor.
#pragma once

#include <concepts>
#include <type_traits>

#include "luq/core/detail/task_ref.hpp"
#include "luq/core/index.hpp"

namespace luq {

/// `executor.parallel_for(count, task)` calls task(i) once for each i in [0, count), in any order and on any thread,
/// and returns when all calls have returned. A task that throws makes the call throw that exception after the others
/// have ended (of several, the one of the smallest i). `concurrency()` is how many tasks may run at once, a hint.
template <class E>
concept Executor = std::copy_constructible<E> && requires(const E& executor, index count, detail::task_ref task) {
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

/// A view of any executor, of one type: what functions of the library take, so that they need not be templates. It is
/// made from an executor where a function is called, and must not outlive it. A default one runs serially.
class executor_ref {
 public:
  executor_ref() noexcept : executor_ref(serial) {}

  template <class E>
  requires(!std::same_as<E, executor_ref>) && Executor<E>
  executor_ref(const E& executor) noexcept  // implicit: callers pass executors
      : executor_(&executor),
        concurrency_([](const void* e) { return static_cast<int>(static_cast<const E*>(e)->concurrency()); }),
        parallel_for_([](const void* e, index count, detail::task_ref task) {
          static_cast<const E*>(e)->parallel_for(count, task);
        }) {}

  [[nodiscard]] int concurrency() const { return concurrency_(executor_); }

  template <std::invocable<index> Task>
  void parallel_for(index count, Task&& task) const {
    parallel_for_(executor_, count, detail::task_ref(task));
  }

 private:
  static constexpr serial_executor serial{};

  const void* executor_;
  int (*concurrency_)(const void*);
  void (*parallel_for_)(const void*, index, detail::task_ref);
};

static_assert(Executor<executor_ref>);

}  // namespace luq

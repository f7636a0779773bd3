// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/core/executor.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "luq/core/error.hpp"
#include "luq/core/openmp_executor.hpp"

using luq::openmp_executor;
using luq::serial_executor;

namespace {

struct without_concurrency {
  template <class Task>
  void parallel_for(luq::index, Task&&) const {}
};
struct without_parallel_for {
  [[nodiscard]] int concurrency() const { return 1; }
};
static_assert(!luq::Executor<without_concurrency>);
static_assert(!luq::Executor<without_parallel_for>);

/// Calls check with every executor that is shipped, on one thread and on more than there are cores to spare.
template <class Check>
void for_each_executor(Check&& check) {
  check(serial_executor{});
  for (const int threads : {0, 1, 2, 3, 7}) {
    CAPTURE(threads);
    check(openmp_executor{threads});
  }
}

}  // namespace

TEST_CASE("every task runs once") {
  for_each_executor([](const auto& executor) {
    for (const luq::index count : {0, 1, 2, 3, 100, 1001}) {
      CAPTURE(count);
      std::vector<int> calls(static_cast<std::size_t>(count), 0);
      executor.parallel_for(count, [&](luq::index i) { ++calls[static_cast<std::size_t>(i)]; });
      CHECK(std::all_of(calls.begin(), calls.end(), [](int c) { return c == 1; }));
    }
  });
}

TEST_CASE("a reference runs tasks as the executor that it was made from") {
  for_each_executor([](const auto& executor) {
    const luq::executor_ref reference = executor;
    const luq::executor_ref copy = reference;  // refers to the executor, not to the other reference
    CHECK(copy.concurrency() == executor.concurrency());
    std::vector<int> calls(1001, 0);
    copy.parallel_for(1001, [&](luq::index i) { ++calls[static_cast<std::size_t>(i)]; });
    CHECK(std::all_of(calls.begin(), calls.end(), [](int c) { return c == 1; }));
    CHECK_THROWS_WITH_AS(copy.parallel_for(9, [](luq::index i) { luq::fail(luq::errc::non_finite, "task ", i); }),
                         "task 0", luq::error);
  });
}

TEST_CASE("a reference to no executor runs tasks in order on the calling thread") {
  std::vector<luq::index> order;
  const luq::executor_ref reference;
  CHECK(reference.concurrency() == 1);
  reference.parallel_for(5, [&](luq::index i) { order.push_back(i); });
  CHECK(order == std::vector<luq::index>{0, 1, 2, 3, 4});
}

TEST_CASE("an exception of a task reaches the caller, that of the smallest task if there are several") {
  for_each_executor([](const auto& executor) {
    std::string message;
    try {
      executor.parallel_for(100, [](luq::index i) {
        if (i % 10 == 7) luq::fail(luq::errc::non_finite, "task ", i);
      });
    } catch (const luq::error& e) {
      CHECK(e.code() == luq::errc::non_finite);
      message = e.what();
    }
    CHECK(message == "task 7");
  });
}

TEST_CASE("an executor works again after an exception") {
  for_each_executor([](const auto& executor) {
    CHECK_THROWS_AS(executor.parallel_for(3, [](luq::index) { throw std::runtime_error("once"); }), std::runtime_error);
    std::vector<int> calls(3, 0);
    executor.parallel_for(3, [&](luq::index i) { ++calls[static_cast<std::size_t>(i)]; });
    CHECK(calls == std::vector<int>{1, 1, 1});
  });
}

TEST_CASE("on several threads the other tasks end before an exception is thrown on") {
  std::vector<int> calls(64, 0);
  CHECK_THROWS_AS(openmp_executor{4}.parallel_for(64,
                                                  [&](luq::index i) {
                                                    ++calls[static_cast<std::size_t>(i)];
                                                    if (i == 0) throw std::runtime_error("first");
                                                  }),
                  std::runtime_error);
#ifdef _OPENMP
  CHECK(calls == std::vector<int>(64, 1));
#endif
}

TEST_CASE("concurrency says how many tasks may run at once") {
  CHECK(serial_executor{}.concurrency() == 1);
  CHECK(openmp_executor{}.concurrency() >= 1);
#ifdef _OPENMP
  CHECK(openmp_executor{3}.concurrency() == 3);

  // Three tasks on three threads are one contiguous range of one task each.
  std::vector<std::thread::id> ids(3);
  openmp_executor{3}.parallel_for(3,
                                  [&](luq::index i) { ids[static_cast<std::size_t>(i)] = std::this_thread::get_id(); });
  std::sort(ids.begin(), ids.end());
  CHECK(std::unique(ids.begin(), ids.end()) - ids.begin() == 3);
#else
  CHECK(openmp_executor{3}.concurrency() == 1);
#endif
}

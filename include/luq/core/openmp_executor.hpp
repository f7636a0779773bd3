// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// An executor on OpenMP threads. Compiled without OpenMP it runs serially, so a program need not care. Each thread
// gets one contiguous range of tasks: the hardware prefetcher restarts at every jump, and interleaved chunks have
// been measured at 1.5 times the duration of contiguous halves for memory-bound products.
#pragma once

#ifdef _OPENMP
#include <omp.h>
#endif

#include "luq/core/detail/first_exception.hpp"
#include "luq/core/executor.hpp"

namespace luq {

struct openmp_executor {
  int threads = 0;  ///< number of threads; 0 takes OpenMP's own default (OMP_NUM_THREADS, else all cores)

  [[nodiscard]] int concurrency() const noexcept {
#ifdef _OPENMP
    return threads > 0 ? threads : omp_get_max_threads();
#else
    return 1;
#endif
  }

  template <std::invocable<index> Task>
  void parallel_for(index count, Task&& task) const {
#ifdef _OPENMP
    if (count == 1) {  // OpenMP would wake its threads
      task(index{0});
      return;
    }
#if defined(__cpp_exceptions)
    detail::first_exception failure;
#pragma omp parallel for schedule(static) num_threads(concurrency()) if (count > 1)
    for (index i = 0; i < count; ++i) {
      try {
        task(i);
      } catch (...) {
#pragma omp critical(luq_openmp_executor_failure)
        failure.record(i);
      }
    }
    failure.rethrow_if_any();
#else
#pragma omp parallel for schedule(static) num_threads(concurrency()) if (count > 1)
    for (index i = 0; i < count; ++i) task(i);
#endif
#else
    serial_executor{}.parallel_for(count, task);
#endif
  }
};

static_assert(Executor<openmp_executor>);

}  // namespace luq

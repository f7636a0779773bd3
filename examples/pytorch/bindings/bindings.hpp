// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The parts of the Python module, one for each source file that binds something, and what they share.
#pragma once

#include <nanobind/nanobind.h>

#include <luq/core/openmp_executor.hpp>
#include <utility>

namespace luq_python {

void bind_errors(nanobind::module_& module);
void bind_execution(nanobind::module_& module);
void bind_estimators(nanobind::module_& module);
void bind_packed_matrix(nanobind::module_& module);
void bind_quantize(nanobind::module_& module);
void bind_plan(nanobind::module_& module);
void bind_packed_model(nanobind::module_& module);
void bind_output_check(nanobind::module_& module);

/// The executor of all long calls, with as many threads as set_threads() said.
[[nodiscard]] luq::openmp_executor current_executor();

/// Runs long work that touches nothing of Python, so that other threads of Python can run meanwhile.
template <class Work>
auto without_interpreter(Work&& work) {
  const nanobind::gil_scoped_release unlocked;
  return std::forward<Work>(work)();
}

}  // namespace luq_python

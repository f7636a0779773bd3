// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Threads and kernels of all calls.
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <atomic>
#include <luq/core/error.hpp>
#include <luq/core/version.hpp>
#include <luq/kernels/dispatch.hpp>
#include <string>
#include <vector>

#include "bindings.hpp"

namespace luq_python {

namespace nb = nanobind;
using namespace nb::literals;

namespace {

constexpr int most_threads = 1024;
std::atomic<int> threads{0};

}  // namespace

luq::openmp_executor current_executor() {
  return {threads.load()};
}

void bind_execution(nb::module_& module) {
  module.def(
      "set_threads",
      [](int count) {
        if (count < 0 || count > most_threads) {
          luq::fail(luq::errc::invalid_argument, "threads: expected 0 ... ", most_threads, ", got ", count);
        }
        threads = count;
      },
      "count"_a, "Sets the threads of all calls; 0 takes OpenMP's default. No result depends on it.");
  module.def("threads", [] { return current_executor().concurrency(); }, "The threads that calls use.");
  module.def(
      "kernels",
      [] {
        std::vector<std::string> names;
        for (const auto& kernels : luq::dispatch::implementations()) names.emplace_back(kernels.name);
        return names;
      },
      "The kernels that this machine can run, best first. LUQ_KERNELS in the environment chooses one.");
  module.def(
      "current_kernels", [] { return std::string(luq::dispatch::current().name); }, "The kernels that products use.");
  module.attr("__version__") = std::to_string(LUQ_VERSION_MAJOR) + "." + std::to_string(LUQ_VERSION_MINOR) + "." +
                               std::to_string(LUQ_VERSION_PATCH);
}

}  // namespace luq_python

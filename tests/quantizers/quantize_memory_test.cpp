// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The peak memory of quantizing a linear, as the operating system counts it: the weights in float, one Hessian, and
// less than 15 per cent more, packed result included. A copy of either matrix would be 50 per cent.
#include <doctest/doctest.h>

#if __has_include(<malloc.h>)
#include <malloc.h>
#endif

#include <fstream>
#include <string>

#include "luq/codecs/int_codec.hpp"
#include "luq/core/openmp_executor.hpp"
#include "luq/core/random_matrix.hpp"
#include "luq/quantizers/gptq.hpp"
#include "luq/quantizers/quantize.hpp"

namespace {

constexpr luq::index side = 4096;  // square and of moderate size: larger linears leave more room for what is constant

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__OPTIMIZE__)
constexpr bool measurable = false;  // sanitizers hold freed memory back, and a debug build would take minutes
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool measurable = false;
#else
constexpr bool measurable = true;
#endif
#else
constexpr bool measurable = true;
#endif

/// A line of /proc/self/status in MiB; 0 where there is none.
double status_mib(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(key + ":")) return std::stod(line.substr(key.size() + 1)) / 1024;
  }
  return 0;
}

/// Makes the present size the peak size. Returns false where the system does not allow that.
bool reset_peak() {
  std::ofstream clear("/proc/self/clear_refs");
  clear << "5" << std::flush;
  return clear.good() && status_mib("VmHWM") > 0;
}

/// Peak growth while `action` runs, as a share of weights and Hessian.
template <class Action>
double extra_memory(Action&& action) {
#ifdef __GLIBC__
  malloc_trim(0);  // what earlier work has freed must not hide what this one takes
#endif
  const double before = status_mib("VmRSS");
  REQUIRE(reset_peak());
  action();
  return (status_mib("VmHWM") - before) / (2.0 * side * side * sizeof(float) / 1024 / 1024);
}

luq::hessian make_hessian() {
  luq::hessian H(side);
  H.add(luq::random_normal_matrix(512, side, luq::counter_rng(1)), luq::openmp_executor{.threads = 2});
  return H;
}

}  // namespace

TEST_CASE("quantizing takes the weights, the Hessian given away, and less than 15 per cent" *
          doctest::skip(!measurable || !reset_peak())) {
  const luq::matrix W = luq::random_normal_matrix(side, side, luq::counter_rng(2));
  const luq::openmp_executor executor{.threads = 2};
  const luq::int_codec<4> codec;
  for (const auto order : {luq::column_order::natural, luq::column_order::activation}) {
    CAPTURE(static_cast<int>(order));
    const luq::gptq quantizer{.order = order};
    luq::hessian H = make_hessian();
    const double given = extra_memory([&] {
      const luq::linear_inputs inputs(
          luq::factorize_in_order(std::move(H).matrix(), quantizer.factor_options_of(codec.group), executor));
      const auto result = luq::quantize({W, inputs}, codec, quantizer, {.executor = executor});
      CHECK(result.bits_per_weight() == 4.15625);
    });
    MESSAGE("Hessian given away: " << 100 * given << " per cent more");
    CHECK(given < 0.15);
    CHECK(given > 0.03);  // the packed result alone is 6.5 per cent: something was measured
  }
  // What the measurement says where there is a copy.
  const luq::linear_inputs inputs(make_hessian());
  const double kept =
      extra_memory([&] { (void)luq::quantize({W, inputs}, codec, luq::gptq{}, {.executor = executor}); });
  MESSAGE("Hessian kept: " << 100 * kept << " per cent more");
  CHECK(kept > 0.5);
}

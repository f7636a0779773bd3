// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Which products are measured, the same for luq and for its peers: linears of LLaVA-1.5-7B and Qwen2.5-VL-7B, numbers
// of tokens and of threads, and how many matrices are streamed.
//
// LUQ_BENCH_FOOTPRINT_MIB  bytes of the matrices that take turns, in MiB; 512 unless set
#pragma once

#include <benchmark/benchmark.h>

#include <charconv>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "luq/core/error.hpp"
#include "luq/core/openmp_executor.hpp"
#include "product_measurements.hpp"

namespace luq_bench {

inline constexpr const char* footprint_variable = "LUQ_BENCH_FOOTPRINT_MIB";

inline constexpr matrix_shape decode_shapes[] = {{4096, 4096}, {11008, 4096}, {4096, 11008}, {18944, 3584}};
inline constexpr matrix_shape prefill_shape{4096, 4096};
inline constexpr int prefill_tokens[] = {2, 3, 4, 6, 8, 12, 16, 32, 512};

/// One thread, and all of them where there are more.
inline std::vector<int> thread_counts() {
  const int all = luq::openmp_executor{}.concurrency();
  return all > 1 ? std::vector<int>{1, all} : std::vector<int>{1};
}

/// Least bytes of the matrices that take turns in streamed measurements.
/// @throws luq::error invalid_argument unless the variable is unset or a whole number from 1 to 2^20
inline std::size_t streamed_footprint() {
  const char* text = std::getenv(footprint_variable);
  int mebibytes = 512;
  if (text != nullptr) {
    const std::string_view digits(text);
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), mebibytes);
    if (failure != std::errc() || end != digits.data() + digits.size() || mebibytes < 1 || mebibytes > (1 << 20)) {
      luq::fail(luq::errc::invalid_argument, footprint_variable, ": expected MiB, 1 to 1048576, got \"", text, "\"");
    }
  }
  return static_cast<std::size_t>(mebibytes) << 20;
}

/// Calls decode(shape, threads) and prefill(shape, tokens, threads) for every case, those of one shape in a row.
/// @param prefill_of_all_shapes  else only of prefill_shape
template <class Decode, class Prefill>
void for_each_case(bool prefill_of_all_shapes, Decode&& decode, Prefill&& prefill) {
  for (const matrix_shape& shape : decode_shapes) {
    for (const int threads : thread_counts()) decode(shape, threads);
    if (shape != prefill_shape && !prefill_of_all_shapes) continue;
    for (const int threads : thread_counts()) {
      for (const int tokens : prefill_tokens) prefill(shape, tokens, threads);
    }
  }
}

/// Name of a measurement, such as "matmul/decode/int4:g128:sym/4096x4096/threads:1"; report.py takes it apart.
inline std::string product_name(const std::string& what, const std::string& format, const matrix_shape& shape,
                                const std::string& details) {
  return "matmul/" + what + "/" + format + "/" + shape.name() + "/" + details;
}

}  // namespace luq_bench

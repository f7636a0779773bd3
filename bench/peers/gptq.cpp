// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// peer.gptq DIRECTORY TOKENS IN OUT REPEATS     luq's side of gptq.py, which writes the files and reads the answer
//
// DIRECTORY holds W [OUT x IN] and X [TOKENS x IN] as raw float32, row by row. Prints the shortest time in milliseconds
// of accumulating the Hessian and of quantizing (factorisation, feedback, packing), and the relative output error.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <limits>
#include <string>
#include <utility>

#include "luq/codecs/int_codec.hpp"
#include "luq/core/openmp_executor.hpp"
#include "luq/estimators/hessian.hpp"
#include "luq/quantizers/gptq.hpp"
#include "luq/quantizers/output_error.hpp"
#include "luq/quantizers/quantize.hpp"

namespace {

luq::matrix read(const std::string& path, luq::index rows, luq::index cols) {
  luq::matrix result(rows, cols);
  std::ifstream file(path, std::ios::binary);
  const auto bytes = static_cast<std::streamsize>(result.size() * static_cast<luq::index>(sizeof(float)));
  if (!file.read(reinterpret_cast<char*>(result.data()), bytes)) {
    luq::fail(luq::errc::io_failure, path, ": expected ", bytes, " bytes");
  }
  return result;
}

template <class Action>
double milliseconds(Action&& action) {
  const auto start = std::chrono::steady_clock::now();
  action();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 6) {
    std::fprintf(stderr, "usage: peer.gptq DIRECTORY TOKENS IN OUT REPEATS\n");
    return 2;
  }
  const std::string directory = argv[1];
  const luq::index tokens = std::atol(argv[2]);
  const luq::index in = std::atol(argv[3]);
  const luq::index out = std::atol(argv[4]);
  const luq::matrix X = read(directory + "/X", tokens, in);
  const luq::matrix W = read(directory + "/W", out, in);
  const luq::openmp_executor executor;
  const luq::int_codec<4> codec{.group = 128};
  double accumulating = std::numeric_limits<double>::infinity();
  double quantizing = accumulating;
  double error = 0;
  for (int repeat = 0; repeat < std::atoi(argv[5]); ++repeat) {
    luq::hessian H(in);
    accumulating = std::min(accumulating, milliseconds([&] { H.add(X, executor); }));
    const luq::matrix kept = H.matrix();
    luq::matrix Q;
    quantizing =
        std::min(quantizing, milliseconds([&] {
                   const luq::gptq quantizer;
                   const luq::linear_inputs inputs(luq::factorize_in_order(
                       std::move(H).matrix(), quantizer.factor_options_of(codec.group), executor));
                   const auto result = luq::quantize({W, inputs}, codec, quantizer, {.executor = executor});
                   if (repeat == 0)
                     Q = result.packed.unpack().decode();  // the first time is warming up, and not the shortest
                 }));
    if (repeat == 0) error = luq::relative_output_error(W, Q, kept);
  }
  std::printf("%.1f %.1f %.6f\n", accumulating, quantizing, error);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "peer.gptq: %s\n", error.what());
  return 1;
}

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// luq's side of kmeans.py: clusters the tokens of a file and prints one line of JSON for each seed.
//
//   peer.kmeans FILE TOKENS WIDTH CLUSTERS MAX_ITERATIONS TOLERANCE SEEDS
//
// FILE is raw float32 [TOKENS x WIDTH].
#include "luq/estimators/kmeans.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>

#include "luq/core/openmp_executor.hpp"

int main(int argc, char** argv) {
  if (argc != 8) {
    std::cerr << "usage: peer.kmeans FILE TOKENS WIDTH CLUSTERS MAX_ITERATIONS TOLERANCE SEEDS\n";
    return 2;
  }
  luq::matrix X(std::atol(argv[2]), std::atol(argv[3]));
  std::ifstream file(argv[1], std::ios::binary);
  file.read(reinterpret_cast<char*>(X.data()), static_cast<std::streamsize>(sizeof(float)) * X.size());
  if (!file) {
    std::cerr << "peer.kmeans: " << argv[1] << " has fewer than " << X.size() << " numbers\n";
    return 1;
  }
  luq::kmeans_options options{
      .clusters = std::atol(argv[4]), .max_iterations = std::atoi(argv[5]), .tolerance = std::atof(argv[6])};
  for (; options.seed < std::strtoull(argv[7], nullptr, 10); ++options.seed) {
    const auto start = std::chrono::steady_clock::now();
    const luq::kmeans_result result = luq::kmeans(X, options, {}, luq::openmp_executor{});
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
    std::printf("{\"seconds\": %.4f, \"iterations\": %d, \"inertia\": %.9g}\n", time.count(), result.iterations,
                result.inertia);
    std::fflush(stdout);
  }
}

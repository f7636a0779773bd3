// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// luq's side of billm.py: quantizes a matrix by the published rule, writes it decoded, and prints one line of JSON for
// each run: seconds of the whole, and of search and codes alone (all groups of the matrix as given, nothing fed
// forward).
//
//   peer.billm W_FILE H_FILE Q_FILE ROWS COLUMNS RUNS
//
// Files are raw float32, [ROWS x COLUMNS] and, of the Hessian, [COLUMNS x COLUMNS].
#include "luq/quantizers/billm.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>

#include "luq/codecs/billm_codec.hpp"
#include "luq/core/openmp_executor.hpp"

namespace {

bool read(const char* path, luq::matrix& M) {
  std::ifstream file(path, std::ios::binary);
  file.read(reinterpret_cast<char*>(M.data()), static_cast<std::streamsize>(sizeof(float)) * M.size());
  if (!file) std::cerr << "peer.billm: " << path << " has fewer than " << M.size() << " numbers\n";
  return static_cast<bool>(file);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) {
    std::cerr << "usage: peer.billm W_FILE H_FILE Q_FILE ROWS COLUMNS RUNS\n";
    return 2;
  }
  luq::matrix W(std::atol(argv[4]), std::atol(argv[5]));
  luq::matrix H(W.cols(), W.cols());
  if (!read(argv[1], W) || !read(argv[2], H)) return 1;
  luq::matrix Q(W.rows(), W.cols());
  for (int run = 0; run < std::atoi(argv[6]); ++run) {
    const luq::basic_billm_codec<float> codec;
    luq::quantize_report report;
    const auto start = std::chrono::steady_clock::now();
    const luq::linear_inputs inputs = luq::linear_inputs::borrow(H);
    const auto coded = luq::billm{}({W, inputs}, codec, {.executor = luq::openmp_executor{}}, report);
    const std::chrono::duration<double> whole = std::chrono::steady_clock::now() - start;
    const luq::hessian_factor factor = luq::factorize_hessian(H, {});
    const auto search_start = std::chrono::steady_clock::now();
    luq::index salient = 0;
    for (luq::index first = 0; first < W.cols(); first += codec.group) {
      const luq::index columns = std::min(codec.group, W.cols() - first);
      const luq::coded_group group = luq::code_group(codec, W.middleCols(first, columns),
                                                     factor.importance(first, columns), luq::openmp_executor{});
      for (const auto column_class : group.parameters.column_class) salient += column_class;
    }
    const std::chrono::duration<double> search = std::chrono::steady_clock::now() - search_start;
    std::printf("{\"seconds\": %.4f, \"search\": %.4f, \"salient\": %td}\n", whole.count(), search.count(), salient);
    for (luq::index r = 0; r < W.rows(); ++r) {
      for (luq::index c = 0; c < W.cols(); ++c) Q(r, c) = coded.at(r, c);
    }
  }
  std::ofstream file(argv[3], std::ios::binary);
  file.write(reinterpret_cast<const char*>(Q.data()), static_cast<std::streamsize>(sizeof(float)) * Q.size());
  file.close();
  return file ? 0 : 1;
}

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Quality against true bits, as Markdown tables on standard output.
//
//   luq_frontier               weights alone: every codec on normal and Laplace weights, beside the formats of ggml
//   luq_frontier FILE...       layers: every codec under every quantizer on the linears of safetensors files with
//                              tensors `weight` [out x in] and `inputs` [... x in], such as tests/data/golden
//
// In the second, codes are chosen under the Hessian of all inputs (`error`), and once more under that of the first half
// of the tokens and judged under that of the second (`held out`); each quantizer also works in a rotated basis. Bits
// are those of the linear itself, and of one with 4096 inputs and outputs.
#include "frontier.hpp"

#include <algorithm>
#include <cmath>
#include <exception>

#include "ggml_formats.hpp"
#include "luq/codecs/hadamard_rotation.hpp"
#include "luq/core/random_matrix.hpp"
#include "luq/estimators/hessian.hpp"
#include "luq/io/safetensors/safetensors.hpp"

namespace {

using luq::matrix;
using luq_bench::linear;
using luq_bench::measurement;

void measure_all_codecs(measurement& m) {
  luq_bench::measure_trellis_codecs(m);
  luq_bench::measure_binary_codecs(m);
  luq_bench::measure_ternary_codecs(m);
  luq_bench::measure_pair_codecs(m);
  luq_bench::measure_integer_codecs(m);
  luq_bench::measure_lloyd_codecs(m);
}

/// Laplace variables of the standard deviation of `W`'s normal ones, which they are made from.
matrix laplace_weights(const matrix& W, float deviation) {
  return W.unaryExpr([deviation](float w) {
    const double u = 0.5 * std::erfc(-static_cast<double>(w / deviation) / std::sqrt(2.0));  // uniform in 0 ... 1
    const double magnitude = -std::log(std::max(1e-300, 2 * std::min(u, 1 - u))) / std::sqrt(2.0);
    return static_cast<float>((u < 0.5 ? -magnitude : magnitude) * static_cast<double>(deviation));
  });
}

void print_weight_table() {
  constexpr float deviation = 0.02f;
  measurement m;
  m.gauss = deviation * luq::random_normal_matrix(64, 4096, luq::counter_rng(1));
  m.laplace = laplace_weights(m.gauss, deviation);
  measure_all_codecs(m);
  for (const auto& format : luq_bench::ggml_formats) {
    m.lines.push_back({std::string("ggml ") + format.name, format.bits, format.gauss, format.laplace});
  }
  std::stable_sort(m.lines.begin(), m.lines.end(), [](const auto& a, const auto& b) { return a.bits < b.bits; });
  std::printf("| format | true bits | relative error, normal | Laplace | bound of a normal, 2^(-2 bits) |\n");
  std::printf("|---|---:|---:|---:|---:|\n");
  for (const auto& line : m.lines) {
    std::printf("| %s | %.3f | %.5f | %.5f | %.5f |\n", line.name.c_str(), line.bits, line.gauss, line.laplace,
                std::pow(2.0, -2 * line.bits));
  }
}

matrix hessian_of(const matrix& X) {
  luq::hessian H(X.cols());
  H.add(X);
  return H.matrix();
}

linear read_linear(const std::string& path) {
  const luq::safetensors_reader file(path);
  linear result;
  result.W = file.read_matrix("weight");
  const luq::index in = result.W.cols();
  const std::vector<float> values = file.read_floats("inputs");
  const matrix X = luq::view(values.data(), static_cast<luq::index>(values.size()) / in, in, in);
  result.H = hessian_of(X);
  result.seen = hessian_of(X.topRows(X.rows() / 2));
  result.held_out = hessian_of(X.bottomRows(X.rows() - X.rows() / 2));
  return result;
}

linear rotated(linear l) {
  const luq::hadamard_rotation rotation(l.W.cols(), {});
  rotation.transform_weights(l.W, luq::openmp_executor{});
  for (matrix* H : {&l.H, &l.seen, &l.held_out}) rotation.transform_hessian(*H, luq::openmp_executor{});
  l.basis = "rotated, ";
  l.basis_bytes = rotation.bytes();
  return l;
}

void print_layer_table(const std::string& path) {
  const linear own = read_linear(path);
  std::printf("\n%s, %td x %td\n\n", path.c_str(), own.W.rows(), own.W.cols());
  std::printf("| codec | quantizer | true bits | at 4096 x 4096 | error | held out |\n|---|---|---:|---:|---:|---:|\n");
  for (const linear& l : {own, rotated(own)}) {
    measurement m;
    m.layer = &l;
    measure_all_codecs(m);
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc == 1) print_weight_table();
    for (int i = 1; i < argc; ++i) print_layer_table(argv[i]);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "luq_frontier: %s\n", error.what());
    return 1;
  }
}

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
// of the tokens and judged under that of the second (`held out`). Bits are those of the linear itself, and of one with
// 4096 inputs and outputs, where a scale for a whole row costs what it costs in practice.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "ggml_formats.hpp"
#include "luq/codecs/billm_codec.hpp"
#include "luq/codecs/int_codec.hpp"
#include "luq/codecs/lloyd_codec.hpp"
#include "luq/codecs/lut2_codec.hpp"
#include "luq/codecs/sign_codec.hpp"
#include "luq/codecs/ternary_codec.hpp"
#include "luq/codecs/trellis_codec.hpp"
#include "luq/core/openmp_executor.hpp"
#include "luq/core/random.hpp"
#include "luq/estimators/hessian.hpp"
#include "luq/io/safetensors.hpp"
#include "luq/quantizers/beam_search.hpp"
#include "luq/quantizers/billm.hpp"
#include "luq/quantizers/gptq.hpp"
#include "luq/quantizers/output_error.hpp"
#include "luq/quantizers/quantize.hpp"
#include "luq/quantizers/refined.hpp"
#include "luq/quantizers/rotated.hpp"
#include "luq/quantizers/round_to_nearest.hpp"

namespace {

using luq::matrix;

/// Calls visit(codec) for each codec, at the groups that make sense for it, by rising bits.
template <class Visit>
void for_each_codec(Visit&& visit) {
  visit(luq::trellis_codec<2>{.group = luq::whole_row});
  visit(luq::trellis_codec<2>{.group = 128});
  visit(luq::sign_codec{});
  visit(luq::trellis_codec<3>{.group = luq::whole_row});
  visit(luq::ternary_codec{.group = 160});
  visit(luq::ternary_codec{});
  visit(luq::trellis_codec<4>{.group = luq::whole_row});
  visit(luq::trellis_codec<4>{.group = 128});
  visit(luq::lloyd_codec<2>{.group = 128});
  visit(luq::int_codec<2>{.range = luq::int_range::searched});
  visit(luq::lut2_codec{});
  visit(luq::billm_codec{});
  visit(luq::trellis_codec<8>{.group = luq::whole_row});
  visit(luq::lloyd_codec<3>{.group = 128});
  visit(luq::int_codec<3>{.range = luq::int_range::searched});
  visit(luq::lloyd_codec<3>{});
  visit(luq::trellis_codec<16>{.group = luq::whole_row});
  visit(luq::lloyd_codec<4>{.group = 128});
  visit(luq::int_codec<4>{.range = luq::int_range::searched});
  visit(luq::lloyd_codec<4>{});
}

template <class Codec>
double bits_of_large_matrix(const Codec& codec) {
  constexpr luq::index size = 4096;
  return 8.0 * static_cast<double>(codec.bytes(size, size)) / static_cast<double>(size * size);
}

double relative_error(const matrix& W, const matrix& Q) {
  return (W - Q).cast<double>().squaredNorm() / W.cast<double>().squaredNorm();
}

// Weights alone.

/// Laplace variables of the standard deviation of `W`'s normal ones, which they are made from.
matrix laplace_weights(const matrix& W, float deviation) {
  return W.unaryExpr([deviation](float w) {
    const double u = 0.5 * std::erfc(-static_cast<double>(w / deviation) / std::sqrt(2.0));  // uniform in 0 ... 1
    const double magnitude = -std::log(std::max(1e-300, 2 * std::min(u, 1 - u))) / std::sqrt(2.0);
    return static_cast<float>((u < 0.5 ? -magnitude : magnitude) * static_cast<double>(deviation));
  });
}

struct weight_row {
  std::string name;
  double bits;
  double gauss;
  double laplace;
};

void print_weight_table() {
  constexpr float deviation = 0.02f;
  const matrix gauss = deviation * luq::random_normal_matrix(64, 4096, luq::counter_rng(1));
  const matrix laplace = laplace_weights(gauss, deviation);
  std::vector<weight_row> rows;
  for_each_codec([&](const auto& codec) {
    const auto error = [&](const matrix& W) {
      return relative_error(W,
                            luq::quantize(W, codec, luq::round_to_nearest{}, luq::openmp_executor{}).unpack().decode());
    };
    rows.push_back({codec.name(), bits_of_large_matrix(codec), error(gauss), error(laplace)});
  });
  for (const auto& format : luq_bench::ggml_formats) {
    rows.push_back({std::string("ggml ") + format.name, format.bits, format.gauss, format.laplace});
  }
  std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.bits < b.bits; });
  std::printf("| format | true bits | relative error, normal | Laplace | bound of a normal, 2^(-2 bits) |\n");
  std::printf("|---|---:|---:|---:|---:|\n");
  for (const auto& row : rows) {
    std::printf("| %s | %.3f | %.5f | %.5f | %.5f |\n", row.name.c_str(), row.bits, row.gauss, row.laplace,
                std::pow(2.0, -2 * row.bits));
  }
}

// Layers.

struct linear {
  matrix W;
  matrix H;         // of all tokens
  matrix seen;      // of the first half
  matrix held_out;  // of the second
};

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

/// One line: quantizes twice. `quantize(W, H)` returns something with decode() in the original basis and its bits.
template <class Quantize>
void print_line(const linear& l, const std::string& codec, double large_bits, const char* how, Quantize&& quantize) {
  const auto [all, bits] = quantize(l.W, l.H);
  const auto [half, ignored] = quantize(l.W, l.seen);
  std::printf("| %s | %s | %.3f | %.3f | %.4f | %.4f |\n", codec.c_str(), how, bits, large_bits,
              luq::relative_output_error(l.W, all, l.H), luq::relative_output_error(l.W, half, l.held_out));
  std::fflush(stdout);
}

template <class Codec>
void print_codec(const linear& l, const Codec& codec) {
  const luq::openmp_executor executor;
  const auto plain = [&](const char* how, const auto& quantizer) {
    print_line(l, codec.name(), bits_of_large_matrix(codec), how, [&](const matrix& W, const matrix& H) {
      const auto packed = luq::pack(luq::quantize_codes(W, H, codec, quantizer, nullptr, executor));
      return std::pair(packed.unpack().decode(), packed.bits_per_weight());
    });
  };
  const auto rotated = [&](const char* how, const auto& quantizer) {
    print_line(l, codec.name(), bits_of_large_matrix(codec), how, [&](const matrix& W, const matrix& H) {
      const auto packed = luq::quantize_rotated(W, H, codec, quantizer, {}, nullptr, executor);
      return std::pair(packed.decode(), packed.bits_per_weight());
    });
  };
  plain("nearest", luq::round_to_nearest{});
  if constexpr (luq::SequenceCodec<Codec>) {
    plain("blocks, exact compensation", luq::billm{.compensation = luq::block_compensation::exact});
  } else {
    const luq::gptq activation{.order = luq::column_order::activation};
    if constexpr (Codec::column_classes > 1) {
      plain("block rule as published", luq::billm{});
      plain("block rule, exact compensation", luq::billm{.compensation = luq::block_compensation::exact});
    }
    plain("column feedback", luq::gptq{});
    plain("column feedback, activation order", activation);
    plain("refined", luq::refined<>{.start = activation});
    rotated("rotated, refined", luq::refined<>{.start = activation});
  }
  plain("beam search", luq::beam_search{});
  rotated("rotated, beam search", luq::beam_search{});
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc == 1) print_weight_table();
    for (int i = 1; i < argc; ++i) {
      const linear l = read_linear(argv[i]);
      std::printf("\n%s, %td x %td\n\n", argv[i], l.W.rows(), l.W.cols());
      std::printf(
          "| codec | quantizer | true bits | at 4096 x 4096 | error | held out |\n|---|---|---:|---:|---:|---:|\n");
      for_each_codec([&](const auto& codec) { print_codec(l, codec); });
    }
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "luq_frontier: %s\n", error.what());
    return 1;
  }
}

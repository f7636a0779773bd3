// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A unit-level experiment: one random linear with transformer-like inputs (correlated, some channels far larger than
// the others) through every codec and every quantizer. Prints true bits a weight against relative output error.
//
//   unit_experiment [rows cols tokens seed]
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <luq/luq.hpp>
#include <string>

namespace {

struct experiment {
  luq::matrix W;  // [out x in]
  luq::matrix H;  // [in x in]
};

experiment make_experiment(luq::index rows, luq::index cols, luq::index tokens, std::uint64_t seed) {
  const luq::counter_rng outliers(seed, 3);
  luq::matrix X = luq::random_normal_matrix(tokens, cols, luq::counter_rng(seed, 1));
  for (luq::index c = 1; c < cols; ++c) X.col(c) = 0.8f * X.col(c - 1) + 0.6f * X.col(c);
  for (luq::index c = 0; c < cols; ++c) {
    if (outliers.uniform(static_cast<std::uint64_t>(c)) < 0.03) X.col(c) *= 10.0f;
  }
  luq::hessian H(cols);
  H.add(X);
  return {luq::random_normal_matrix(rows, cols, luq::counter_rng(seed, 2)), H.matrix()};
}

template <class Codec>
void run(const experiment& data, const Codec& codec) {
  const auto error_with = [&](const auto& quantizer) {
    const auto codes = luq::quantize_codes(data.W, data.H, codec, quantizer, nullptr, luq::openmp_executor{});
    return luq::relative_output_error(data.W, codes.decode(), data.H);
  };
  const double bits = 8.0 * static_cast<double>(luq::packed_bytes(codec, data.W.rows(), data.W.cols())) /
                      static_cast<double>(data.W.size());
  std::printf("%-20s %6.3f %11.5f %11.5f", luq::codec_name(codec).c_str(), bits, error_with(luq::round_to_nearest{}),
              error_with(luq::billm{}));
  if constexpr (luq::MemorylessCodec<Codec>) {
    const luq::gptq activation{.order = luq::column_order::activation};
    std::printf(" %11.5f %11.5f %11.5f", error_with(luq::gptq{}), error_with(activation),
                error_with(luq::refined<>{.start = activation}));
  } else {
    std::printf(" %11s %11s %11s", "-", "-", "-");
  }
  std::printf(" %11.5f  %s\n", error_with(luq::beam_search{}),
              luq::kernel_path_name(luq::kernel_path_of<Codec>).data());
}

long argument(int argc, char** argv, int position, long fallback) {
  return argc > position ? std::strtol(argv[position], nullptr, 10) : fallback;
}

}  // namespace

int main(int argc, char** argv) try {
  const long rows = argument(argc, argv, 1, 256);
  const long cols = argument(argc, argv, 2, 512);
  const long tokens = argument(argc, argv, 3, 2048);
  const long seed = argument(argc, argv, 4, 1);
  if (rows < 1 || cols < 1 || tokens < 1 || seed < 0) {
    std::fprintf(stderr, "usage: unit_experiment [rows cols tokens seed], positive numbers\n");
    return 2;
  }
  const experiment data = make_experiment(rows, cols, tokens, static_cast<std::uint64_t>(seed));
  std::printf("relative output error ||(W-Q)X||^2 / ||WX||^2 of a %ld x %ld linear, %ld tokens, seed %ld\n\n", rows,
              cols, tokens, seed);
  std::printf("%-20s %6s %11s %11s %11s %11s %11s %11s  %s\n", "codec", "bits", "nearest", "block rule", "feedback",
              "activation", "refined", "beam search", "kernels");
  run(data, luq::trellis_codec<2>{});
  run(data, luq::sign_codec{});
  run(data, luq::trellis_codec<3>{});
  run(data, luq::ternary_codec{});
  run(data, luq::trellis_codec<4>{});
  run(data, luq::binary_coding_codec{});
  run(data, luq::billm_codec{});
  run(data, luq::int_codec<2>{.range = luq::int_range::searched});
  run(data, luq::int_codec<3>{.range = luq::int_range::searched});
  run(data, luq::int_codec<4>{.range = luq::int_range::searched});
  run(data, luq::lloyd_codec<4>{});
  run(data, luq::int_codec<8>{});
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "unit_experiment: %s\n", error.what());
  return 1;
}

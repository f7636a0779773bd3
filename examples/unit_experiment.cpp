// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A unit-level experiment: one random linear with transformer-like inputs (correlated, some channels far larger than
// the others) through many codecs, transforms and searches, by recipes. Prints true bits a weight against relative
// output error.
//
//   unit_experiment [rows cols tokens seed]
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <luq/luq.hpp>
#include <string>
#include <variant>

namespace {

constexpr const char* codecs[] = {"trellis1:g512",      "sign:g128",          "trellis1.58:g512", "ternary:g128",
                                  "trellis2:g512",      "bcq2:g128",          "billm:g128",       "int2:g128:searched",
                                  "int3:g128:searched", "int4:g128:searched", "lloyd4:g64",       "int8:g128"};
constexpr const char* searches[] = {"rtn", "billm", "gptq", "gptq+refine", "beam"};
constexpr const char* transforms[] = {"hadamard", "rowcol", "awq"};

/// Tokens whose neighbouring features are correlated, and of which some are ten times as large.
luq::matrix make_tokens(luq::index tokens, luq::index cols, std::uint64_t seed) {
  const luq::counter_rng outliers(seed, 3);
  luq::matrix X = luq::random_normal_matrix(tokens, cols, luq::counter_rng(seed, 1));
  for (luq::index c = 1; c < cols; ++c) X.col(c) = 0.8f * X.col(c - 1) + 0.6f * X.col(c);
  for (luq::index c = 0; c < cols; ++c) {
    if (outliers.uniform(static_cast<std::uint64_t>(c)) < 0.03) X.col(c) *= 10.0f;
  }
  return X;
}

void print_error(const luq::linear_problem& problem, const std::string& how) {
  const luq::any_quantized_linear linear =
      luq::quantize(problem, luq::parse_recipe(how), {.executor = luq::openmp_executor{}});
  std::printf(" %11.5f", luq::relative_output_error(problem.W, luq::decode(linear.packed), problem.inputs->H()));
}

void run(const luq::linear_problem& problem, const std::string& codec) {
  const luq::recipe best = luq::parse_recipe(codec);
  std::printf("%-20s %6.3f", codec.c_str(), luq::bits_per_weight(best, problem.W.rows(), problem.W.cols()));
  const bool is_sequence = best.search == luq::code_search::beam;  // whose codes depend on one another
  for (const std::string search : searches) {
    if (is_sequence && search.starts_with("gptq")) {
      std::printf(" %11s", "-");
    } else {
      print_error(problem, codec + "/" + search);
    }
  }
  for (const std::string transform : transforms) print_error(problem, transform + "/" + codec);
  const luq::kernel_path path = std::visit([]<class C>(const C&) { return luq::kernel_path_of<C>; }, best.codec);
  std::printf("  %s\n", std::string(luq::kernel_path_name(path)).c_str());
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
  const luq::matrix W = luq::random_normal_matrix(rows, cols, luq::counter_rng(static_cast<std::uint64_t>(seed), 2));
  luq::linear_inputs inputs(cols);
  inputs.add(make_tokens(tokens, cols, static_cast<std::uint64_t>(seed)));
  std::printf("relative output error ||(W-Q)X||^2 / ||WX||^2 of a %ld x %ld linear, %ld tokens, seed %ld\n\n", rows,
              cols, tokens, seed);
  std::printf("%-20s %6s", "codec", "bits");
  for (const char* search : searches) std::printf(" %11s", search);
  for (const char* transform : transforms) std::printf(" %11s", transform);
  std::printf("  kernels\n");
  for (const char* codec : codecs) run({W, inputs}, codec);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "unit_experiment: %s\n", error.what());
  return 1;
}

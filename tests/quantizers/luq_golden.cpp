// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// luq_golden FILE...    compares GPTQ, BiLLM and Hessians with outputs of their reference implementations
//
// Prints a line a case. Exits with 1 if a case falls short, with 2 if a file or the name of a case is not understood.
#include <cstdio>
#include <exception>

#include "golden_cases.hpp"

int main(int argc, char** argv) try {
  if (argc < 2) {
    std::fprintf(stderr, "usage: luq_golden FILE...\n");
    return 2;
  }
  bool all_passed = true;
  for (int i = 1; i < argc; ++i) {
    std::printf("%s\n%-42s %8s %8s %12s %12s %7s\n", argv[i], "case", "weights", "groups", "error", "reference",
                "ratio");
    for (const auto& result : luq_test::run_golden_file(argv[i])) {
      all_passed = all_passed && result.passed;
      std::printf("%-42s ", result.name.c_str());
      if (result.name == "hessian") {
        std::printf("%8s %8s %12.2e %12s %7s", "", "", result.error, "", "");
      } else {
        std::printf("%7.3f%% ", 100 * result.equal_weights);
        result.equal_groups ? std::printf("%7.3f%% ", 100 * *result.equal_groups) : std::printf("%8s ", "");
        std::printf("%12.6g %12.6g %7.4f", result.error, result.reference_error, result.ratio());
      }
      std::printf("  %s\n", result.passed ? "" : "FALLS SHORT");
    }
  }
  return all_passed ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "luq_golden: %s\n", error.what());
  return 2;
}

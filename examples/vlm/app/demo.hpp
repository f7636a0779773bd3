// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The whole method on one model: entropies, quantization of every layer, accuracy against true bits for LUQ's order and
// its controls, the plan for a budget and its rivals, the mixing ratio, and the packed file. Prints as it goes and
// writes packed.safetensors, report.html and results.md.
#pragma once

#include <filesystem>

#include "settings.hpp"

namespace vlm {

struct demo_options {
  std::filesystem::path output = ".";  ///< folder for the files, created if missing
  double saving = 0.4;  ///< share of uniform high-recipe decoder bytes that the plan must save, in [0, 1)
  int random_orders = 3;
  std::string command;  ///< how the demo was called, for results.md
};

/// @throws luq::error
void run_demo(const settings& s, const demo_options& options, luq::progress_observer* progress);

}  // namespace vlm

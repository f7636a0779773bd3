// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The commands of luq-vlm. Results go to standard output, progress to the observer, errors are thrown as luq::error.
#pragma once

#include <filesystem>
#include <luq/core/progress.hpp>
#include <optional>
#include <string>

#include "../engine/compute_options.hpp"
#include "benchmark_subjects.hpp"
#include "demo.hpp"
#include "export.hpp"
#include "ledger.hpp"
#include "settings.hpp"

namespace vlm {

/// Which plan `quantize` makes. At most one of the budgets is given; none means a saving of 40 %.
struct quantize_options {
  std::string order = "lowest";
  std::optional<luq::index> low_layers;
  std::optional<double> bits;
  std::optional<luq::index> bytes;
  std::optional<double> saving;
  std::filesystem::path output = "packed.safetensors";
  std::filesystem::path plan_file;  ///< empty for none
  bool dry_run = false;             ///< print what would be made and how long it would take, and make nothing
};

struct evaluate_options {
  std::filesystem::path packed;  ///< file whose decoder is asked; empty for the model's own
  luq::activation_mode activations = luq::activation_mode::float32;  ///< of packed linears
  bool on_device = false;                                            ///< multiply packed linears on a GPU
};

struct scan_options {
  int random_orders = 3;
};

void run_entropy(const settings& s, luq::progress_observer* progress);
void run_quantize(const settings& s, const quantize_options& options, luq::progress_observer* progress);
void run_evaluate(const settings& s, const evaluate_options& options, luq::progress_observer* progress);
void run_scan(const settings& s, const scan_options& options, luq::progress_observer* progress);
void run_frontier(const settings& s, luq::progress_observer* progress);
void run_bench(const settings& s, const bench_options& options, luq::progress_observer* progress);
void run_inspect(const std::filesystem::path& path);
void run_ledger(const ledger_options& options);

}  // namespace vlm

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Which decoders the command `bench` times side by side: synthetic ones under plans and, last, under a uniform 4-bit
// codec; or that of a packed file and, last, the float decoder that it was made of.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "../engine/compute_options.hpp"
#include "benchmark.hpp"

namespace vlm {

/// What to time: a packed file, or a synthetic decoder under the plan of a file or under plans made of codecs.
struct bench_options {
  std::filesystem::path packed;                                 ///< packed file; empty for a synthetic decoder
  std::string synthetic;                                        ///< for architecture_by_name()
  std::filesystem::path plan_file;                              ///< empty for plans made of what follows
  std::vector<std::string> low{"sign:g128", "trellis1.58:g0"};  ///< codecs of the first layers, a plan for each
  std::string high = "int4:g128";                               ///< codec of the other layers
  std::string head = "int8:g128";                               ///< codec of the head, which no plan covers
  std::optional<luq::index> layers;                             ///< the first layers of the architecture; else all
  std::optional<luq::index> low_layers;                         ///< else as many as in LUQ's published plan
  double memory = 12;  ///< most GiB that weights and cache of the synthetic decoders may take
  luq::activation_mode activations = luq::activation_mode::int8;
  benchmark_options timing;
};

struct bench_subjects {
  std::string introduction;  ///< what they are, for the reader
  text_config shape;         ///< of all of them
  std::vector<contender> contenders;
};

/// @throws luq::error invalid_argument for unknown names and for layers that there are none of, impossible_budget if
///   the decoders would take more memory than allowed, and for a plan file io_failure, corrupt_file, or shape_mismatch
///   if the plan is of another shape
[[nodiscard]] bench_subjects synthetic_subjects(const bench_options& options);

/// @throws luq::error as vision_language_model, luq::packed_model and with_packed_decoder()
[[nodiscard]] bench_subjects packed_subjects(const std::filesystem::path& model_directory,
                                             const bench_options& options);

}  // namespace vlm

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What the commands of luq-vlm can be told, and the defaults: the embedded model and its data.
#pragma once

#include <cstdint>
#include <filesystem>
#include <luq/core/openmp_executor.hpp>
#include <string>

#include "calibration_options.hpp"

namespace vlm {

struct settings {
  std::filesystem::path model;
  std::filesystem::path calibration;
  std::filesystem::path test;
  std::string low = "trellis1.58:g0";
  std::string high = "int4:g128:searched";
  double alpha = 0.5;                         ///< share of calibration tokens in multimodal sequences
  luq::index tokens = 0;                      ///< calibration tokens; 0 as mix_sequences() has it
  luq::index clusters = 100;                  ///< of the entropy's k-means
  int seeds = 3;                              ///< clusterings averaged
  double norm_clip = luq::default_norm_clip;  ///< see calibration_options
  luq::openmp_executor executor;
  bool quiet = false;  ///< no progress

  [[nodiscard]] luq::activation_entropy_options entropy() const {
    luq::activation_entropy_options options;
    options.clustering.clusters = clusters;
    options.seeds = seeds;
    return options;
  }

  [[nodiscard]] calibration_options calibrating() const { return {entropy(), norm_clip}; }
};

}  // namespace vlm

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// How long `quantize` will take, before it has read a weight: operations (a multiplication or an addition each) counted
// from shapes, over the rate at which this machine multiplies two small matrices on all threads. For T calibration
// tokens, decoder linears [out x in] and a recipe for low layers and one for high ones, each of which codes all layers:
//
//   forward passes    2 T out in of each linear, 4 n^2 width of each layer and sequence of n tokens for attention, and
//                     the same for the patches of each image, or of its windows, in the vision tower and the projector
//   Hessians          T in^2 of each of a layer's four inputs: one triangle
//   entropies         2 t K hidden of each pass of k-means over t tokens in K clusters, all seedings and 20 iterations,
//                     for all tokens, those of text and those of images, in each layer and for each seed
//   factors           2/3 in^3 of each of a layer's four inputs and recipe
//
// Searches of codes do other things than products, and how often depends on their options. Their time for a linear is
// taken to be out in (a + b in), where b is column feedback and whatever else visits all pairs of columns, and a and b
// are those of random linears of 64 rows and 128 and 512 columns, quantized on all threads at once.
#pragma once

#include <luq/core/openmp_executor.hpp>
#include <luq/estimators/activation_entropy.hpp>
#include <span>
#include <string>
#include <vector>

#include "../engine/image.hpp"
#include "../engine/model_config.hpp"
#include "../report/document.hpp"
#include "dataset.hpp"
#include "quantize_decoder.hpp"

namespace vlm {

/// A part of a run.
struct counted_work {
  std::string name;
  double operations = 0;
};

/// What `quantize` computes for a model with these calibration sequences, but for searches.
/// @param images  that sequences are about
/// @throws luq::error shape_mismatch for an image in use that has no grid where the model needs one
[[nodiscard]] std::vector<counted_work> count_quantize_work(const model_config& config, std::span<const image> images,
                                                            std::span<const calibration_sequence> sequences,
                                                            const luq::activation_entropy_options& entropy);

/// Operations a second of products of matrices on all threads of `executor`, measured for about 0.2 s.
[[nodiscard]] double product_rate(const luq::openmp_executor& executor);

/// How long a search of codes takes on all threads together.
struct search_speed {
  std::string recipe;
  double per_weight = 0;            ///< seconds, whatever the number of columns
  double per_weight_and_input = 0;  ///< seconds for each column of the weight's row

  /// Seconds for all linears of a decoder.
  [[nodiscard]] double seconds(const text_config& text) const;
};

/// Measured in a second or less.
/// @param rate  of product_rate(), for the factors, which are counted apart
[[nodiscard]] search_speed measure_search(const luq::recipe& how, double rate, const luq::openmp_executor& executor);

/// The parts, the searches of a decoder, and their sum.
/// @param rate  operations a second, > 0
[[nodiscard]] table duration_table(const std::vector<counted_work>& work, double rate,
                                   const std::vector<search_speed>& searches, const text_config& text);

/// "7.0 s", "12 s", "34 min" or "5.6 h"
[[nodiscard]] std::string duration_text(double seconds);

}  // namespace vlm

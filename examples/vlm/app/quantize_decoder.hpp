// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Every decoder layer of a model under one recipe. Layers are quantized independently of one another, under Hessians of
// the float model, so that any plan is a choice among layers already made and a scan over plans quantizes nothing.
#pragma once

#include <array>
#include <luq/codecs/any_packed_matrix.hpp>
#include <luq/codecs/recipe.hpp>
#include <luq/core/openmp_executor.hpp>
#include <luq/core/progress.hpp>
#include <luq/quantizers/quantizer.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "../engine/vision_language_model.hpp"
#include "calibrate.hpp"

namespace vlm {

/// Reads a recipe that the program can carry out, so that one that it cannot is an error before the work.
/// @throws luq::error as luq::parse_recipe; unsupported for one that needs the drift of inputs, which is not measured
///   here
[[nodiscard]] luq::recipe read_recipe(std::string_view text);

/// One linear, packed, with its float form for evaluation.
struct quantized_linear {
  std::shared_ptr<const luq::any_packed_matrix> packed;
  std::shared_ptr<const luq::matrix> decoded;
  luq::quantize_report report;
  double output_error = 0;  ///< relative, under the calibration Hessian
};

/// Quantizes the weights of one linear, which has inputs.
[[nodiscard]] quantized_linear quantize_linear(const luq::linear_problem& problem, const luq::recipe& how);

using quantized_layer = std::array<quantized_linear, decoder_linears.size()>;

/// All decoder layers under one recipe.
struct quantized_decoder {
  luq::recipe how;
  std::vector<quantized_layer> layers;
  int factorizations = 0;  ///< of Hessians: linears with the same inputs share one

  [[nodiscard]] double mean_output_error() const;
};

/// @throws luq::error that names the linear: insufficient_data if none of its inputs was ever used, which no search but
///   rtn can do without, or if the recipe asks for a drift; otherwise as luq::quantize
[[nodiscard]] quantized_decoder quantize_decoder(const vision_language_model& model, const calibration& statistics,
                                                 const luq::recipe& how, const luq::openmp_executor& executor,
                                                 luq::progress_observer* progress = nullptr);

/// The weights of a decoder linear that is not quantized.
/// @throws luq::error invalid_argument if it is
[[nodiscard]] const luq::matrix& float_weights(const vision_language_model& model, luq::index layer,
                                               decoder_linear which);

/// In which form a model holds quantized linears: packed is what is deployed, decoded is the same weights in float,
/// faster to evaluate with many tokens.
enum class weight_form { packed, decoded };

/// Replaces the linears of one decoder layer.
void use_layer(vision_language_model& model, luq::index layer, const quantized_layer& weights, weight_form form);

}  // namespace vlm

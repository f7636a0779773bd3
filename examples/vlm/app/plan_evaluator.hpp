// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// From plans to accuracies. Each layer is quantized once for each recipe; a plan then chooses among layers that exist.
#pragma once

#include <luq/policy/plan.hpp>
#include <map>
#include <string>
#include <vector>

#include "evaluate.hpp"
#include "quantize_decoder.hpp"

namespace vlm {

/// The linears of a decoder, with the names that LLaMA checkpoints give them.
[[nodiscard]] luq::model_shape decoder_shape(const text_config& config);
[[nodiscard]] luq::model_shape decoder_shape(const vision_language_model& model);

/// A copy of `model` with the layers that the plan asks for.
/// @param decoders  quantized decoders, one for each recipe that the plan names
/// @throws luq::error invalid_argument if one is missing
[[nodiscard]] vision_language_model planned_model(const vision_language_model& model, const luq::plan& choice,
                                                  const std::vector<const quantized_decoder*>& decoders,
                                                  weight_form form);

/// Evaluates plans over two recipes; a set of low layers that occurs in several orders is evaluated once.
class plan_evaluator {
 public:
  /// All must outlive the object.
  plan_evaluator(const vision_language_model& model, const examination& exam, const quantized_decoder& low,
                 const quantized_decoder& high)
      : model_(model), exam_(exam), low_(low), high_(high) {}

  /// @throws luq::error invalid_argument for a plan with a recipe of neither
  [[nodiscard]] const accuracy& operator()(const luq::plan& choice);

 private:
  const vision_language_model& model_;
  const examination& exam_;
  const quantized_decoder& low_;
  const quantized_decoder& high_;
  std::map<std::vector<bool>, accuracy> known_;  // by which layers are low
};

}  // namespace vlm

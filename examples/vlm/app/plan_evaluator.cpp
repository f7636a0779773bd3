// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "plan_evaluator.hpp"

#include <luq/core/error.hpp>

namespace vlm {

namespace {

const quantized_decoder& decoder_of(const luq::plan& choice, std::size_t layer,
                                    const std::vector<const quantized_decoder*>& decoders) {
  for (const quantized_decoder* decoder : decoders) {
    if (decoder->how == choice.recipes[layer]) return *decoder;
  }
  luq::fail(luq::errc::invalid_argument, "plan: layer ", layer, ": nothing was quantized with ",
            luq::recipe_name(choice.recipes[layer]));
}

}  // namespace

luq::model_shape decoder_shape(const text_config& config) {
  luq::model_shape shape(static_cast<std::size_t>(config.layers));
  for (std::size_t layer = 0; layer < shape.size(); ++layer) {
    for (const decoder_linear which : decoder_linears) {
      const linear_size size = size_of(config, which);
      shape[layer].push_back(
          {"model.layers." + std::to_string(layer) + "." + std::string(tensor_name(which)), size.out, size.in});
    }
  }
  return shape;
}

luq::model_shape decoder_shape(const vision_language_model& model) {
  return decoder_shape(model.config().text);
}

vision_language_model planned_model(const vision_language_model& model, const luq::plan& choice,
                                    const std::vector<const quantized_decoder*>& decoders, weight_form form) {
  vision_language_model result = model;
  for (std::size_t layer = 0; layer < choice.recipes.size(); ++layer) {
    use_layer(result, static_cast<luq::index>(layer), decoder_of(choice, layer, decoders).layers[layer], form);
  }
  return result;
}

const accuracy& plan_evaluator::operator()(const luq::plan& choice) {
  std::vector<bool> is_low;
  for (std::size_t layer = 0; layer < choice.recipes.size(); ++layer) {
    is_low.push_back(&decoder_of(choice, layer, {&low_, &high_}) == &low_);
  }
  const auto known = known_.find(is_low);
  if (known != known_.end()) return known->second;
  return known_
      .emplace(std::move(is_low), exam_.take(planned_model(model_, choice, {&low_, &high_}, weight_form::decoded)))
      .first->second;
}

}  // namespace vlm

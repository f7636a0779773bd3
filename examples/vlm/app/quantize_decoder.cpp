// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "quantize_decoder.hpp"

#include <atomic>
#include <luq/core/error.hpp>
#include <luq/core/text.hpp>
#include <luq/quantizers/output_error.hpp>
#include <luq/quantizers/quantize_recipe.hpp>
#include <string_view>
#include <utility>

#include "error_place.hpp"

namespace vlm {

luq::recipe read_recipe(std::string_view text) {
  luq::recipe how = luq::parse_recipe(text);
  if (luq::needs_drift(how)) {
    luq::fail(luq::errc::unsupported, "recipe ", luq::recipe_name(how),
              ": luq-vlm does not measure the drift of inputs that gptaq and qep need; C++ and Python take it");
  }
  return how;
}

quantized_linear quantize_linear(const luq::linear_problem& problem, const luq::recipe& how) {
  luq::any_quantized_linear found = luq::quantize(problem, how);
  quantized_linear result;
  result.report = found.report;
  result.decoded = std::make_shared<const luq::matrix>(luq::decode(found.packed));
  result.packed = std::make_shared<const luq::any_packed_matrix>(std::move(found.packed));
  result.output_error = luq::relative_output_error(problem.W, *result.decoded, problem.inputs->H());
  return result;
}

const luq::matrix& float_weights(const vision_language_model& model, luq::index layer, decoder_linear which) {
  const auto& weights = model.decoder_linear_at(layer, which).weights();
  const auto* dense = std::get_if<std::shared_ptr<const luq::matrix>>(&weights);
  if (dense == nullptr) {
    luq::fail(luq::errc::invalid_argument, "decoder layer ", layer, ", ", tensor_name(which),
              ": expected float weights to quantize, got packed ones");
  }
  return **dense;
}

double quantized_decoder::mean_output_error() const {
  double sum = 0;
  for (const auto& layer : layers) {
    for (const auto& linear : layer) sum += linear.output_error;
  }
  return sum / static_cast<double>(layers.size() * decoder_linears.size());
}

quantized_decoder quantize_decoder(const vision_language_model& model, const calibration& statistics,
                                   const luq::recipe& how, const luq::openmp_executor& executor,
                                   luq::progress_observer* progress) {
  constexpr auto linears = static_cast<luq::index>(decoder_linears.size());
  quantized_decoder result{how, std::vector<quantized_layer>(statistics.layers.size())};
  luq::progress_scope scope(progress, luq::recipe_name(how) + ": layers", result.layers.size());
  for (std::size_t layer = 0; layer < result.layers.size(); ++layer) {
    std::vector<luq::linear_inputs> inputs;  // by linear_input
    for (const luq::hessian& H : statistics.layers[layer].inputs) inputs.emplace_back(H.matrix());
    // Each thread takes the last linear that is left: those of the MLP, which take longest, come first.
    std::atomic<luq::index> left = linears;
    executor.parallel_for(executor.concurrency(), [&](luq::index) {
      for (luq::index i = --left; i >= 0; i = --left) {
        const decoder_linear which = decoder_linears[static_cast<std::size_t>(i)];
        const luq::matrix& W = float_weights(model, static_cast<luq::index>(layer), which);
        result.layers[layer][static_cast<std::size_t>(i)] =
            at_place(luq::text_of("decoder layer ", layer, ", ", tensor_name(which)),
                     [&] { return quantize_linear({W, inputs[static_cast<std::size_t>(input_of(which))]}, how); });
      }
    });
    for (const luq::linear_inputs& shared : inputs) result.factorizations += shared.factorizations();
    scope.advance();
  }
  return result;
}

void use_layer(vision_language_model& model, luq::index layer, const quantized_layer& weights, weight_form form) {
  for (std::size_t i = 0; i < decoder_linears.size(); ++i) {
    if (form == weight_form::packed) {
      model.set_decoder_weights(layer, decoder_linears[i], weights[i].packed);
    } else {
      model.set_decoder_weights(layer, decoder_linears[i], weights[i].decoded);
    }
  }
}

}  // namespace vlm

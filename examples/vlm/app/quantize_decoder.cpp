// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "quantize_decoder.hpp"

#include <atomic>
#include <luq/core/error.hpp>
#include <luq/core/text.hpp>
#include <luq/quantizers/any_quantize.hpp>
#include <luq/quantizers/output_error.hpp>
#include <string_view>
#include <utility>

#include "error_place.hpp"

namespace vlm {

quantized_linear quantize_linear(const luq::matrix& W, const luq::matrix& H, const rung& choice) {
  quantized_linear result;
  auto packed = luq::quantize(W, H, choice.codec, choice.how, &result.report);
  result.decoded = std::make_shared<const luq::matrix>(luq::decode(packed));
  result.packed = std::make_shared<const luq::any_packed_matrix>(std::move(packed));
  result.output_error = luq::relative_output_error(W, *result.decoded, H);
  return result;
}

namespace {

/// One linear of a decoder; an error says which.
quantized_linear quantize_linear(const vision_language_model& model, const calibration& statistics, luq::index layer,
                                 decoder_linear which, const rung& choice) {
  const luq::matrix& W = float_weights(model, layer, which);
  const luq::hessian& H = statistics.layers[static_cast<std::size_t>(layer)].hessian_of(which);
  return at_place(luq::text_of("decoder layer ", layer, ", ", tensor_name(which)),
                  [&] { return quantize_linear(W, H.matrix(), choice); });
}

}  // namespace

const luq::matrix& float_weights(const vision_language_model& model, luq::index layer, decoder_linear which) {
  const auto& weights = model.decoder_linear_at(layer, which).weights();
  const auto* dense = std::get_if<std::shared_ptr<const luq::matrix>>(&weights);
  if (dense == nullptr) {
    luq::fail(luq::errc::invalid_argument, "decoder layer ", layer, ", ", tensor_name(which),
              ": expected float weights to quantize, got packed ones");
  }
  return **dense;
}

std::string rung_name(const rung& choice) {
  const bool sequence =
      std::visit([](const auto& codec) { return luq::SequenceCodec<std::decay_t<decltype(codec)>>; }, choice.codec);
  const bool searches = choice.how == search::feedback || choice.how == search::best;
  const std::string_view how = searches && sequence         ? "beam search"
                               : choice.how == search::best ? "refined"
                                                            : luq::code_search_name(choice.how);
  return luq::codec_name(choice.codec) + ", " + std::string(how);
}

double quantized_decoder::mean_output_error() const {
  double sum = 0;
  for (const auto& layer : layers) {
    for (const auto& linear : layer) sum += linear.output_error;
  }
  return sum / static_cast<double>(layers.size() * decoder_linears.size());
}

quantized_decoder quantize_decoder(const vision_language_model& model, const calibration& statistics,
                                   const rung& choice, const luq::openmp_executor& executor,
                                   luq::progress_observer* progress) {
  constexpr auto linears = static_cast<luq::index>(decoder_linears.size());
  quantized_decoder result{choice, std::vector<quantized_layer>(statistics.layers.size())};
  luq::progress_scope scope(progress, rung_name(choice) + ": layers", result.layers.size());
  for (std::size_t layer = 0; layer < result.layers.size(); ++layer) {
    // Each thread takes the last linear that is left: those of the MLP, which take longest, come first.
    std::atomic<luq::index> left = linears;
    executor.parallel_for(executor.concurrency(), [&](luq::index) {
      for (luq::index i = --left; i >= 0; i = --left) {
        const decoder_linear which = decoder_linears[static_cast<std::size_t>(i)];
        result.layers[layer][static_cast<std::size_t>(i)] =
            quantize_linear(model, statistics, static_cast<luq::index>(layer), which, choice);
      }
    });
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

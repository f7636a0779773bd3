// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "decoder_layer.hpp"

#include <luq/core/assert.hpp>
#include <string>
#include <utility>

#include "weight_reader.hpp"

namespace vlm {

namespace {

linear read_linear(const text_config& config, const weight_reader& weights, decoder_linear which) {
  const linear_size size = size_of(config, which);
  return weights.linear(std::string(tensor_name(which)), size.out, size.in, has_bias(config, which));
}

}  // namespace

linear_size size_of(const text_config& config, decoder_linear which) {
  const luq::index query = config.heads * config.head_dim;
  const luq::index key = config.key_value_heads * config.head_dim;
  switch (which) {
    case decoder_linear::query:
      return {query, config.hidden_size};
    case decoder_linear::key:
    case decoder_linear::value:
      return {key, config.hidden_size};
    case decoder_linear::attention_output:
      return {config.hidden_size, query};
    case decoder_linear::gate:
    case decoder_linear::up:
      return {config.intermediate_size, config.hidden_size};
    case decoder_linear::down:
      break;
  }
  return {config.hidden_size, config.intermediate_size};
}

bool has_bias(const text_config& config, decoder_linear which) {
  switch (which) {
    case decoder_linear::query:
    case decoder_linear::key:
    case decoder_linear::value:
      return config.query_key_value_bias;
    case decoder_linear::attention_output:
      return config.attention_output_bias;
    case decoder_linear::gate:
    case decoder_linear::up:
    case decoder_linear::down:
      break;
  }
  return config.mlp_bias;
}

decoder_layer::decoder_layer(const text_config& config, luq::index number, const weight_reader& weights)
    : decoder_layer(
          config, number, weights.rms_norm("input_layernorm", config.hidden_size, config.rms_norm_epsilon),
          weights.rms_norm("post_attention_layernorm", config.hidden_size, config.rms_norm_epsilon),
          {read_linear(config, weights, decoder_linear::query), read_linear(config, weights, decoder_linear::key),
           read_linear(config, weights, decoder_linear::value),
           read_linear(config, weights, decoder_linear::attention_output),
           read_linear(config, weights, decoder_linear::gate), read_linear(config, weights, decoder_linear::up),
           read_linear(config, weights, decoder_linear::down)}) {}

decoder_layer::decoder_layer(const text_config& config, luq::index number, rms_norm attention_norm, rms_norm mlp_norm,
                             std::array<linear, decoder_linears.size()> linears)
    : number_(number),
      heads_{config.heads, config.key_value_heads, config.head_dim},
      activation_(config.hidden_activation),
      attention_norm_(std::move(attention_norm)),
      mlp_norm_(std::move(mlp_norm)),
      linears_(std::move(linears)) {
  LUQ_ASSERT(attention_norm_.weight.size() == config.hidden_size && mlp_norm_.weight.size() == config.hidden_size);
  for ([[maybe_unused]] const decoder_linear which : decoder_linears) {
    LUQ_ASSERT((*this)[which].out_features() == size_of(config, which).out);
    LUQ_ASSERT((*this)[which].in_features() == size_of(config, which).in);
  }
}

void decoder_layer::forward(const decoder_batch& batch, luq::matrix& X, layer_observer* observer) const {
  const auto multiply = [&](decoder_linear which, const luq::matrix& activations) {
    return (*this)[which](activations, batch.compute);
  };
  const auto observe = [&](linear_input input, const luq::matrix& activations) {
    if (observer != nullptr) observer->on_linear_input(number_, input, activations, batch.classes);
  };
  luq::matrix normed = attention_norm_(X);
  observe(linear_input::attention, normed);
  const luq::matrix heads = attention_heads_of(batch, normed);
  observe(linear_input::attention_output, heads);
  X += multiply(decoder_linear::attention_output, heads);

  normed = mlp_norm_(X);
  observe(linear_input::mlp, normed);
  luq::matrix gated = multiply(decoder_linear::gate, normed);
  apply(activation_, gated);
  gated.array() *= multiply(decoder_linear::up, normed).array();
  observe(linear_input::mlp_output, gated);
  X += multiply(decoder_linear::down, gated);
  if (observer != nullptr) observer->on_layer_output(number_, X, batch.classes);
}

luq::matrix decoder_layer::attention_heads_of(const decoder_batch& batch, const luq::matrix& normed) const {
  const decoder_layer& self = *this;
  luq::matrix Q = self[decoder_linear::query](normed, batch.compute);
  luq::matrix K = self[decoder_linear::key](normed, batch.compute);
  const luq::matrix V = self[decoder_linear::value](normed, batch.compute);
  batch.rotation.rotate(Q);
  batch.rotation.rotate(K);
  luq::matrix result(Q.rows(), Q.cols());
  for (const stacked_sequence& sequence : batch.sequences) {
    const luq::index first = sequence.first_row;
    const luq::index rows = sequence.rows;
    layer_cache& seen = sequence.cache->layer(number_);
    seen.append(K.middleRows(first, rows), V.middleRows(first, rows));
    attend(heads_, attention_mask::causal, Q.middleRows(first, rows), seen.keys(), seen.values(),
           result.middleRows(first, rows), batch.compute.executor);
  }
  return result;
}

}  // namespace vlm

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "decoder_layer.hpp"

#include <string>

#include "weight_reader.hpp"

namespace vlm {

namespace {

linear read_linear(const text_config& config, const weight_reader& weights, decoder_linear which) {
  const luq::index query = config.heads * config.head_dim;
  const luq::index key = config.key_value_heads * config.head_dim;
  const luq::index hidden = config.hidden_size;
  const luq::index intermediate = config.intermediate_size;
  const std::string name(tensor_name(which));
  switch (which) {
    case decoder_linear::query:
      return weights.linear(name, query, hidden, config.attention_bias);
    case decoder_linear::key:
    case decoder_linear::value:
      return weights.linear(name, key, hidden, config.attention_bias);
    case decoder_linear::attention_output:
      return weights.linear(name, hidden, query, config.attention_bias);
    case decoder_linear::gate:
    case decoder_linear::up:
      return weights.linear(name, intermediate, hidden, config.mlp_bias);
    case decoder_linear::down:
      break;
  }
  return weights.linear(name, hidden, intermediate, config.mlp_bias);
}

}  // namespace

decoder_layer::decoder_layer(const text_config& config, luq::index number, const weight_reader& weights)
    : number_(number),
      heads_{config.heads, config.key_value_heads, config.head_dim},
      activation_(config.hidden_activation),
      attention_norm_(weights.rms_norm("input_layernorm", config.hidden_size, config.rms_norm_epsilon)),
      mlp_norm_(weights.rms_norm("post_attention_layernorm", config.hidden_size, config.rms_norm_epsilon)),
      linears_{read_linear(config, weights, decoder_linear::query),
               read_linear(config, weights, decoder_linear::key),
               read_linear(config, weights, decoder_linear::value),
               read_linear(config, weights, decoder_linear::attention_output),
               read_linear(config, weights, decoder_linear::gate),
               read_linear(config, weights, decoder_linear::up),
               read_linear(config, weights, decoder_linear::down)} {}

void decoder_layer::forward(const decoder_batch& batch, luq::matrix& X, layer_observer* observer) const {
  const decoder_layer& self = *this;
  const auto observe = [&](linear_input input, const luq::matrix& activations) {
    if (observer != nullptr) observer->on_linear_input(number_, input, activations, batch.classes);
  };
  luq::matrix normed = attention_norm_(X);
  observe(linear_input::attention, normed);
  const luq::matrix heads = attention_heads_of(batch, normed);
  observe(linear_input::attention_output, heads);
  X += self[decoder_linear::attention_output](heads);

  normed = mlp_norm_(X);
  observe(linear_input::mlp, normed);
  luq::matrix gated = self[decoder_linear::gate](normed);
  apply(activation_, gated);
  gated.array() *= self[decoder_linear::up](normed).array();
  observe(linear_input::mlp_output, gated);
  X += self[decoder_linear::down](gated);
  if (observer != nullptr) observer->on_layer_output(number_, X, batch.classes);
}

luq::matrix decoder_layer::attention_heads_of(const decoder_batch& batch, const luq::matrix& normed) const {
  const decoder_layer& self = *this;
  luq::matrix Q = self[decoder_linear::query](normed);
  luq::matrix K = self[decoder_linear::key](normed);
  const luq::matrix V = self[decoder_linear::value](normed);
  batch.rotation.rotate(Q);
  batch.rotation.rotate(K);
  luq::matrix result(Q.rows(), Q.cols());
  for (const stacked_sequence& sequence : batch.sequences) {
    const luq::index first = sequence.first_row;
    const luq::index rows = sequence.rows;
    layer_cache& seen = sequence.cache->layer(number_);
    seen.append(K.middleRows(first, rows), V.middleRows(first, rows));
    attend(heads_, attention_mask::causal, Q.middleRows(first, rows), seen.keys(), seen.values(),
           result.middleRows(first, rows));
  }
  return result;
}

}  // namespace vlm

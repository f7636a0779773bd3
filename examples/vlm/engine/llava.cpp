// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "llava.hpp"

#include <algorithm>
#include <luq/core/error.hpp>
#include <luq/io/checkpoint.hpp>
#include <string>
#include <utility>

#include "checkpoint_names.hpp"
#include "weight_reader.hpp"

namespace vlm {

namespace {

projector read_projector(const model_config& config, const weight_reader& weights) {
  const luq::index hidden = config.text.hidden_size;
  const luq::index features = config.vision.hidden_size * static_cast<luq::index>(config.feature_states.size());
  return {weights.linear("linear_1", hidden, features, config.projector_bias), config.projector_activation,
          weights.linear("linear_2", hidden, hidden, config.projector_bias)};
}

}  // namespace

struct llava_model::files {
  explicit files(const std::filesystem::path& directory)
      : source(directory.string()),
        tensors(directory),
        names(find_checkpoint_names(tensors, source)),
        config(read_model_config(directory)) {}

  [[nodiscard]] weight_reader part(const std::string& prefix) const { return {tensors, source, prefix}; }

  /// No layer beyond the last state that the decoder is shown.
  [[nodiscard]] luq::index vision_layers() const {
    return *std::max_element(config.feature_states.begin(), config.feature_states.end());
  }

  std::string source;
  luq::checkpoint tensors;
  checkpoint_names names;
  model_config config;
};

llava_model::llava_model(const std::filesystem::path& directory) : llava_model(files(directory)) {}

llava_model::llava_model(const files& stored)
    : config_(stored.config),
      vision_(std::make_shared<const vision_tower>(config_.vision, stored.vision_layers(),
                                                   stored.part(stored.names.vision))),
      projector_(read_projector(config_, stored.part(stored.names.projector))),
      decoder_(config_.text, config_.tied_head, stored.part(stored.names.decoder), stored.part(stored.names.head)) {}

luq::matrix llava_model::image_features(std::span<const float> pixels) const {
  const std::vector<luq::matrix> states = vision_->states(pixels);
  const luq::index rows = config_.tokens_per_image();
  const luq::index width = config_.vision.hidden_size;
  luq::matrix selected(rows, width * static_cast<luq::index>(config_.feature_states.size()));
  luq::index column = 0;
  for (const luq::index state : config_.feature_states) {
    selected.middleCols(column, width) = states[static_cast<std::size_t>(state)].bottomRows(rows);
    column += width;
  }
  return projector_(selected);
}

luq::matrix llava_model::embed(const token_sequence& tokens, const luq::matrix* image_features) const {
  const luq::index features = image_features == nullptr ? 0 : image_features->rows();
  if (features != tokens.image_tokens()) {
    luq::fail(luq::errc::shape_mismatch, "token sequence: expected one row of image features per image token (id ",
              config_.image_token, "), got ", features, " rows for ", tokens.image_tokens(), " tokens");
  }
  if (features > 0 && image_features->cols() != decoder_.hidden_size()) {
    luq::fail(luq::errc::shape_mismatch, "image features: expected ", decoder_.hidden_size(), " columns, got ",
              image_features->cols());
  }
  luq::matrix X(tokens.size(), decoder_.hidden_size());
  luq::index feature = 0;
  for (luq::index t = 0; t < tokens.size(); ++t) {
    const std::int32_t id = tokens.ids()[static_cast<std::size_t>(t)];
    if (tokens.classes()[static_cast<std::size_t>(t)] == luq::token_class::image) {
      X.row(t) = image_features->row(feature++);
    } else if (id >= 0 && id < decoder_.vocabulary()) {
      X.row(t) = decoder_.embedding(id);
    } else {
      luq::fail(luq::errc::invalid_argument, "token sequence: position ", t, ": expected an id in 0 ... ",
                decoder_.vocabulary() - 1, ", got ", id);
    }
  }
  return X;
}

luq::matrix llava_model::forward(std::span<const sequence_step> batch, logits_of which,
                                 layer_observer* observer) const {
  luq::index rows = 0;
  for (const sequence_step& step : batch) rows += step.tokens->size();
  luq::matrix X(rows, decoder_.hidden_size());
  std::vector<stacked_sequence> sequences;
  std::vector<luq::token_class> classes;
  std::vector<luq::index> last_rows;
  luq::index first = 0;
  for (const sequence_step& step : batch) {
    const token_sequence& tokens = *step.tokens;
    if (tokens.valid_tokens() == 0) {
      luq::fail(luq::errc::insufficient_data, "token sequence: expected at least one token that is not padding, got ",
                tokens.size(), " of padding");
    }
    X.middleRows(first, tokens.size()) = embed(tokens, step.image_features);
    sequences.push_back({first, tokens.size(), step.cache});
    classes.insert(classes.end(), tokens.classes().begin(), tokens.classes().end());
    last_rows.push_back(first + tokens.valid_tokens() - 1);
    first += tokens.size();
  }

  const decoder_batch stack = decoder_.make_batch(std::move(sequences), std::move(classes));
  for (const decoder_layer& layer : decoder_.layers()) layer.forward(stack, X, observer);
  for (const sequence_step& step : batch) {
    step.cache->truncate(step.cache->length() - (step.tokens->size() - step.tokens->valid_tokens()));
  }

  switch (which) {
    case logits_of::every_token:
      return decoder_.logits(X);
    case logits_of::last_token: {
      luq::matrix last(static_cast<luq::index>(last_rows.size()), X.cols());
      for (luq::index i = 0; i < last.rows(); ++i) last.row(i) = X.row(last_rows[static_cast<std::size_t>(i)]);
      return decoder_.logits(last);
    }
    case logits_of::no_token:
      break;
  }
  return luq::matrix(0, decoder_.vocabulary());
}

luq::matrix llava_model::logits(const token_sequence& tokens, const luq::matrix* image_features) const {
  kv_cache cache = make_cache();
  const sequence_step step{&tokens, image_features, &cache};
  return forward({&step, 1}, logits_of::every_token);
}

const linear& llava_model::decoder_linear_at(luq::index layer, decoder_linear which) const {
  LUQ_ASSERT(layer >= 0 && layer < config_.text.layers);
  return decoder_.layers()[static_cast<std::size_t>(layer)][which];
}

void llava_model::set_decoder_weights(luq::index layer, decoder_linear which, linear::weights_pointer weights) {
  LUQ_ASSERT(layer >= 0 && layer < config_.text.layers);
  decoder_.layers()[static_cast<std::size_t>(layer)][which].set_weights(std::move(weights));
}

}  // namespace vlm

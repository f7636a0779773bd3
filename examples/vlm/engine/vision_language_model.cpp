// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "vision_language_model.hpp"

#include <luq/core/error.hpp>
#include <luq/io/safetensors/checkpoint.hpp>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "checkpoint_names.hpp"
#include "token_position.hpp"
#include "weight_reader.hpp"

namespace vlm {

struct vision_language_model::files {
  explicit files(const std::filesystem::path& directory)
      : source(directory.string()),
        tensors(directory),
        config(read_model_config(directory)),
        names(find_checkpoint_names(tensors, config, source)) {}

  [[nodiscard]] weight_reader part(const std::string& prefix) const { return {tensors, source, prefix}; }

  /// The table of embeddings or the head, [vocabulary x hidden].
  [[nodiscard]] std::shared_ptr<const luq::matrix> table(const std::string& name) const {
    return std::make_shared<const luq::matrix>(
        part("").matrix(name, {config.text.vocabulary, config.text.hidden_size}));
  }

  [[nodiscard]] decoder read_decoder() const {
    const auto embeddings = table(names.embedding);
    return {config.text, part(names.decoder), embeddings, names.tied_head ? embeddings : table(names.head)};
  }

  std::string source;
  luq::checkpoint tensors;
  model_config config;
  checkpoint_names names;
};

vision_language_model::vision_language_model(const std::filesystem::path& directory)
    : vision_language_model(files(directory)) {}

vision_language_model::vision_language_model(const files& stored)
    : config_(stored.config),
      encoder_(read_image_encoder(config_, stored.part(stored.names.vision), stored.part(stored.names.projector))),
      decoder_(stored.read_decoder()) {}

void vision_language_model::check(const token_sequence& tokens, const encoded_images* image_features) const {
  if (tokens.valid_tokens() == 0) {
    luq::fail(luq::errc::insufficient_data, "token sequence: expected at least one token that is not padding, got ",
              tokens.size(), " of padding");
  }
  const luq::index features = image_features == nullptr ? 0 : image_features->rows.rows();
  if (features != tokens.image_tokens()) {
    luq::fail(luq::errc::shape_mismatch, "token sequence: expected one row of image features per image token (id ",
              config_.image_token, "), got ", features, " rows for ", tokens.image_tokens(), " tokens");
  }
  if (features > 0 && image_features->rows.cols() != decoder_.hidden_size()) {
    luq::fail(luq::errc::shape_mismatch, "image features: expected ", decoder_.hidden_size(), " columns, got ",
              image_features->rows.cols());
  }
  for (luq::index t = 0; t < tokens.size(); ++t) {
    const std::int32_t id = tokens.ids()[static_cast<std::size_t>(t)];
    if (tokens.classes()[static_cast<std::size_t>(t)] == luq::token_class::image) continue;
    if (id == config_.video_token && id >= 0) {
      luq::fail(luq::errc::unsupported, "token sequence: position ", t, ": expected text and images, got id ", id,
                ", the place of a video");
    }
    if (id < 0 || id >= decoder_.vocabulary()) {
      luq::fail(luq::errc::invalid_argument, "token sequence: position ", t, ": expected an id in 0 ... ",
                decoder_.vocabulary() - 1, ", got ", id);
    }
  }
  if (image_features != nullptr) (void)positions_of(tokens.classes(), image_features->grids, 0);
}

luq::matrix vision_language_model::embed(const token_sequence& tokens, const encoded_images* image_features) const {
  check(tokens, image_features);
  luq::matrix X(tokens.size(), decoder_.hidden_size());
  luq::index feature = 0;
  for (luq::index t = 0; t < tokens.size(); ++t) {
    if (tokens.classes()[static_cast<std::size_t>(t)] == luq::token_class::image) {
      X.row(t) = image_features->rows.row(feature++);
    } else {
      X.row(t) = decoder_.embedding(tokens.ids()[static_cast<std::size_t>(t)]);
    }
  }
  return X;
}

luq::matrix vision_language_model::embed_all(std::span<const sequence_step> batch) const {
  luq::index rows = 0;
  for (const sequence_step& step : batch) rows += step.tokens->size();
  luq::matrix X(rows, decoder_.hidden_size());
  luq::index first = 0;
  for (const sequence_step& step : batch) {
    X.middleRows(first, step.tokens->size()) = embed(*step.tokens, step.image_features);
    first += step.tokens->size();
  }
  return X;
}

luq::matrix vision_language_model::forward(std::span<const sequence_step> batch, logits_of which,
                                           layer_observer* observer) const {
  std::vector<stacked_sequence> sequences;
  std::vector<luq::token_class> classes;
  std::vector<luq::index> last_rows;
  luq::index first = 0;
  for (const sequence_step& step : batch) {
    const token_sequence& tokens = *step.tokens;
    sequences.push_back({first, tokens.size(), step.cache, {}});
    if (step.image_features != nullptr) sequences.back().grids = step.image_features->grids;
    classes.insert(classes.end(), tokens.classes().begin(), tokens.classes().end());
    last_rows.push_back(first + tokens.valid_tokens() - 1);
    first += tokens.size();
  }

  luq::matrix X = embed_all(batch);
  decoder_.run(decoder_.make_batch(std::move(sequences), std::move(classes)), X, observer);
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

luq::matrix vision_language_model::logits(const token_sequence& tokens, const encoded_images* image_features) const {
  kv_cache cache = make_cache();
  const sequence_step step{&tokens, image_features, &cache};
  return forward({&step, 1}, logits_of::every_token);
}

const linear& vision_language_model::decoder_linear_at(luq::index layer, decoder_linear which) const {
  LUQ_ASSERT(layer >= 0 && layer < config_.text.layers);
  return decoder_.layers()[static_cast<std::size_t>(layer)][which];
}

void vision_language_model::set_decoder_weights(luq::index layer, decoder_linear which,
                                                linear::weights_pointer weights) {
  LUQ_ASSERT(layer >= 0 && layer < config_.text.layers);
  decoder_.layers()[static_cast<std::size_t>(layer)][which].set_weights(std::move(weights));
}

luq::index vision_language_model::move_decoder_to_device() {
  luq::cuda::open_device();
  luq::index on_device = 0;
  for (decoder_layer& layer : decoder_.layers()) {
    for (const decoder_linear which : decoder_linears) {
      linear& moved = layer[which];
      if (const auto* packed = std::get_if<std::shared_ptr<const luq::any_packed_matrix>>(&moved.weights())) {
        if (auto uploaded = luq::cuda::upload(**packed)) moved.set_weights(std::move(uploaded));
      }
      if (std::holds_alternative<std::shared_ptr<const luq::cuda::any_device_matrix>>(moved.weights())) ++on_device;
    }
  }
  return on_device;
}

}  // namespace vlm

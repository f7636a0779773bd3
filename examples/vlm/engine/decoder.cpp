// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "decoder.hpp"

#include <algorithm>
#include <luq/core/assert.hpp>
#include <span>
#include <string>
#include <utility>

#include "weight_reader.hpp"

namespace vlm {

decoder::decoder(const text_config& config, const weight_reader& weights, std::shared_ptr<const luq::matrix> embeddings,
                 std::shared_ptr<const luq::matrix> head)
    : embeddings_(std::move(embeddings)),
      norm_(weights.rms_norm("norm", config.hidden_size, config.rms_norm_epsilon)),
      head_(std::move(head)),
      cache_width_(config.key_value_heads * config.head_dim),
      rotary_(make_rotary_pairs(config.rotary, config.head_dim)) {
  layers_.reserve(static_cast<std::size_t>(config.layers));
  for (luq::index number = 0; number < config.layers; ++number) {
    layers_.emplace_back(config, number, weights.part("layers." + std::to_string(number) + "."));
  }
}

decoder::decoder(const text_config& config, std::shared_ptr<const luq::matrix> embeddings,
                 std::vector<decoder_layer> layers, rms_norm norm, linear head)
    : embeddings_(std::move(embeddings)),
      layers_(std::move(layers)),
      norm_(std::move(norm)),
      head_(std::move(head)),
      cache_width_(config.key_value_heads * config.head_dim),
      rotary_(make_rotary_pairs(config.rotary, config.head_dim)) {
  LUQ_ASSERT(embeddings_->cols() == config.hidden_size && head_.in_features() == config.hidden_size);
}

kv_cache decoder::make_cache() const {
  return {static_cast<luq::index>(layers_.size()), cache_width_};
}

decoder_batch decoder::make_batch(std::vector<stacked_sequence> sequences,
                                  std::vector<luq::token_class> classes) const {
  std::vector<token_position> positions(classes.size());
  for (const stacked_sequence& sequence : sequences) {
    LUQ_ASSERT(sequence.cache != nullptr && sequence.cache->layers() == static_cast<luq::index>(layers_.size()));
    const std::span<const luq::token_class> own = std::span(classes).subspan(
        static_cast<std::size_t>(sequence.first_row), static_cast<std::size_t>(sequence.rows));
    std::ranges::copy(positions_of(own, sequence.grids, sequence.cache->next_position()),
                      positions.begin() + sequence.first_row);
  }
  rotary_table rotation(rotary_, positions);
  return {std::move(sequences), std::move(classes), std::move(positions), std::move(rotation), compute_};
}

void decoder::run(const decoder_batch& batch, luq::matrix& X, layer_observer* observer) const {
  for (const decoder_layer& layer : layers_) layer.forward(batch, X, observer);
  for (const stacked_sequence& sequence : batch.sequences) {
    sequence.cache->note_positions(
        std::span(batch.positions)
            .subspan(static_cast<std::size_t>(sequence.first_row), static_cast<std::size_t>(sequence.rows)));
  }
}

}  // namespace vlm

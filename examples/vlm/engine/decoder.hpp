// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A decoder of LLaMA's kind: table of embeddings, layers, final norm and head. It works on rows of embeddings, whether
// they come from the table or from an image.
#pragma once

#include <cstdint>
#include <luq/core/matrix_view.hpp>
#include <memory>
#include <vector>

#include "decoder_layer.hpp"

namespace vlm {

class decoder {
 public:
  /// @param weights     of its norms and layers
  /// @param embeddings  [vocabulary x hidden], not null
  /// @param head        as `embeddings`, and the same if it is tied
  decoder(const text_config& config, const weight_reader& weights, std::shared_ptr<const luq::matrix> embeddings,
          std::shared_ptr<const luq::matrix> head);

  /// A decoder of parts that are in memory.
  /// @param embeddings  [ids x hidden], not null; of fewer ids than the head has rows, the others cannot be embedded
  /// @param layers      numbered 0, 1, ... in this order
  /// @param head        [vocabulary x hidden]
  decoder(const text_config& config, std::shared_ptr<const luq::matrix> embeddings, std::vector<decoder_layer> layers,
          rms_norm norm, linear head);

  [[nodiscard]] luq::index vocabulary() const { return embeddings_->rows(); }
  [[nodiscard]] luq::index hidden_size() const { return embeddings_->cols(); }
  [[nodiscard]] auto embedding(std::int32_t id) const { return embeddings_->row(id); }

  [[nodiscard]] const std::vector<decoder_layer>& layers() const { return layers_; }
  [[nodiscard]] std::vector<decoder_layer>& layers() { return layers_; }

  [[nodiscard]] const linear& head() const { return head_; }

  /// How this decoder computes.
  [[nodiscard]] const compute_options& compute() const { return compute_; }
  void set_compute(const compute_options& compute) { compute_ = compute; }

  /// An empty cache of this decoder's shape.
  [[nodiscard]] kv_cache make_cache() const;

  /// The batch of stacked sequences that continue their caches.
  /// @param classes  one per row
  /// @throws luq::error as positions_of()
  [[nodiscard]] decoder_batch make_batch(std::vector<stacked_sequence> sequences,
                                         std::vector<luq::token_class> classes) const;

  /// Runs all layers: replaces X [rows x hidden] by the residual stream after the last, and advances the caches.
  /// @param observer  null for none
  void run(const decoder_batch& batch, luq::matrix& X, layer_observer* observer = nullptr) const;

  /// Logits of rows of the residual stream after the last layer.
  /// @param X  [rows x hidden]
  /// @return [rows x vocabulary]
  [[nodiscard]] luq::matrix logits(const luq::matrix_view& X) const { return head_(norm_(X), compute_); }

 private:
  std::shared_ptr<const luq::matrix> embeddings_;  // [vocabulary x hidden]
  std::vector<decoder_layer> layers_;
  rms_norm norm_;
  linear head_;
  luq::index cache_width_;
  rotary_pairs rotary_;
  compute_options compute_;
};

}  // namespace vlm

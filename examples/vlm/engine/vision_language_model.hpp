// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A model that is shown images and continues text: an encoder turns an image into rows of decoder embeddings, which
// take the places of the image tokens in a sequence, and a decoder continues the sequence. LLaVA-1.5 and Qwen2.5-VL are
// such (model_config.hpp); they differ in their encoders, and in where the tokens of an image stand
// (token_position.hpp).
//
//   vision_language_model model("examples/data/tiny-llava");
//   token_sequence prompt = model.sequence({1, 4, 4, ...});
//   encoded_images image = model.image_features({pixels, {}});        // once per image
//   luq::matrix logits = model.logits(prompt, &image);                // [tokens x vocabulary]
//
// All computation is in float unless packed linears are told to round their activations, and on the calling thread
// unless set_compute() gives others. Nothing in a model changes while it computes: what grows with a sequence is in the
// caller's kv_cache, so several threads may use one model. A copy shares all weights; replacing linears of a copy is
// how models that differ in their quantization live side by side.
#pragma once

#include <cstdint>
#include <filesystem>
#include <luq/core/matrix_view.hpp>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "decoder.hpp"
#include "image_encoder.hpp"
#include "model_config.hpp"
#include "token_sequence.hpp"

namespace vlm {

/// One sequence of a forward pass: tokens that continue what is in its cache.
struct sequence_step {
  const token_sequence* tokens;  ///< not null
  const encoded_images* image_features =
      nullptr;      ///< of the images whose tokens are in `tokens`, in order; null if none
  kv_cache* cache;  ///< not null; appended to, except for padding
};

/// Of which tokens logits are wanted. The head of a large vocabulary costs as much as a layer.
enum class logits_of {
  every_token,  ///< all sequences' tokens one after the other, padding included
  last_token,   ///< one row per sequence, of its last valid token
  no_token,
};

class vision_language_model {
 public:
  /// Reads a Hugging Face model directory: config.json and model.safetensors or its shards.
  /// @throws luq::error for a file that is missing or corrupt, a configuration of another architecture, a tensor that
  ///   is missing, of another shape, holds a NaN or an infinity, or that the configuration does not tell of
  explicit vision_language_model(const std::filesystem::path& directory);

  [[nodiscard]] const model_config& config() const noexcept { return config_; }

  /// Tokens without padding. For padded ones: token_sequence(ids, valid, config().image_token).
  [[nodiscard]] token_sequence sequence(std::vector<std::int32_t> ids) const {
    return {std::move(ids), config_.image_token};
  }

  /// What the decoder sees of one image.
  /// @throws luq::error shape_mismatch for an image that the model does not take, non_finite if a pixel is no finite
  ///   number
  [[nodiscard]] encoded_images image_features(const image& picture) const { return encoder_->encode(picture); }

  /// A cache for one sequence, empty.
  [[nodiscard]] kv_cache make_cache() const { return decoder_.make_cache(); }

  /// Whether a sequence with these image features, null for none, can be run.
  /// @throws luq::error shape_mismatch if image features and image tokens differ in number or those of an image are not
  ///   side by side, invalid_argument for an id outside the vocabulary, unsupported for places of a video,
  ///   insufficient_data for a sequence without a valid token
  void check(const token_sequence& tokens, const encoded_images* image_features = nullptr) const;

  /// Runs the decoder over several sequences together, which is faster than one after the other.
  /// @param batch     caches are of different sequences; all are advanced
  /// @param observer  null for none
  /// @return [rows x vocabulary], see logits_of
  /// @throws luq::error as check() for any of the sequences; caches are unchanged then
  luq::matrix forward(std::span<const sequence_step> batch, logits_of which, layer_observer* observer = nullptr) const;

  /// Logits of every token of one sequence that begins with these tokens, [tokens x vocabulary].
  [[nodiscard]] luq::matrix logits(const token_sequence& tokens, const encoded_images* image_features = nullptr) const;

  /// Embeddings of tokens, image features in their places: what the first decoder layer sees, [tokens x hidden].
  [[nodiscard]] luq::matrix embed(const token_sequence& tokens, const encoded_images* image_features = nullptr) const;

  /// The decoder, for callers that run its layers one by one or read its weights.
  [[nodiscard]] const decoder& text_decoder() const noexcept { return decoder_; }

  [[nodiscard]] const linear& decoder_linear_at(luq::index layer, decoder_linear which) const;

  /// How the decoder of this model computes: with float activations on the calling thread unless it is told otherwise.
  /// Copies take it over when they are made, and go their own way then.
  void set_compute(const compute_options& compute) { decoder_.set_compute(compute); }

  /// Replaces the weights of a linear in this model and in no copy of it; its bias stays.
  /// @throws luq::error shape_mismatch for another shape
  void set_decoder_weights(luq::index layer, decoder_linear which, linear::weights_pointer weights);

  /// Replaces packed decoder linears of this model, and of no copy of it, by copies on the GPU: all but those of codecs
  /// that have no products there, which stay where they are.
  /// @return how many are on the GPU then
  /// @throws luq::error as luq::cuda::open_device() and upload()
  luq::index move_decoder_to_device();

 private:
  struct files;  // the checkpoint and what it is made of, while it is read
  explicit vision_language_model(const files& stored);

  [[nodiscard]] luq::matrix embed_all(std::span<const sequence_step> batch) const;

  model_config config_;
  std::shared_ptr<const image_encoder> encoder_;
  decoder decoder_;
};

}  // namespace vlm

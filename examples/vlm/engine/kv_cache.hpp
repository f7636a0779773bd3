// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Keys and values of the tokens of one sequence that the decoder has seen, and where the next one stands. Many
// questions about one image share the image's prefix: run the prefix once, then copy the cache for each question, or
// truncate it after each.
#pragma once

#include <algorithm>
#include <cstddef>
#include <luq/core/aligned_buffer.hpp>
#include <luq/core/assert.hpp>
#include <luq/core/matrix_view.hpp>
#include <span>
#include <vector>

#include "token_position.hpp"

namespace vlm {

/// Keys and values of one layer, [tokens x key_value_heads * head_dim], keys already rotated. The buffers grow by
/// doubling and copy at their length, not their capacity. They start on a cache line because the order in which Eigen
/// adds up a row may depend on its alignment, which must not depend on the allocator.
class layer_cache {
 public:
  explicit layer_cache(luq::index width) : width_(width) {}

  [[nodiscard]] luq::index width() const { return width_; }
  [[nodiscard]] luq::index length() const { return static_cast<luq::index>(keys_.size()) / width_; }
  [[nodiscard]] auto keys() const { return luq::view(keys_.data(), length(), width_); }
  [[nodiscard]] auto values() const { return luq::view(values_.data(), length(), width_); }

  /// @param K  [tokens x width]; V as K
  void append(const luq::matrix_view& K, const luq::matrix_view& V) {
    LUQ_ASSERT(K.cols() == width_ && V.cols() == width_ && K.rows() == V.rows());
    append_rows(K, keys_);
    append_rows(V, values_);
  }

  void truncate(luq::index length) {
    LUQ_ASSERT(length >= 0 && length <= this->length());
    keys_.resize(static_cast<std::size_t>(length * width_));
    values_.resize(static_cast<std::size_t>(length * width_));
  }

 private:
  static void append_rows(const luq::matrix_view& rows, luq::aligned_buffer<float>& buffer) {
    for (luq::index r = 0; r < rows.rows(); ++r) {
      const float* const row = rows.data() + r * rows.outerStride();
      buffer.insert(buffer.end(), row, row + rows.cols());
    }
  }

  luq::index width_;
  luq::aligned_buffer<float> keys_;
  luq::aligned_buffer<float> values_;
};

/// One layer_cache per decoder layer, all of the same length between forward passes. Belongs to one sequence and one
/// thread at a time.
class kv_cache {
 public:
  /// @param width  key_value_heads * head_dim
  kv_cache(luq::index layers, luq::index width) : layers_(static_cast<std::size_t>(layers), layer_cache(width)) {}

  /// Tokens seen.
  [[nodiscard]] luq::index length() const { return layers_.empty() ? 0 : layers_.front().length(); }

  /// The position of the next token of text: behind all positions so far. An image of h x w tokens takes max(h, w).
  [[nodiscard]] luq::index next_position() const {
    LUQ_ASSERT(static_cast<luq::index>(next_positions_.size()) == length());
    return next_positions_.empty() ? 0 : next_positions_.back();
  }

  /// Tells where the tokens stand that all layers have appended since.
  void note_positions(std::span<const token_position> positions) {
    for (const token_position& position : positions) {
      const luq::index behind = *std::max_element(position.begin(), position.end()) + 1;
      next_positions_.push_back(next_positions_.empty() ? behind : std::max(next_positions_.back(), behind));
    }
  }

  /// Forgets all but the first `length` tokens.
  void truncate(luq::index length) {
    for (layer_cache& layer : layers_) layer.truncate(length);
    next_positions_.resize(std::min(next_positions_.size(), static_cast<std::size_t>(length)));
  }

  [[nodiscard]] luq::index layers() const { return static_cast<luq::index>(layers_.size()); }
  [[nodiscard]] layer_cache& layer(luq::index number) { return layers_[static_cast<std::size_t>(number)]; }

 private:
  std::vector<layer_cache> layers_;
  std::vector<luq::index> next_positions_;  // after each token
};

}  // namespace vlm

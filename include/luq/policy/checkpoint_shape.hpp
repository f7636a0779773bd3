// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// All tensors of a multimodal checkpoint by name and shape, and the part of the model that each belongs to
// (models/tensor_place.hpp): what a ledger of every byte needs, where a plan needs the decoder's linears alone
// (model_shape.hpp). A name without a place is an error rather than a row called "other": what is not understood cannot
// be promised.
#pragma once

#include <string>
#include <vector>

#include "luq/core/compiled.hpp"
#include "luq/core/error.hpp"
#include "luq/core/index.hpp"
#include "luq/models/tensor_place.hpp"
#include "luq/policy/model_shape.hpp"
#include "luq/policy/weight_storage.hpp"

namespace luq {

struct published_checkpoint;

/// One tensor of a checkpoint.
struct checkpoint_tensor {
  std::string name;
  std::vector<index> shape;  ///< each >= 1; empty for a scalar
  tensor_place place;
  block_format stored{"bf16", 1, 2};  ///< its type in the checkpoint, plain

  [[nodiscard]] index size() const {
    index product = 1;
    for (const index extent : shape) product *= extent;
    return product;
  }

  /// Whether a codec may take it: a matrix that multiplies, or a table of embeddings that rows are read of, but not the
  /// table of positions of a vision tower, which is added as a whole.
  [[nodiscard]] bool is_weight_matrix() const {
    return shape.size() == 2 && !name.ends_with("position_embedding.weight");
  }
};

/// The tensors of a checkpoint, in any order.
using checkpoint_shape = std::vector<checkpoint_tensor>;

/// A tensor whose place follows from its name.
/// @throws luq::error unsupported for a name that has none
[[nodiscard]] checkpoint_tensor make_checkpoint_tensor(std::string name, std::vector<index> shape,
                                                       block_format stored = {"bf16", 1, 2});

/// Parameters of all tensors.
[[nodiscard]] index parameters_of(const checkpoint_shape& checkpoint);

/// Checks what a ledger relies on: each tensor has a name of its own and at least one element, types are plain, there
/// are no more than most_weights parameters in all, and the decoder's layers are 0, 1, ... with a linear in each.
/// @throws luq::error invalid_argument
void require_valid(const checkpoint_shape& checkpoint);

/// The decoder's linears as plans name them, "model.layers.3.mlp.up_proj", in ascending order of names in each layer.
/// @throws luq::error as require_valid()
[[nodiscard]] model_shape decoder_linears_of(const checkpoint_shape& checkpoint);

/// All tensors of a published checkpoint (models/published_checkpoints.hpp).
[[nodiscard]] checkpoint_shape shape_of(const published_checkpoint& checkpoint);

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/policy/impl/checkpoint_shape.hpp"
#endif

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Where the bytes of a model are, computed from shapes alone: each decoder layer's linears as a plan says, all other
// parts as stated. A figure for "the decoder's linears" is what papers give and hides what ships with them; here the
// embeddings, the head, the vision tower and every norm stand beside it.
//
//   decoder linears                  what a plan covers
//   decoder          = linears + norms and biases, the final norm among them
//   language model   = decoder + embedding + head
//   whole model      = language model + projector + vision tower
//
// Bytes are those of the tensors; a file has a header on top (packed_model.hpp in io/ predicts it). Nominal bits are
// averages of nominal_bits() over parameters: what the literature would call the model.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "luq/core/compiled.hpp"
#include "luq/core/error.hpp"
#include "luq/core/index.hpp"
#include "luq/policy/checkpoint_shape.hpp"
#include "luq/policy/plan.hpp"
#include "luq/policy/weight_storage.hpp"

namespace luq {

/// Tensors of one part that are stored in one form, or a sum of such lines.
struct ledger_line {
  std::string module;  ///< part_name(), or the name of a sum
  std::string stored;  ///< storage_name(); empty for a sum
  index layers = 0;    ///< of the decoder that have linears in this line
  index tensors = 0;
  index parameters = 0;
  index bytes = 0;
  double nominal = 0;  ///< bits of all parameters, as the literature counts

  /// 8 * bytes / parameters; 0 without parameters
  [[nodiscard]] double true_bits() const { return parameters == 0 ? 0 : 8.0 * static_cast<double>(bytes) / weights(); }
  [[nodiscard]] double nominal_bits() const { return parameters == 0 ? 0 : nominal / weights(); }

  ledger_line& operator+=(const ledger_line& other) {
    layers += other.layers;
    tensors += other.tensors;
    parameters += other.parameters;
    bytes += other.bytes;
    nominal += other.nominal;
    return *this;
  }

 private:
  [[nodiscard]] double weights() const { return static_cast<double>(parameters); }
};

/// All bytes of a model.
struct ledger {
  std::vector<ledger_line> lines;  ///< by part in the order of model_parts, then in the order of the checkpoint
  ledger_line decoder_linears{"all decoder linears", "", 0, 0, 0, 0, 0};
  ledger_line decoder{"decoder", "", 0, 0, 0, 0, 0};
  ledger_line language_model{"language model", "", 0, 0, 0, 0, 0};
  ledger_line whole_model{"whole model", "", 0, 0, 0, 0, 0};
};

/// How the parts that no plan covers are stored. nullopt keeps the checkpoint's type. A block format or a codec applies
/// to the weight matrices of a part only: its norms, biases, convolutions and position tables keep their type.
struct part_storage {
  std::optional<weight_storage> decoder_vectors = std::nullopt;  ///< plain, since there are no matrices
  std::optional<weight_storage> embedding = std::nullopt;
  std::optional<weight_storage> head = std::nullopt;
  std::optional<weight_storage> projector = std::nullopt;
  std::optional<weight_storage> vision = std::nullopt;
};

/// The ledger of a checkpoint.
/// @param layers  how the linears of each decoder layer are stored
/// @throws luq::error shape_mismatch unless there is one storage per decoder layer, unsupported if a matrix does not
///   fit its blocks, invalid_argument if decoder vectors are to be packed, or as require_valid()
[[nodiscard]] ledger make_ledger(const checkpoint_shape& checkpoint, std::span<const weight_storage> layers,
                                 const part_storage& parts = {});

/// The forms that a plan gives the decoder's layers.
/// @throws luq::error shape_mismatch unless plan and checkpoint have the same linears in every layer, in any order, or
///   as require_consistent() and require_valid()
[[nodiscard]] std::vector<weight_storage> layer_storage(const plan& choice, const checkpoint_shape& checkpoint);

/// The first `low_layers` layers in one form and the others in another: for byte counts it is as good as any order
/// where layers have one shape.
/// @throws luq::error invalid_argument unless 0 <= low_layers <= layers
[[nodiscard]] std::vector<weight_storage> first_layers_low(index layers, index low_layers, const weight_storage& low,
                                                           const weight_storage& high);

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/policy/impl/ledger.hpp"
#endif

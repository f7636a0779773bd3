// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// How calibration watches a forward pass. The views are of the engine's own buffers and end with the call.
#pragma once

#include <luq/core/matrix_view.hpp>
#include <luq/estimators/token_class.hpp>
#include <span>

#include "decoder_linear.hpp"

namespace vlm {

/// Receives the activations of decoder layers, in the order of the computation, on the thread that runs the forward
/// pass. `classes` has one entry per row; rows of class padding carry no information. An override may throw: the
/// forward pass then ends with that exception, and its caches are to be discarded.
class layer_observer {
 public:
  virtual ~layer_observer() = default;

  /// What the linears that share this input are about to multiply.
  /// @param X  [tokens x in]
  virtual void on_linear_input(luq::index /*layer*/, linear_input /*input*/, const luq::matrix_view& /*X*/,
                               std::span<const luq::token_class> /*classes*/) {}

  /// The residual stream after a layer, before the final norm.
  /// @param X  [tokens x hidden]
  virtual void on_layer_output(luq::index /*layer*/, const luq::matrix_view& /*X*/,
                               std::span<const luq::token_class> /*classes*/) {}
};

}  // namespace vlm

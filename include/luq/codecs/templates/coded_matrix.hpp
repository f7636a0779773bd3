// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Decoding for one codec.
#pragma once

#include "luq/codecs/coded_matrix.hpp"

namespace luq {

template <WeightCodec Codec>
matrix coded_matrix<Codec>::decode(executor_ref executor) const {
  matrix W(rows(), cols());
  for (index r = 0; r < rows(); ++r) {
    for (index c = 0; c < cols(); ++c) W(r, c) = at(r, c);
  }
  if (transform) transform->restore_weights(W, executor);
  return W;
}

}  // namespace luq

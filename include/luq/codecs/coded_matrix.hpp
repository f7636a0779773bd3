// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A weight matrix as codes and parameters, before packing: what a quantizer produces and can still change. Codes may be
// those of a matrix Q of transformed inputs T x (input_transform.hpp); the matrix then stands for Q T.
#pragma once

#include <vector>

#include "luq/codecs/code_group.hpp"
#include "luq/codecs/input_transform.hpp"
#include "luq/codecs/tile_layout.hpp"
#include "luq/codecs/weight_codec.hpp"

namespace luq {

/// Codes of a [rows x cols] matrix and the parameters of its column groups.
template <WeightCodec Codec>
struct coded_matrix {
  Codec codec;
  basic_matrix<code> codes;              ///< [rows x cols]
  std::vector<group_parameters> groups;  ///< one per column group, in order of columns
  shared_transform transform = nullptr;  ///< T of the inputs that codes are for; null: as they are

  coded_matrix(const Codec& codec_, index rows, index cols)
      : codec(codec_),
        codes(basic_matrix<code>::Zero(rows, cols)),
        groups(static_cast<std::size_t>(tile_layout(codec_, rows, cols).groups())) {}

  [[nodiscard]] index rows() const { return codes.rows(); }
  [[nodiscard]] index cols() const { return codes.cols(); }

  /// What the code at row r, column c stands for: an element of Q.
  [[nodiscard]] float at(index r, index c) const {
    const index size = group_size(codec, cols());
    const group_parameters& group = groups[static_cast<std::size_t>(c / size)];
    return decode_weight(codec, codes(r, c), group.row(r), group.class_of(c % size));
  }

  /// The whole matrix in float, in the basis of the inputs as they are: Q T.
  [[nodiscard]] matrix decode(executor_ref executor = {}) const;
};

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/codecs/templates/coded_matrix.hpp"
#endif

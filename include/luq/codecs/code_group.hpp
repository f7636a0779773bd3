// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Coding one column group for itself: its parameters are fitted to its weights, and each weight takes the nearest code.
// Which codes are chosen for the good of a layer's output is the business of a quantizer, which calls these for the
// groups it meets.
//
// Rows are fitted one by one (fit_row), in parallel by chunks of them. A codec may code a whole row at once (code_row:
// a trellis) or all rows of a group together (code_group: BiLLM, whose salient columns are those of all rows).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "luq/codecs/detail/fit_weights.hpp"
#include "luq/codecs/detail/row_chunks.hpp"
#include "luq/codecs/weight_codec.hpp"
#include "luq/core/executor.hpp"
#include "luq/core/matrix_view.hpp"

namespace luq {

/// The parameters of one column group.
struct group_parameters {
  matrix values;  ///< [rows x parameter_count<Codec>], each value exactly as the packed form restores it
  std::vector<std::uint8_t> column_class;  ///< class of each column; empty if the codec has only one class

  [[nodiscard]] const float* row(index r) const { return values.data() + r * values.cols(); }
  [[nodiscard]] int class_of(index column) const {
    return column_class.empty() ? 0 : column_class[static_cast<std::size_t>(column)];
  }
};

/// One column group, coded.
struct coded_group {
  group_parameters parameters;
  basic_matrix<code> codes;  ///< [rows x columns of the group]
};

/// Codes the group W [rows x columns] for itself.
/// @param importance  one weight >= 0 for each column's squared error (a Hessian's view of it); empty for equal weights
/// @throws luq::error non_finite if a parameter does not fit its storage type
template <WeightCodec Codec>
[[nodiscard]] coded_group code_group(const Codec& codec, const matrix_view& W, std::span<const float> importance,
                                     executor_ref executor = {}) {
  if constexpr (requires { codec.code_group(W, importance, executor); }) {
    return codec.code_group(W, importance, executor);
  } else {
    const std::vector<float> weights = detail::fit_weights(importance, W.cols());
    coded_group result{{matrix(W.rows(), parameter_count<Codec>), {}}, basic_matrix<code>(W.rows(), W.cols())};
    detail::for_each_row_chunk(W.rows(), executor, [&](index first, index rows) {
      for (index r = first; r < first + rows; ++r) {
        const std::span w(W.row(r).data(), static_cast<std::size_t>(W.cols()));
        float* parameters = result.parameters.values.row(r).data();
        code* codes = result.codes.row(r).data();
        if constexpr (SequenceCodec<Codec>) {
          codec.code_row(w, weights, parameters, codes);
        } else {
          codec.fit_row(w, weights, parameters);
          for (std::size_t c = 0; c < w.size(); ++c) codes[c] = codec.encode(w[c], parameters, 0);
        }
      }
    });
    return result;
  }
}

/// The parameters of a group; arguments as code_group().
template <WeightCodec Codec>
[[nodiscard]] group_parameters fit_group(const Codec& codec, const matrix_view& W, std::span<const float> importance,
                                         executor_ref executor = {}) {
  if constexpr (requires { codec.code_group(W, importance, executor); }) {
    return codec.code_group(W, importance, executor).parameters;
  } else {
    const std::vector<float> weights = detail::fit_weights(importance, W.cols());
    group_parameters result{matrix(W.rows(), parameter_count<Codec>), {}};
    detail::for_each_row_chunk(W.rows(), executor, [&](index first, index rows) {
      for (index r = first; r < first + rows; ++r) {
        codec.fit_row(std::span(W.row(r).data(), static_cast<std::size_t>(W.cols())), std::span<const float>(weights),
                      result.values.row(r).data());
      }
    });
    return result;
  }
}

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/codecs/templates/billm_codec.hpp"
#endif

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What the front door asks of its arguments first.
#pragma once

#include "luq/codecs/weight_codec.hpp"
#include "luq/core/all_finite.hpp"
#include "luq/core/error.hpp"
#include "luq/core/is_finite.hpp"
#include "luq/core/matrix_view.hpp"
#include "luq/quantizers/detail/codec_archetypes.hpp"
#include "luq/quantizers/quantizer.hpp"

namespace luq::detail {

/// Says which part of the call a quantizer lacks.
template <class Codec, class Q>
constexpr void require_quantizer() {
  constexpr bool says_what_it_needs = requires { Q::needs_inputs; };
  static_assert(says_what_it_needs, "a quantizer says `static constexpr bool needs_inputs`: see quantizer.hpp");
  static_assert(!(SequenceCodec<Codec> && QuantizerFor<Q, memoryless_archetype> && !QuantizerFor<Q, Codec>),
                "this quantizer takes memoryless codecs only, and the codes of this codec depend on one another: take "
                "luq::beam_search, luq::billm or luq::round_to_nearest");
  static_assert(QuantizerFor<Q, Codec> || SequenceCodec<Codec>,
                "a quantizer has `coded_matrix<Codec> operator()(const linear_problem&, const Codec&, const "
                "quantize_context&, quantize_report&) const`: see quantizer.hpp");
}

inline void require_finite_weights(const matrix_view& W) {
  if (all_finite(W)) return;
  for (index r = 0; r < W.rows(); ++r) {
    for (index c = 0; c < W.cols(); ++c) {
      if (!is_finite(W(r, c))) {
        fail(errc::non_finite, "weights: expected finite numbers, got ", W(r, c), " at row ", r, ", column ", c);
      }
    }
  }
}

template <WeightCodec Codec>
void require_valid_group(const Codec& codec) {
  if (codec.group < 0) {
    fail(errc::invalid_argument, "codec ", codec_name(codec), ": expected group >= 1 or luq::whole_row, got ",
         codec.group);
  }
}

/// `what` is a [rows x cols] matrix that must be [in x in].
inline void require_square(const matrix_view& W, const char* what, index rows, index cols) {
  if (rows != W.cols() || cols != W.cols()) {
    fail(errc::shape_mismatch, what, ": expected ", W.cols(), " x ", W.cols(), " for weights of ", W.cols(),
         " inputs, got ", rows, " x ", cols);
  }
}

/// @param who  needs inputs, for the message
inline void require_inputs(const linear_problem& problem, const char* who) {
  if (problem.inputs == nullptr) {
    fail(errc::insufficient_data, who, ": expected inputs of the linear (luq::linear_inputs), got weights alone");
  }
}

template <WeightCodec Codec>
void require_valid(const linear_problem& problem, const Codec& codec) {
  require_finite_weights(problem.W);
  require_valid_group(codec);
  if (problem.inputs != nullptr) {
    require_square(problem.W, "inputs", problem.inputs->in_features(), problem.inputs->in_features());
  }
}

/// What the front door asks before any quantizer is called.
template <class Q, WeightCodec Codec>
void require_quantizable(const linear_problem& problem, const Codec& codec) {
  require_quantizer<Codec, Q>();
  require_valid(problem, codec);
  if (Q::needs_inputs) require_inputs(problem, "quantizer");
}

}  // namespace luq::detail

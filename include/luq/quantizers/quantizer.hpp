// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What a quantizer is: the search for the codes of one weight matrix under what is known of its inputs. It knows how
// error travels from column to column, not what a code means; every quantizer works with every codec of its kind.
//
//   struct my_search {
//     static constexpr bool needs_inputs = true;
//     template <luq::MemorylessCodec Codec>  // or luq::WeightCodec, where codes may depend on one another
//     luq::coded_matrix<Codec> operator()(const luq::linear_problem& problem, const Codec& codec,
//                                         const luq::quantize_context& context, luq::quantize_report& report) const;
//   };
#pragma once

#include <concepts>
#include <cstdint>

#include "luq/codecs/coded_matrix.hpp"
#include "luq/codecs/weight_codec.hpp"
#include "luq/core/executor.hpp"
#include "luq/core/matrix_view.hpp"
#include "luq/core/progress.hpp"
#include "luq/quantizers/detail/codec_archetypes.hpp"
#include "luq/quantizers/linear_inputs.hpp"

namespace luq {

/// A weight matrix and what is known of its inputs; both must outlive it.
struct linear_problem {
  matrix_view W;                          ///< [out x in]; read only
  const linear_inputs* inputs = nullptr;  ///< null: nothing is known

  template <std::convertible_to<matrix_view> Weights>
  linear_problem(const Weights& W_) : W(W_) {}  // NOLINT(google-explicit-constructor): weights alone are a problem
  template <std::convertible_to<matrix_view> Weights>
  linear_problem(const Weights& W_, const linear_inputs& inputs_) : W(W_), inputs(&inputs_) {}
  template <std::convertible_to<matrix_view> Weights>
  linear_problem(const Weights& W_, const linear_inputs* inputs_) : W(W_), inputs(inputs_) {}
  template <std::convertible_to<matrix_view> Weights>
  linear_problem(const Weights& W_, linear_inputs&& inputs_) = delete;  // would not outlive it
};

/// Where and how work is done.
struct quantize_context {
  executor_ref executor = {};
  /// Told of the exponents of AWQ's search, the one step that quantizes many times; null: nobody is.
  progress_observer* progress = nullptr;
  std::uint64_t seed = 0;  ///< of random rotations
};

/// What a quantizer found out on its way. Behind a transform it is about the transformed problem.
struct quantize_report {
  double damp = 0;         ///< share of mean_live_diagonal(H) added to the diagonal; 0 if no Hessian was factorised
  int factorizations = 0;  ///< attempts of the damping ladder for the factor that was used
  /// Inputs that were zero for every token of the Hessian that was factorised. Their weights were set to zero before
  /// they were coded, as published with GPTQ: what they would do to inputs other than those seen is lost.
  index dead_columns = 0;
  double loss = 0;  ///< sum of (w - q)^2 / U_jj^2 over all weights as they stood when coded; 0 without a Hessian
};

/// `quantizer(problem, codec, context, report)` returns the codes of problem.W. Weights are finite, inputs are of their
/// width, and there are inputs if Q::needs_inputs (luq::quantize checks). The codes' transform is left empty.
template <class Q, class Codec>
concept QuantizerFor =
    WeightCodec<Codec> && requires(const Q& quantizer, const linear_problem& problem, const Codec& codec,
                                   const quantize_context& context, quantize_report& report) {
      { Q::needs_inputs } -> std::convertible_to<bool>;
      { quantizer(problem, codec, context, report) } -> std::same_as<coded_matrix<Codec>>;
    };

/// A quantizer of codecs of some kind: memoryless, sequence, or both.
template <class Q>
concept Quantizer = QuantizerFor<Q, detail::memoryless_archetype> || QuantizerFor<Q, detail::sequence_archetype>;

}  // namespace luq

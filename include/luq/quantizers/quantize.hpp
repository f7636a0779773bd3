// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The front door for codecs and quantizers that are known while compiling: a problem, a transform if one is wanted, a
// codec and a quantizer go in, a packed matrix comes out.
//
//   luq::linear_inputs inputs(in_features);  inputs.add(X);
//   auto plain = luq::quantize({W, inputs}, luq::int_codec<4>{.group = 128}, luq::gptq{});
//   auto turned = luq::quantize({W, inputs}, luq::hadamard{}, luq::int_codec<2>{}, luq::refined<>{});
//
// For what is chosen at run time, by its text form, see quantize_recipe.hpp.
//
// A transform T (codecs/input_transform.hpp) changes the problem, not the quantizer: codes are chosen for W' = W T^-1
// under H' = T H T^T, and the matrix decodes to Q T. Since (W' - Q) H' (W' - Q)^T = (W - Q T) H (W - Q T)^T, what the
// quantizer minimises is still the output error of the layer.
#pragma once

#include <concepts>
#include <utility>

#include "luq/codecs/packed_matrix.hpp"
#include "luq/quantizers/detail/checks.hpp"
#include "luq/quantizers/detail/transformed_codes.hpp"
#include "luq/quantizers/quantizer.hpp"

namespace luq {

/// A packed matrix and what its quantizer found out.
template <WeightCodec Codec>
struct quantized_linear {
  packed_matrix<Codec> packed;  ///< codes, parameters and transform
  quantize_report report;

  [[nodiscard]] double bits_per_weight() const { return packed.bits_per_weight(); }
};

/// A search for the transform of a problem's inputs: `transform.find(problem, codec, quantizer, context)` returns it.
/// One that has `transform.refit(problem, coded, context)` as well is given the codes that were chosen under it, and
/// returns what takes its place. One whose `T::is_shared` is true finds the same for all linears with the same inputs,
/// so that the statistics of transformed inputs are kept for them.
template <class T, class Codec, class Q>
concept TransformSearch = requires(const T transform, const linear_problem& problem, const Codec& codec,
                                   const Q& quantizer, const quantize_context& context) {
  { transform.find(problem, codec, quantizer, context) } -> std::same_as<shared_transform>;
};

/// A transform that is known already, as one that several linears share.
struct given_transform {
  shared_transform transform;  ///< not null

  static constexpr bool is_shared = true;

  template <class Codec, class Q>
  [[nodiscard]] shared_transform find(const linear_problem&, const Codec&, const Q&, const quantize_context&) const {
    return transform;
  }
};

/// Codes of problem.W, for callers that want to look at codes or change them before packing.
/// @param report  filled if not null
/// @throws luq::error non_finite, shape_mismatch, indefinite_hessian, invalid_argument; insufficient_data if the
///   quantizer needs inputs and there are none, or if all of them were zero
template <WeightCodec Codec, class Q>
[[nodiscard]] coded_matrix<Codec> quantize_codes(const linear_problem& problem, const Codec& codec, const Q& quantizer,
                                                 const quantize_context& context = {},
                                                 quantize_report* report = nullptr) {
  detail::require_quantizable<Q>(problem, codec);
  quantize_report local;
  coded_matrix<Codec> result = quantizer(problem, codec, context, local);
  if (report != nullptr) *report = local;
  return result;
}

/// Quantizes and packs problem.W. A quantizer that has `quantizer.packed(problem, codec, context, report)`, the packed
/// matrix of the codes it would choose, is asked for that: gptq never has all codes in memory then.
/// @throws luq::error as quantize_codes()
template <WeightCodec Codec, class Q>
[[nodiscard]] quantized_linear<Codec> quantize(const linear_problem& problem, const Codec& codec, const Q& quantizer,
                                               const quantize_context& context = {}) {
  quantize_report report;
  if constexpr (requires { quantizer.packed(problem, codec, context, report); }) {
    detail::require_quantizable<Q>(problem, codec);
    packed_matrix<Codec> packed = quantizer.packed(problem, codec, context, report);
    return {std::move(packed), report};
  } else {
    const coded_matrix<Codec> codes = quantize_codes(problem, codec, quantizer, context, &report);
    return {pack(codes), report};
  }
}

/// Likewise under a transform, which becomes part of the packed matrix.
/// @throws luq::error also what the transform throws for weights it cannot take
template <WeightCodec Codec, class Q, TransformSearch<Codec, Q> Transform>
[[nodiscard]] quantized_linear<Codec> quantize(const linear_problem& problem, const Transform& transform,
                                               const Codec& codec, const Q& quantizer,
                                               const quantize_context& context = {}) {
  detail::require_quantizable<Q>(problem, codec);
  const shared_transform found = transform.find(problem, codec, quantizer, context);
  if (found->in_features() != problem.W.cols()) {
    fail(errc::shape_mismatch, "input transform ", found->name(), ": expected ", problem.W.cols(), " columns, got ",
         found->in_features());
  }
  quantize_report report;
  constexpr bool is_shared = requires { requires Transform::is_shared; };
  coded_matrix<Codec> codes =
      detail::codes_of_transformed(problem, found, is_shared, codec, quantizer, context, report);
  if constexpr (requires { transform.refit(problem, codes, context); }) {
    codes.transform = transform.refit(problem, codes, context);
  }
  return {pack(codes), report};
}

}  // namespace luq

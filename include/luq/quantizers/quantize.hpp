// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The front door: weights, a Hessian, a codec and a quantizer go in, a packed matrix comes out.
//
//   luq::hessian H(in_features);  H.add(X);
//   auto packed = luq::quantize(W, H, luq::int_codec<4>{.group = 128}, luq::gptq{});
//
// Linears with the same inputs share one factorisation, and a Hessian that is given away is factorised in its own
// memory. Quantizing then takes the weights, one Hessian, and little more:
//
//   const luq::gptq quantizer;
//   const luq::hessian_factor factor = quantizer.factorize(std::move(H).matrix(), executor);
//   auto gate = luq::quantize(W_gate, factor, luq::int_codec<4>{}, quantizer, nullptr, executor);
//   auto up = luq::quantize(W_up, factor, luq::int_codec<4>{}, quantizer, nullptr, executor);
#pragma once

#include <concepts>
#include <utility>

#include "luq/codecs/packed_matrix.hpp"
#include "luq/core/executor.hpp"
#include "luq/estimators/hessian.hpp"
#include "luq/quantizers/detail/checks.hpp"
#include "luq/quantizers/hessian_factor.hpp"
#include "luq/quantizers/quantizer.hpp"

namespace luq {

/// A quantizer that works from a factor of the Hessian: factorize(H, executor) makes it in the memory of H, and
/// quantizer(W, factor, codec, executor, report) gives the codes that quantizer(W, H, ...) does.
template <class Q>
concept FactorQuantizer = Quantizer<Q> && requires(const Q quantizer, matrix H) {
  { quantizer.factorize(std::move(H), serial_executor{}) } -> std::same_as<hessian_factor>;
};

/// Codes of W [out x in] under H [in x in], for callers that want to look at codes or change them before packing.
/// H is symmetric, any positive multiple of sum_t x_t x_t^T; read only, as is W.
/// @param report    filled if not null
/// @throws luq::error non_finite, shape_mismatch, indefinite_hessian, invalid_argument; insufficient_data if the
///   quantizer needs a Hessian and that is zero, as is one without tokens
template <WeightCodec Codec, Quantizer Q>
[[nodiscard]] coded_matrix<Codec> quantize_codes(const matrix_view& W, const matrix_view& H, const Codec& codec,
                                                 const Q& quantizer, quantize_report* report = nullptr,
                                                 executor_ref executor = {}) {
  detail::require_valid(W, codec, "Hessian", H.rows(), H.cols());
  quantize_report local;
  coded_matrix<Codec> result = quantizer(W, H, codec, executor, local);
  if (report != nullptr) *report = local;
  return result;
}

/// Quantizes and packs W [out x in] under a factor that the same quantizer has made, shared by linears of equal inputs.
/// @throws luq::error non_finite, shape_mismatch, invalid_argument
template <WeightCodec Codec, FactorQuantizer Q>
[[nodiscard]] packed_matrix<Codec> quantize(const matrix_view& W, const hessian_factor& factor, const Codec& codec,
                                            const Q& quantizer, quantize_report* report = nullptr,
                                            executor_ref executor = {}) {
  detail::require_valid(W, codec, "factor", factor.U.rows(), factor.U.cols());
  quantize_report local;
  quantize_report& target = report != nullptr ? *report : local;
  target = {};
  if constexpr (requires { quantizer.packed(W, factor, codec, executor, target); }) {
    return quantizer.packed(W, factor, codec, executor, target);
  } else {
    return pack(quantizer(W, factor, codec, executor, target));
  }
}

/// Quantizes and packs W [out x in] under the Hessian of its inputs, whose memory becomes that of its factor. This is
/// the way of least memory. H is lost, also where an error is thrown.
/// @throws luq::error as quantize_codes; insufficient_data also if H has seen no token
template <WeightCodec Codec, FactorQuantizer Q>
[[nodiscard]] packed_matrix<Codec> quantize(const matrix_view& W, hessian&& H, const Codec& codec, const Q& quantizer,
                                            quantize_report* report = nullptr, executor_ref executor = {}) {
  detail::require_tokens(H);
  detail::require_valid(W, codec, "Hessian", H.in_features(), H.in_features());
  return quantize(W, quantizer.factorize(std::move(H).matrix(), executor), codec, quantizer, report, executor);
}

/// Quantizes and packs W [out x in] under the Hessian of its inputs; read only.
/// @throws luq::error as quantize_codes; insufficient_data also if H has seen no token
template <WeightCodec Codec, Quantizer Q>
[[nodiscard]] packed_matrix<Codec> quantize(const matrix_view& W, const hessian& H, const Codec& codec,
                                            const Q& quantizer, quantize_report* report = nullptr,
                                            executor_ref executor = {}) {
  if constexpr (FactorQuantizer<Q>) {
    return quantize(W, hessian(H), codec, quantizer, report, executor);
  } else {
    detail::require_tokens(H);
    return pack(quantize_codes(W, H.matrix(), codec, quantizer, report, executor));
  }
}

/// Quantizes and packs W [out x in] without activations, for quantizers that need none.
template <WeightCodec Codec, Quantizer Q>
requires(!Q::needs_hessian)
[[nodiscard]] packed_matrix<Codec> quantize(const matrix_view& W, const Codec& codec, const Q& quantizer,
                                            executor_ref executor = {}) {
  detail::require_finite_weights(W);
  detail::require_valid_group(codec);
  quantize_report report;
  return pack(quantizer(W, matrix(), codec, executor, report));
}

}  // namespace luq

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The front door: weights, a Hessian, a codec and a quantizer go in, a packed matrix comes out.
//
//   luq::hessian H(in_features);  H.add(X);
//   auto packed = luq::quantize(W, H, luq::int_codec<4>{.group = 128}, luq::gptq{});
#pragma once

#include "luq/codecs/packed_matrix.hpp"
#include "luq/core/error.hpp"
#include "luq/core/executor.hpp"
#include "luq/estimators/hessian.hpp"
#include "luq/quantizers/quantizer.hpp"

namespace luq {

namespace detail {

inline void require_finite_weights(const matrix_view& W) {
  if (W.allFinite()) return;
  for (index r = 0; r < W.rows(); ++r) {
    for (index c = 0; c < W.cols(); ++c) {
      if (!std::isfinite(W(r, c))) {
        fail(errc::non_finite, "weights: expected finite numbers, got ", W(r, c), " at row ", r, ", column ", c);
      }
    }
  }
}

template <WeightCodec Codec>
void require_valid_group(const Codec& codec) {
  if (codec.group < 0) {
    fail(errc::invalid_argument, "codec ", codec.name(), ": expected group >= 1 or luq::whole_row, got ", codec.group);
  }
}

}  // namespace detail

/// Codes of W [out x in] under H [in x in], for callers that want to look at codes or change them before packing.
/// H is symmetric, any positive multiple of sum_t x_t x_t^T; read only, as is W.
/// @param report    filled if not null
/// @throws luq::error non_finite, shape_mismatch, indefinite_hessian, invalid_argument
template <WeightCodec Codec, Quantizer Q, Executor E = serial_executor>
[[nodiscard]] coded_matrix<Codec> quantize_codes(const matrix_view& W, const matrix_view& H, const Codec& codec,
                                                 const Q& quantizer, quantize_report* report = nullptr,
                                                 const E& executor = {}) {
  detail::require_finite_weights(W);
  detail::require_valid_group(codec);
  if (H.rows() != W.cols() || H.cols() != W.cols()) {
    fail(errc::shape_mismatch, "Hessian: expected ", W.cols(), " x ", W.cols(), " for weights of ", W.cols(),
         " inputs, got ", H.rows(), " x ", H.cols());
  }
  quantize_report local;
  coded_matrix<Codec> result = quantizer(W, H, codec, executor, local);
  if (report != nullptr) *report = local;
  return result;
}

/// Quantizes and packs W [out x in] under the Hessian of its inputs.
/// @throws luq::error as quantize_codes, and insufficient_data if H has seen no token
template <WeightCodec Codec, Quantizer Q, Executor E = serial_executor>
[[nodiscard]] packed_matrix<Codec> quantize(const matrix_view& W, const hessian& H, const Codec& codec,
                                            const Q& quantizer, quantize_report* report = nullptr,
                                            const E& executor = {}) {
  if (H.tokens() == 0) fail(errc::insufficient_data, "Hessian of ", W.cols(), " inputs: no token was added to it");
  return pack(quantize_codes(W, H.matrix(), codec, quantizer, report, executor));
}

/// Quantizes and packs W [out x in] without activations, for quantizers that need none.
template <WeightCodec Codec, Quantizer Q, Executor E = serial_executor>
requires(!Q::needs_hessian) [[nodiscard]] packed_matrix<Codec> quantize(const matrix_view& W, const Codec& codec,
                                                                        const Q& quantizer, const E& executor = {}) {
  detail::require_finite_weights(W);
  detail::require_valid_group(codec);
  quantize_report report;
  return pack(quantizer(W, matrix(), codec, executor, report));
}

}  // namespace luq

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Quantizing under a Hessian that is a matrix, which most tests have: luq::quantize_codes without what it takes to make
// a problem of it.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <utility>

#include "luq/quantizers/quantize.hpp"

namespace luq_test {

/// Codes of W [out x in] under H [in x in].
/// @param report  filled if not null
template <class Codec, class Quantizer>
luq::coded_matrix<Codec> quantize_codes(const luq::matrix_view& W, const luq::matrix_view& H, const Codec& codec,
                                        const Quantizer& quantizer, luq::quantize_report* report = nullptr,
                                        luq::executor_ref executor = {}) {
  const luq::linear_inputs inputs = luq::linear_inputs::borrow(H);
  return luq::quantize_codes({W, inputs}, codec, quantizer, {.executor = executor}, report);
}

/// Likewise behind quantized layers, under the drift D [in x in] of the inputs as well.
template <class Codec, class Quantizer>
luq::coded_matrix<Codec> quantize_codes_with_drift(const luq::matrix_view& W, const luq::matrix_view& H,
                                                   const luq::matrix& D, const Codec& codec, const Quantizer& quantizer,
                                                   luq::quantize_report* report = nullptr,
                                                   luq::executor_ref executor = {}) {
  luq::linear_inputs inputs = luq::linear_inputs::borrow(H);
  inputs.set_drift(D);
  return luq::quantize_codes({W, inputs}, codec, quantizer, {.executor = executor}, report);
}

/// Codes of W [out x in] under H [in x in] and a transform, packed with it.
template <class Transform, class Codec, class Quantizer>
luq::packed_matrix<Codec> quantize_transformed(const luq::matrix_view& W, const luq::matrix_view& H,
                                               const Transform& transform, const Codec& codec,
                                               const Quantizer& quantizer, const luq::quantize_context& context = {},
                                               luq::quantize_report* report = nullptr) {
  const luq::linear_inputs inputs = luq::linear_inputs::borrow(H);
  auto result = luq::quantize({W, inputs}, transform, codec, quantizer, context);
  if (report != nullptr) *report = result.report;
  return std::move(result.packed);
}

/// What the codes of a packed matrix stand for, in the basis of the transformed inputs.
template <class Codec>
luq::matrix decode_own_basis(const luq::packed_matrix<Codec>& packed) {
  luq::coded_matrix<Codec> codes = packed.unpack();
  codes.transform = nullptr;
  return codes.decode();
}

/// The bytes of codes and parameters, without those of the transform.
template <class Codec>
std::span<const std::byte> bytes_of_codes(const luq::packed_matrix<Codec>& packed) {
  return packed.bytes().first(static_cast<std::size_t>(packed.layout().bytes()));
}

/// The bytes of the transform.
template <class Codec>
std::span<const std::byte> bytes_of_transform(const luq::packed_matrix<Codec>& packed) {
  return packed.bytes().subspan(static_cast<std::size_t>(packed.layout().bytes()));
}

/// A transform as the given_transform of a problem.
template <class Transform>
luq::given_transform given(const Transform& transform) {
  return {std::make_shared<const Transform>(transform)};
}

}  // namespace luq_test

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What a program that quantizes to two codecs compiles.
#include <luq/codecs/int_codec.hpp>
#include <luq/codecs/sign_codec.hpp>
#include <luq/quantizers/gptq.hpp>
#include <luq/quantizers/quantize.hpp>

luq::packed_matrix<luq::sign_codec> to_signs(const luq::matrix_view& W, const luq::linear_inputs& inputs) {
  return luq::quantize({W, inputs}, luq::sign_codec{.group = 128}, luq::gptq{}).packed;
}

luq::packed_matrix<luq::int_codec<4>> to_integers(const luq::matrix_view& W, const luq::linear_inputs& inputs) {
  return luq::quantize({W, inputs}, luq::int_codec<4>{.group = 128}, luq::gptq{}).packed;
}

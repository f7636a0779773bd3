// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Codes of few values: signs, and what is stored in planes of bits.
#include <luq/codecs/billm_codec.hpp>
#include <luq/codecs/lut2_codec.hpp>
#include <luq/codecs/sign_codec.hpp>
#include <luq/codecs/ternary_codec.hpp>

#include "quantize_linear_definition.hpp"

namespace luq_python {

template luq::packed_matrix<luq::sign_codec> quantize_linear(const luq::matrix_view&, const luq::matrix_view&,
                                                             const luq::sign_codec&, luq::code_search,
                                                             luq::quantize_report&);
template luq::packed_matrix<luq::ternary_codec> quantize_linear(const luq::matrix_view&, const luq::matrix_view&,
                                                                const luq::ternary_codec&, luq::code_search,
                                                                luq::quantize_report&);
template luq::packed_matrix<luq::lut2_codec> quantize_linear(const luq::matrix_view&, const luq::matrix_view&,
                                                             const luq::lut2_codec&, luq::code_search,
                                                             luq::quantize_report&);
template luq::packed_matrix<luq::billm_codec> quantize_linear(const luq::matrix_view&, const luq::matrix_view&,
                                                              const luq::billm_codec&, luq::code_search,
                                                              luq::quantize_report&);

}  // namespace luq_python

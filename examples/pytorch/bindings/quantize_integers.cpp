// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Codes that are integers.
#include <luq/codecs/int_codec.hpp>

#include "quantize_linear_definition.hpp"

namespace luq_python {

template luq::packed_matrix<luq::int_codec<2>> quantize_linear(const luq::matrix_view&, const luq::matrix_view&,
                                                               const luq::int_codec<2>&, luq::code_search,
                                                               luq::quantize_report&);
template luq::packed_matrix<luq::int_codec<3>> quantize_linear(const luq::matrix_view&, const luq::matrix_view&,
                                                               const luq::int_codec<3>&, luq::code_search,
                                                               luq::quantize_report&);
template luq::packed_matrix<luq::int_codec<4>> quantize_linear(const luq::matrix_view&, const luq::matrix_view&,
                                                               const luq::int_codec<4>&, luq::code_search,
                                                               luq::quantize_report&);
template luq::packed_matrix<luq::int_codec<8>> quantize_linear(const luq::matrix_view&, const luq::matrix_view&,
                                                               const luq::int_codec<8>&, luq::code_search,
                                                               luq::quantize_report&);

}  // namespace luq_python

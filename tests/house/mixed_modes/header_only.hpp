// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <luq/codecs/any_packed_matrix.hpp>

namespace mixed_modes {

luq::matrix quantize_header_only(const luq::matrix& W, const luq::matrix& X);
luq::any_packed_matrix pack_header_only(const luq::matrix& W);
void multiply_header_only(const luq::any_packed_matrix& W, const luq::matrix& X, luq::matrix& Y);
void fail_header_only();

}  // namespace mixed_modes

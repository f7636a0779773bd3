// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// X W^T by plain inclusion of matmul.hpp, in units compiled for different instruction sets. What passes between them
// owns no memory: Eigen's matrices are allocated in a way that depends on the compiler's flags.
#pragma once

#include <luq/codecs/int_codec.hpp>
#include <luq/codecs/packed_matrix.hpp>
#include <luq/core/matrix_view.hpp>

namespace two_instruction_sets {

using packed_weights = luq::packed_matrix<luq::int_codec<4>>;

/// Compiled for what every machine has.
void multiply_in_baseline_unit(const packed_weights& W, const luq::matrix_view& X, luq::mutable_matrix_view Y);

/// Compiled for AVX2 with FMA.
void multiply_in_avx2_unit(const packed_weights& W, const luq::matrix_view& X, luq::mutable_matrix_view Y);

}  // namespace two_instruction_sets

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The fast Walsh-Hadamard transform.
#pragma once

#include "luq/core/compiled.hpp"
#include "luq/core/index.hpp"

namespace luq::detail {

/// x becomes H_n x, for n a power of two. Sums of a term are in an order that depends on n alone, so the result is the
/// same bits for any vector length: products with +-1 are exact.
void walsh_hadamard(float* x, index n);

}  // namespace luq::detail

#ifndef LUQ_COMPILED
#include "luq/codecs/impl/walsh_hadamard.hpp"
#endif

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The symbol that units of the same alignment need.
#pragma once

#ifdef LUQ_COMPILED

#include "luq/core/detail/eigen_alignment.hpp"

namespace luq::detail {

template <int Bytes>
const char compiled_for_eigen_alignment<Bytes>::value = 0;

template struct compiled_for_eigen_alignment<EIGEN_MAX_ALIGN_BYTES>;

}  // namespace luq::detail

#endif

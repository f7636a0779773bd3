// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Eigen allocates and frees matrices by the alignment that it was compiled for, which follows from the instruction set:
// a matrix that one unit allocates and another frees corrupts memory if the two disagree. A program whose units
// disagree with luq::compiled does not link: each unit needs a symbol that has the alignment in its name.
#pragma once

#ifdef LUQ_COMPILED

#include <Eigen/Core>

namespace luq::detail {

/// Its value is defined in luq::compiled, for the alignment of that.
template <int Bytes>
struct compiled_for_eigen_alignment {
  static const char value;
};

}  // namespace luq::detail

#if defined(__GNUC__)
namespace {
[[maybe_unused, gnu::used]] const char* const luq_eigen_alignment_of_unit =
    &luq::detail::compiled_for_eigen_alignment<EIGEN_MAX_ALIGN_BYTES>::value;
}
#endif

#endif

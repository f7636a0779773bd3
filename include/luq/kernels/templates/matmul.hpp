// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Products compiled for the instruction set of the including unit; those of luq::compiled go through luq::dispatch.
#pragma once

#include <concepts>

#include "luq/kernels/cpu/stages/multiply.hpp"
#include "luq/kernels/instruction_set.hpp"
#include "luq/kernels/matmul.hpp"
#ifdef LUQ_COMPILED
#include "luq/kernels/templates/dispatch.hpp"
#endif

namespace luq {

template <class Arch, WeightCodec Codec>
void matmul(const packed_matrix<Codec>& W, const matrix_view& X, mutable_matrix_view Y, const matmul_options& options,
            executor_ref executor) {
#ifdef LUQ_COMPILED
  if constexpr (std::same_as<Arch, dispatched_arch>) {
    if constexpr (std::derived_from<detail::stage_table, detail::codec_stages<Codec>>) {
      dispatch::matmul(W, X, Y, options, executor);
    } else {
      matmul<default_arch>(W, X, Y, options, executor);
    }
    return;
  } else
#endif
  {
    detail::multiply(detail::included_stages<Arch, Codec>(), W, X, Y, options, executor);
  }
}

}  // namespace luq

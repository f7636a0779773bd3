// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Products by the stages of one implementation.
#pragma once

#include <concepts>

#include "luq/kernels/cpu/stages/multiply.hpp"
#include "luq/kernels/cpu/stages/stage_table.hpp"
#include "luq/kernels/dispatch.hpp"

namespace luq::dispatch {

template <WeightCodec Codec>
void matmul(const implementation& kernels, const packed_matrix<Codec>& W, const matrix_view& X, mutable_matrix_view Y,
            const matmul_options& options, executor_ref executor) {
  static_assert(std::derived_from<luq::detail::stage_table, luq::detail::codec_stages<Codec>>,
                "luq::dispatch serves the codecs of any_codec; include luq/kernels/matmul.hpp for others");
  const luq::detail::codec_stages<Codec>& stages = *kernels.stages;
  luq::detail::multiply(stages, W, X, Y, options, executor);
}

template <std::same_as<any_packed_matrix> Packed>
void matmul(const implementation& kernels, const Packed& W, const matrix_view& X, mutable_matrix_view Y,
            const matmul_options& options, executor_ref executor) {
  std::visit([&](const auto& packed) { matmul(kernels, packed, X, Y, options, executor); }, W);
}

template <WeightCodec Codec>
void matmul(const packed_matrix<Codec>& W, const matrix_view& X, mutable_matrix_view Y, const matmul_options& options,
            executor_ref executor) {
  matmul(current(), W, X, Y, options, executor);
}

template <std::same_as<any_packed_matrix> Packed>
void matmul(const Packed& W, const matrix_view& X, mutable_matrix_view Y, const matmul_options& options,
            executor_ref executor) {
  matmul(current(), W, X, Y, options, executor);
}

}  // namespace luq::dispatch

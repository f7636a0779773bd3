// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// matmul.hpp for an instruction set chosen at run time: one program for every machine, at the speed of one compiled for
// it. The kernels are in the static library luq::dispatch, which the CMake function luq_add_dispatch() makes:
//
//   find_package(luq)  or  add_subdirectory(luq)
//   luq_add_dispatch()
//   target_link_libraries(program PRIVATE luq::luq luq::dispatch)
//
// It has one implementation of all kernels for each instruction set:
//
//   x86-64     avx512_vnni (with VBMI)   avx512bw   avx2 (with FMA and F16C)   sse2
//   64-bit ARM neon64_dotprod   neon64
//   others     baseline, what the compiler's flags allow
//
// The last of each line runs on every machine of its kind. Of the others those are used whose instructions the machine
// has: the best of them, unless pin() or the environment variable LUQ_KERNELS names another. It serves the codecs of
// any_codec; products of other codecs are compiled with the program that includes matmul.hpp.
//
// Not xsimd::dispatch: it is a walk through instruction sets at each call, knows neither VNNI nor ARM's dot products,
// and runs the last of its list whether or not the machine can.
#pragma once

#include <concepts>
#include <span>
#include <string_view>

#include "luq/codecs/any_packed_matrix.hpp"
#include "luq/core/executor.hpp"
#include "luq/kernels/cpu/stages/stage_table_declaration.hpp"
#include "luq/kernels/matmul_options.hpp"

namespace luq::dispatch {

/// All kernels, compiled for one instruction set.
struct implementation {
  std::string_view name;  ///< as pin() takes it
  const luq::detail::stage_table* stages;
};

/// Those that this machine can run, best first; never empty.
[[nodiscard]] std::span<const implementation> implementations();

/// The one that matmul() uses: the pinned one, else that which the environment variable LUQ_KERNELS named when it was
/// first asked for, else the best.
/// @throws luq::error as pin() does if it is LUQ_KERNELS that names no such implementation
[[nodiscard]] const implementation& current();

/// Makes matmul() use an implementation from now on, on all threads.
/// @throws luq::error invalid_argument for a name that there is not, unsupported if this machine cannot run it
void pin(std::string_view name);

/// Takes pin() back.
void unpin() noexcept;

/// Y = X W^T, or Y += X W^T, by a given implementation; see matmul() of packed_matrix.
template <WeightCodec Codec>
void matmul(const implementation& kernels, const packed_matrix<Codec>& W, const matrix_view& X, mutable_matrix_view Y,
            const matmul_options& options = {}, executor_ref executor = {});

template <std::same_as<any_packed_matrix> Packed>
void matmul(const implementation& kernels, const Packed& W, const matrix_view& X, mutable_matrix_view Y,
            const matmul_options& options = {}, executor_ref executor = {});

/// The same by the current implementation.
template <WeightCodec Codec>
void matmul(const packed_matrix<Codec>& W, const matrix_view& X, mutable_matrix_view Y,
            const matmul_options& options = {}, executor_ref executor = {});

template <std::same_as<any_packed_matrix> Packed>
void matmul(const Packed& W, const matrix_view& X, mutable_matrix_view Y, const matmul_options& options = {},
            executor_ref executor = {});

}  // namespace luq::dispatch

#ifndef LUQ_COMPILED
#include "luq/kernels/templates/dispatch.hpp"
#endif

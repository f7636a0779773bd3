// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A self-test of kernels, for engines that would rather not start than answer wrongly: on a processor, compiler or
// emulator that luq's own tests have never seen. It multiplies small random matrices of every codec in every mode, with
// one and with several tokens, rows and columns that fill no vector and no tile, and compares each element with
// matmul_reference(). It takes some tens of milliseconds.
//
//   luq::verify_kernels();                     what luq::dispatch can choose from on this machine
//   luq::verify_kernels<luq::default_arch>();  what including matmul.hpp gives
#pragma once

#include <ranges>
#include <span>
#include <string>
#include <vector>

#include "luq/kernels/dispatch.hpp"
#include "luq/kernels/matmul_options.hpp"

namespace luq {

/// One product, or one run of the quantization of activations, that was right.
struct kernel_check {
  std::string kernels;  ///< name of the implementation or instruction set
  std::string codec;
  index rows;
  index cols;
  index tokens;
  activation_mode activations;
  double error;  ///< the greatest of an element, as a share of its bound
};

/// Checks kernels of luq::dispatch, which must be linked: those that this machine can run, unless told otherwise.
/// @param implementations  any range of dispatch::implementation
/// @throws luq::error faulty_kernel at the first wrong result: kernels, codec, shapes, what was expected and found
template <std::ranges::input_range Implementations = std::span<const dispatch::implementation>>
[[nodiscard]] std::vector<kernel_check> verify_kernels(
    const Implementations& implementations = dispatch::implementations());

/// Checks the kernels that the including translation unit compiles for `Arch`; throws likewise.
template <class Arch>
[[nodiscard]] std::vector<kernel_check> verify_kernels();

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/kernels/templates/verify_kernels.hpp"
#endif

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What a forward pass is free to choose: how packed linears take their activations, and the threads it runs on. Threads
// change no bit of a result, activations do: rounding them to int8 is what integer instructions need, and an error of
// its own on top of that of the weights.
#pragma once

#include <luq/core/openmp_executor.hpp>
#include <luq/kernels/matmul_options.hpp>

namespace vlm {

/// "float32" or "int8".
[[nodiscard]] constexpr const char* activations_name(luq::activation_mode mode) noexcept {
  return mode == luq::activation_mode::int8 ? "int8" : "float32";
}

struct compute_options {
  /// Of packed linears. Dense ones always multiply floats.
  luq::activation_mode activations = luq::activation_mode::float32;

  /// Of packed linears and attention. One thread unless told otherwise: callers with several sequences run them side by
  /// side, and a single sequence is what needs threads inside a pass.
  luq::openmp_executor executor{.threads = 1};
};

}  // namespace vlm

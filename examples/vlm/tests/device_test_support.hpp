// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Whether there is a GPU for tests. Those that need one say that there is none, and pass.
#pragma once

#include <doctest/doctest.h>

#include <luq/core/error.hpp>
#include <luq/kernels/cuda/any_device_matrix.hpp>
#include <string>

namespace vlm_test {

[[nodiscard]] inline bool has_device() {
  try {
    luq::cuda::open_device();
    return true;
  } catch (const luq::error& error) {
    MESSAGE("no GPU: ", std::string(error.what()));
    return false;
  }
}

}  // namespace vlm_test

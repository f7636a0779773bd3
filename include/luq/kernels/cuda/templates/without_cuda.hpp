// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The definitions of any_device_matrix.hpp in a program that was built without CUDA.
#pragma once

#include "luq/core/error.hpp"
#include "luq/kernels/cuda/any_device_matrix.hpp"

namespace luq::cuda {

namespace detail {

[[noreturn]] inline void refuse() {
  fail(errc::unsupported, "CUDA: this program was built without it");
}

}  // namespace detail

void open_device() {
  detail::refuse();
}

std::shared_ptr<const any_device_matrix> upload(const any_packed_matrix&) {
  detail::refuse();
}

}  // namespace luq::cuda

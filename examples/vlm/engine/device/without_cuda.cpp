// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// device_weights.hpp in a program that was built without CUDA.
#include <luq/core/error.hpp>

#include "../device_weights.hpp"

namespace vlm {

namespace {

[[noreturn]] void refuse() {
  luq::fail(luq::errc::unsupported, "CUDA: this program was built without it");
}

}  // namespace

void open_device() {
  refuse();
}

std::shared_ptr<const device_weights> upload(const luq::any_packed_matrix&) {
  refuse();
}

}  // namespace vlm

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What stored input transforms occupy, by the name of their stored form:
//
//   hadamard   12 bytes        | seed, 8 | block, 4 |            hadamard_rotation.hpp
//   scaling    2 bytes an input  | one fp16 for each input |     input_scaling.hpp
#pragma once

#include <string_view>

#include "luq/core/error.hpp"
#include "luq/core/index.hpp"

namespace luq {

/// Bytes of a transform of `in_features` inputs; 0 for an empty name, which is no transform.
/// @throws luq::error unsupported for a name that is none of the above
[[nodiscard]] inline index transform_bytes(std::string_view name, index in_features) {
  if (name.empty()) return 0;
  if (name == "hadamard") return 12;
  if (name == "scaling") return 2 * in_features;
  fail(errc::unsupported, "input transform \"", name.substr(0, 40), "\": expected hadamard or scaling");
}

}  // namespace luq

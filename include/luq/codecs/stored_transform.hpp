// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Input transforms as files hold them, by the name of their stored form: "hadamard" (hadamard_rotation.hpp) and
// "scaling" (input_scaling.hpp). An empty name is no transform. A transform that is not among these can be searched
// for, multiplied with and counted, but not written to a file.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "luq/codecs/input_transform.hpp"
#include "luq/core/compiled.hpp"

namespace luq {

/// Reads what input_transform::pack() wrote; null for an empty name.
/// @throws luq::error unsupported for a name that is none of the above, corrupt_file for bytes of no such transform
[[nodiscard]] shared_transform read_transform(std::string_view name, index in_features,
                                              std::span<const std::byte> bytes);

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/codecs/impl/stored_transform.hpp"
#endif

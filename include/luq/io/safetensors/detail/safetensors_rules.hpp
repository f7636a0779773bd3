// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What readers and writers of safetensors files must both respect: names, sizes, and what is fixed in a header. A
// reader throws corrupt_file, a writer invalid_argument, so the code is the caller's.
//
// IWYU pragma: private, include "luq/io/safetensors/safetensors.hpp"
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "luq/core/error.hpp"
#include "luq/core/index.hpp"
#include "luq/io/tensors/tensor_info.hpp"

namespace luq::detail {

/// Bytes of the header length that a file begins with.
inline constexpr std::uint64_t safetensors_prefix_bytes = 8;

/// The only key of a header that does not name a tensor.
inline constexpr std::string_view safetensors_metadata_key = "__metadata__";

/// Integers above this are not the same in every JSON implementation.
inline constexpr std::uint64_t largest_json_integer = (std::uint64_t{1} << 53) - 1;

/// What is wrong with a tensor's name, or nothing. A name has 1 to `most_bytes` bytes and no control character.
[[nodiscard]] std::string tensor_name_fault(std::string_view name, index most_bytes);

/// Bytes of a tensor of known type; throws `code` if the size overflows or is not a whole number of bytes.
[[nodiscard]] std::uint64_t tensor_bytes(errc code, std::string_view source, std::string_view name, tensor_dtype dtype,
                                         const std::vector<index>& shape);

}  // namespace luq::detail

#ifndef LUQ_COMPILED
#include "luq/io/safetensors/impl/safetensors_rules.hpp"
#endif

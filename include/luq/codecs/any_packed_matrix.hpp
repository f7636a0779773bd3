// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A packed matrix whose codec is chosen at run time, from the closed set of any_codec.hpp. The functions are templates
// of the one type that they take, so that who calls none of them does not compile what they do for every codec.
#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <string_view>

#include "luq/codecs/any_codec.hpp"
#include "luq/codecs/detail/packed_variant.hpp"
#include "luq/codecs/packed_matrix.hpp"

namespace luq {

using any_packed_matrix = detail::packed_variant<any_codec>::type;

template <std::same_as<any_packed_matrix> Packed>
[[nodiscard]] index rows_of(const Packed& packed);

template <std::same_as<any_packed_matrix> Packed>
[[nodiscard]] index cols_of(const Packed& packed);

template <std::same_as<any_packed_matrix> Packed>
[[nodiscard]] any_codec codec_of(const Packed& packed);

/// T of the inputs that codes are for; null: as they are.
template <std::same_as<any_packed_matrix> Packed>
[[nodiscard]] shared_transform transform_of(const Packed& packed);

template <std::same_as<any_packed_matrix> Packed>
[[nodiscard]] std::span<const std::byte> bytes_of(const Packed& packed);

/// The whole matrix in float, in the basis of the inputs as they are.
template <std::same_as<any_packed_matrix> Packed>
[[nodiscard]] matrix decode(const Packed& packed);

/// Takes bytes that were packed before, e.g. read from a file.
/// @param transform  the name of the transform behind the codes (stored_transform.hpp); empty for none
/// @throws luq::error corrupt_file if their number is not that of codec, shape and transform, or if they are no such
///   transform; unsupported for another name
template <std::same_as<any_codec> Codec>
[[nodiscard]] any_packed_matrix make_packed_matrix(const Codec& codec, index rows, index cols,
                                                   aligned_buffer<std::byte> bytes, std::string_view transform = {});

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/codecs/templates/any_packed_matrix.hpp"
#endif

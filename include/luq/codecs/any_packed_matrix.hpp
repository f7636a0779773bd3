// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A packed matrix whose codec is chosen at run time, from the closed set of any_codec.hpp.
#pragma once

#include <utility>

#include "luq/codecs/any_codec.hpp"
#include "luq/codecs/packed_matrix.hpp"

namespace luq {

namespace detail {

template <class Codecs>
struct packed_variant;
template <class... Codec>
struct packed_variant<std::variant<Codec...>> {
  using type = std::variant<packed_matrix<Codec>...>;
};

}  // namespace detail

using any_packed_matrix = detail::packed_variant<any_codec>::type;

[[nodiscard]] inline index rows_of(const any_packed_matrix& packed) {
  return std::visit([](const auto& p) { return p.rows(); }, packed);
}

[[nodiscard]] inline index cols_of(const any_packed_matrix& packed) {
  return std::visit([](const auto& p) { return p.cols(); }, packed);
}

[[nodiscard]] inline any_codec codec_of(const any_packed_matrix& packed) {
  return std::visit([](const auto& p) { return any_codec(p.codec()); }, packed);
}

[[nodiscard]] inline std::span<const std::byte> bytes_of(const any_packed_matrix& packed) {
  return std::visit([](const auto& p) { return p.bytes(); }, packed);
}

/// The whole matrix in float.
[[nodiscard]] inline matrix decode(const any_packed_matrix& packed) {
  return std::visit([](const auto& p) { return p.unpack().decode(); }, packed);
}

/// Takes bytes that were packed before, e.g. read from a file.
/// @throws luq::error corrupt_file if their number is not the codec's for this shape
[[nodiscard]] inline any_packed_matrix make_packed_matrix(const any_codec& codec, index rows, index cols,
                                                          aligned_buffer<std::byte> bytes) {
  return std::visit(
      [&](const auto& c) {
        return any_packed_matrix(packed_matrix<std::decay_t<decltype(c)>>(c, rows, cols, std::move(bytes)));
      },
      codec);
}

}  // namespace luq

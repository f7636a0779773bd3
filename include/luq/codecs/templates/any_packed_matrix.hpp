// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What is asked of a packed matrix of any codec.
#pragma once

#include <algorithm>
#include <type_traits>
#include <utility>
#include <variant>

#include "luq/codecs/any_packed_matrix.hpp"
#include "luq/codecs/stored_transform.hpp"

namespace luq {

template <std::same_as<any_packed_matrix> Packed>
index rows_of(const Packed& packed) {
  return std::visit([](const auto& p) { return p.rows(); }, packed);
}

template <std::same_as<any_packed_matrix> Packed>
index cols_of(const Packed& packed) {
  return std::visit([](const auto& p) { return p.cols(); }, packed);
}

template <std::same_as<any_packed_matrix> Packed>
any_codec codec_of(const Packed& packed) {
  return std::visit([](const auto& p) { return any_codec(p.codec()); }, packed);
}

template <std::same_as<any_packed_matrix> Packed>
shared_transform transform_of(const Packed& packed) {
  return std::visit([](const auto& p) { return p.transform(); }, packed);
}

template <std::same_as<any_packed_matrix> Packed>
std::span<const std::byte> bytes_of(const Packed& packed) {
  return std::visit([](const auto& p) { return p.bytes(); }, packed);
}

template <std::same_as<any_packed_matrix> Packed>
matrix decode(const Packed& packed) {
  return std::visit([](const auto& p) { return p.unpack().decode(); }, packed);
}

template <std::same_as<any_codec> Codec>
any_packed_matrix make_packed_matrix(const Codec& codec, index rows, index cols, aligned_buffer<std::byte> bytes,
                                     std::string_view transform) {
  shared_transform behind;
  if (!transform.empty()) {
    const auto size = static_cast<index>(bytes.size());
    const index begin = (std::min)(packed_bytes(codec, rows, cols), size);
    behind = read_transform(transform, cols, std::span(bytes).subspan(static_cast<std::size_t>(begin)));
  }
  return std::visit(
      [&](const auto& c) {
        return any_packed_matrix(
            packed_matrix<std::decay_t<decltype(c)>>(c, rows, cols, std::move(bytes), std::move(behind)));
      },
      codec);
}

}  // namespace luq

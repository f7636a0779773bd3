// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What is asked of a packed matrix of any codec.
#pragma once

#include <type_traits>
#include <utility>
#include <variant>

#include "luq/codecs/any_packed_matrix.hpp"

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
std::span<const std::byte> bytes_of(const Packed& packed) {
  return std::visit([](const auto& p) { return p.bytes(); }, packed);
}

template <std::same_as<any_packed_matrix> Packed>
matrix decode(const Packed& packed) {
  return std::visit([](const auto& p) { return p.unpack().decode(); }, packed);
}

template <std::same_as<any_codec> Codec>
any_packed_matrix make_packed_matrix(const Codec& codec, index rows, index cols, aligned_buffer<std::byte> bytes) {
  return std::visit(
      [&](const auto& c) {
        return any_packed_matrix(packed_matrix<std::decay_t<decltype(c)>>(c, rows, cols, std::move(bytes)));
      },
      codec);
}

}  // namespace luq

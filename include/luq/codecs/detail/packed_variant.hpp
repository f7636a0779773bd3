// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// std::variant<codec...> to std::variant<packed_matrix<codec>...>.
#pragma once

#include <variant>

#include "luq/codecs/packed_matrix.hpp"

namespace luq::detail {

template <class Codecs>
struct packed_variant;
template <class... Codec>
struct packed_variant<std::variant<Codec...>> {
  using type = std::variant<packed_matrix<Codec>...>;
};

}  // namespace luq::detail

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Elements of a file found by their names.
//
// IWYU pragma: private, include "luq/io/gguf/gguf.hpp"
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "luq/core/error.hpp"
#include "luq/io/files/detail/printable.hpp"

namespace luq::detail {

/// Positions of elements in ascending order of their names, which must differ.
/// @param what  of the element, for the message
template <class Element, class Name>
[[nodiscard]] std::vector<std::size_t> positions_by_name(errc code, std::string_view source, std::string_view what,
                                                         const std::vector<Element>& elements, Name name) {
  std::vector<std::size_t> positions(elements.size());
  std::iota(positions.begin(), positions.end(), std::size_t{0});
  const auto name_at = [&](std::size_t position) -> const std::string& { return elements[position].*name; };
  std::sort(positions.begin(), positions.end(), [&](std::size_t a, std::size_t b) { return name_at(a) < name_at(b); });
  const auto twin = std::adjacent_find(positions.begin(), positions.end(),
                                       [&](std::size_t a, std::size_t b) { return name_at(a) == name_at(b); });
  if (twin != positions.end()) fail(code, source, ": duplicate ", what, " ", in_quotes(name_at(*twin)));
  return positions;
}

/// The element of that name, or null.
template <class Element, class Name>
[[nodiscard]] const Element* find_by_name(const std::vector<Element>& elements,
                                          const std::vector<std::size_t>& positions, Name name,
                                          std::string_view wanted) noexcept {
  const auto position =
      std::lower_bound(positions.begin(), positions.end(), wanted,
                       [&](std::size_t entry, std::string_view text) { return elements[entry].*name < text; });
  if (position == positions.end() || elements[*position].*name != wanted) return nullptr;
  return &elements[*position];
}

}  // namespace luq::detail

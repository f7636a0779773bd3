// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A part of a text, of one type whatever it is a view of, so that what takes parts is compiled once.
#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>

#include "luq/core/compiled.hpp"

namespace luq::detail {

class text_part {
 public:
  template <class Text>
  requires std::convertible_to<const Text&, std::string_view>
  explicit text_part(const Text& text) : kind_(kind::text), text_(text) {}
  explicit text_part(const char& character) : kind_(kind::text), text_(&character, 1) {}
  template <std::signed_integral Number>
  explicit text_part(Number number) : kind_(kind::integer), integer_(number) {}
  template <std::unsigned_integral Number>
  explicit text_part(Number number) : kind_(kind::natural), natural_(number) {}
  explicit text_part(double number) : kind_(kind::real), real_(number) {}

  void append_to(std::string& text) const;

 private:
  enum class kind { text, integer, natural, real };

  kind kind_;
  union {
    std::string_view text_;
    long long integer_;
    unsigned long long natural_;
    double real_;
  };
};

[[nodiscard]] std::string joined_text(const text_part* parts, std::size_t count);

}  // namespace luq::detail

#ifndef LUQ_COMPILED
#include "luq/core/impl/text_part.hpp"
#endif

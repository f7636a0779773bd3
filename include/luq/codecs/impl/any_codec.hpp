// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Text and size of a codec that is chosen at run time.
#pragma once

#include <optional>

#include "luq/codecs/any_codec.hpp"
#include "luq/codecs/detail/codec_text.hpp"
#include "luq/codecs/tile_layout.hpp"
#include "luq/core/error.hpp"

namespace luq {

LUQ_INLINE std::string codec_name(const any_codec& codec) {
  return std::visit([](const auto& c) { return codec_name(c); }, codec);
}

LUQ_INLINE std::string stored_name(std::string_view transform, const any_codec& codec) {
  std::string name(transform);
  if (!name.empty()) name += '/';
  return name + codec_name(codec);
}

LUQ_INLINE codec_format format_of(const any_codec& codec) {
  return std::visit([]<class Codec>(const Codec&) { return codec_format{Codec::family, format_version<Codec>()}; },
                    codec);
}

LUQ_INLINE index packed_bytes(const any_codec& codec, index rows, index cols) {
  return std::visit([&](const auto& c) { return packed_bytes(c, rows, cols); }, codec);
}

LUQ_INLINE double bits_per_weight(const any_codec& codec, index rows, index cols) {
  return 8.0 * static_cast<double>(packed_bytes(codec, rows, cols)) /
         (static_cast<double>(rows) * static_cast<double>(cols));
}

LUQ_INLINE double nominal_bits(const any_codec& codec) {
  return std::visit([](const auto& c) -> double { return c.nominal_bits; }, codec);
}

namespace detail {

template <class... Codecs>
[[nodiscard]] std::vector<std::string_view> families_of(const std::variant<Codecs...>*) {
  return {Codecs::family...};
}

/// The codec of which `text` is the name, if it is of the same family.
template <class Codec>
[[nodiscard]] std::optional<any_codec> parse_as(const option_reader& text) {
  option_reader reader = text;
  if (reader.family() != Codec::family) return std::nullopt;
  Codec codec{.group = reader.group()};
  if constexpr (requires { Codec::visit_options(codec, reader); }) Codec::visit_options(codec, reader);
  return reader.is_done() ? std::optional<any_codec>(codec) : std::nullopt;
}

template <class... Codecs>
[[nodiscard]] std::optional<any_codec> parse_any_of(const option_reader& text, const std::variant<Codecs...>*) {
  std::optional<any_codec> result;
  static_cast<void>(((result = parse_as<Codecs>(text)) || ...));
  return result;
}

/// All families, those together that have the same options: "int2, int3 [:sym]; sign, ternary; billm [:magnitude]".
template <class... Codecs>
[[nodiscard]] std::string list_families(const std::variant<Codecs...>*) {
  std::string list;
  std::string options;  // of the family before
  const auto add = [&]<class Codec>(Codec codec) {
    option_lister lister;
    if constexpr (requires { Codec::visit_options(codec, lister); }) Codec::visit_options(codec, lister);
    const std::string own = lister.text().empty() ? "" : " " + lister.text();
    if (!list.empty()) list += own == options ? ", " : options + "; ";
    list += Codec::family;
    options = own;
  };
  (add(Codecs()), ...);
  return list + options;
}

}  // namespace detail

LUQ_INLINE std::vector<std::string_view> codec_families() {
  const any_codec* const catalogue = nullptr;
  return detail::families_of(catalogue);
}

LUQ_INLINE any_codec parse_codec(std::string_view text) {
  const any_codec* const catalogue = nullptr;
  const std::optional<any_codec> codec = detail::parse_any_of(detail::option_reader(text), catalogue);
  if (!codec) {
    fail(errc::invalid_argument, "codec \"", detail::one_line(text),
         "\": expected FAMILY[:gGROUP][OPTIONS], group 0 for the whole row, of ", detail::list_families(catalogue));
  }
  return *codec;
}

}  // namespace luq

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Text and size of a codec that is chosen at run time.
#pragma once

#include <algorithm>
#include <charconv>
#include <optional>

#include "luq/codecs/any_codec.hpp"
#include "luq/codecs/tile_layout.hpp"
#include "luq/core/error.hpp"

namespace luq {

LUQ_INLINE std::string codec_name(const any_codec& codec) {
  return std::visit([](const auto& c) { return c.name(); }, codec);
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

/// Splits at ':' and consumes options in the order in which name() writes them.
class codec_text {
 public:
  explicit codec_text(std::string_view text) : rest_(text) { family_ = next(); }

  [[nodiscard]] std::string_view family() const { return family_; }
  [[nodiscard]] bool at_end() const { return rest_.empty() && !trailing_; }

  /// Consumes `option` if it comes next.
  [[nodiscard]] bool take(std::string_view option) {
    codec_text ahead = *this;
    if (ahead.next() != option) return false;
    *this = ahead;
    return true;
  }

  /// Consumes a number with the given prefix, such as "g128"; canonical decimal digits only.
  [[nodiscard]] std::optional<index> take_number(char prefix) {
    codec_text ahead = *this;
    const std::string_view word = ahead.next();
    if (word.size() < 2 || word.front() != prefix || word[1] < '0' || word[1] > '9') return std::nullopt;
    if (word[1] == '0' && word.size() > 2) return std::nullopt;
    index number = 0;
    const auto [end, failure] = std::from_chars(word.data() + 1, word.data() + word.size(), number);
    if (failure != std::errc() || end != word.data() + word.size() || number < 0 || number > largest_group) {
      return std::nullopt;
    }
    *this = ahead;
    return number;
  }

 private:
  static constexpr index largest_group = 1 << 24;  // beyond any matrix; keeps size arithmetic far from overflow

  std::string_view next() {
    const auto colon = rest_.find(':');
    const std::string_view word = rest_.substr(0, colon);
    rest_ = colon == std::string_view::npos ? std::string_view() : rest_.substr(colon + 1);
    trailing_ = colon != std::string_view::npos && rest_.empty();  // "int4:" has an empty last word
    return word;
  }

  std::string_view rest_;
  std::string_view family_;
  bool trailing_ = false;
};

template <unsigned Bits>
[[nodiscard]] any_codec parse_int_codec(codec_text& text, index group) {
  int_codec<Bits> codec{.group = group};
  codec.symmetric = text.take("sym");
  if (text.take("searched")) codec.range = int_range::searched;
  codec.published_one_sided_range = text.take("onesided");
  return codec;
}

[[nodiscard]] LUQ_INLINE std::optional<any_codec> parse_billm_codec(codec_text& text, index group) {
  billm_codec codec{.group = group};
  if (text.take("magnitude")) codec.metric = saliency::magnitude;
  const std::optional<index> limit = text.take_number('s');
  if (limit && (*limit < 1 || *limit == codec.salient_limit)) return std::nullopt;  // name() leaves the default out
  codec.salient_limit = limit.value_or(codec.salient_limit);
  return codec;
}

[[nodiscard]] LUQ_INLINE std::optional<any_codec> parse_codec_family(codec_text& text, index group) {
  if (text.family() == "int2") return parse_int_codec<2>(text, group);
  if (text.family() == "int3") return parse_int_codec<3>(text, group);
  if (text.family() == "int4") return parse_int_codec<4>(text, group);
  if (text.family() == "int8") return parse_int_codec<8>(text, group);
  if (text.family() == "sign") return any_codec(sign_codec{.group = group});
  if (text.family() == "ternary") return any_codec(ternary_codec{.group = group});
  if (text.family() == "lut2") return any_codec(lut2_codec{.group = group});
  if (text.family() == "lloyd2") return any_codec(lloyd_codec<2>{.group = group});
  if (text.family() == "lloyd3") return any_codec(lloyd_codec<3>{.group = group});
  if (text.family() == "lloyd4") return any_codec(lloyd_codec<4>{.group = group});
  if (text.family() == "trellis-r2") return any_codec(trellis_codec<2>{.group = group});
  if (text.family() == "trellis-r3") return any_codec(trellis_codec<3>{.group = group});
  if (text.family() == "trellis-r4") return any_codec(trellis_codec<4>{.group = group});
  if (text.family() == "trellis-r8") return any_codec(trellis_codec<8>{.group = group});
  if (text.family() == "trellis-r16") return any_codec(trellis_codec<16>{.group = group});
  if (text.family() == "billm") return parse_billm_codec(text, group);
  return std::nullopt;
}

}  // namespace detail

LUQ_INLINE any_codec parse_codec(std::string_view text) {
  detail::codec_text parts(text);
  const index group = parts.take_number('g').value_or(128);
  const std::optional<any_codec> codec = detail::parse_codec_family(parts, group);
  if (!codec || !parts.at_end()) {
    std::string shown(text.substr(0, 80));  // a message is one line, whatever was typed
    std::replace_if(shown.begin(), shown.end(), [](char c) { return c < ' '; }, '?');
    fail(errc::invalid_argument, "codec \"", shown,
         "\": expected FAMILY[:gGROUP][OPTIONS] with int2, int3, int4 or int8 [:sym][:searched][:onesided], sign, "
         "ternary, lut2, lloyd2, lloyd3, lloyd4, trellis-r2, trellis-r3, trellis-r4, trellis-r8, trellis-r16, or "
         "billm [:magnitude][:sLIMIT], group 0 for the whole row");
  }
  return *codec;
}

}  // namespace luq

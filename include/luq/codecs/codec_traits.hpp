// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What follows from the description of a codec (weight_codec.hpp), in one place for all codecs: how many parameters it
// has, the decoded weight, its linear form, scales that are refitted, its text form.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

#include "luq/codecs/code.hpp"
#include "luq/codecs/detail/codec_text.hpp"
#include "luq/codecs/detail/parameter_census.hpp"
#include "luq/codecs/detail/stored_scales.hpp"
#include "luq/core/inline.hpp"

namespace luq {

/// Parameters of a row of a group.
template <class Codec>
inline constexpr int parameter_count = detail::census<Codec>.parameters;

/// Scales among them, which come first. A decoded weight is linear in the scales.
template <class Codec>
inline constexpr int scale_count = detail::census<Codec>.scales_count;

/// Kinds of column within a group: Codec::column_classes, or 1.
template <class Codec>
inline constexpr int column_class_count = [] {
  if constexpr (requires { Codec::column_classes; }) {
    return Codec::column_classes;
  } else {
    return 1;
  }
}();

/// The level of a code as vector instructions compute it, with no table: the sum of the four bytes of
/// (multiplier * code mod 2^32) & mask, plus offset.
struct computed_level {
  std::uint32_t multiplier;
  std::uint32_t mask;  ///< bytes of at most 7fh, which every 8-bit dot product adds
  int offset;

  [[nodiscard]] constexpr int operator()(code q) const noexcept {
    const std::uint32_t product = (multiplier * q) & mask;
    return static_cast<int>((product & 0xffu) + ((product >> 8) & 0xffu) + ((product >> 16) & 0xffu) +
                            (product >> 24)) +
           offset;
  }
};

/// Integer components of a code: Codec::components, or 1.
template <class Codec>
inline constexpr int component_count = [] {
  if constexpr (requires { Codec::components; }) {
    return Codec::components;
  } else {
    return 1;
  }
}();

/// a_0 ... a_{n-1} and c of the linear form w = sum_i a_i component(code, i) + c: codec.coefficients(), or the scales
/// and c = 0.
/// @param parameters  of any type of number: float, or a vector of them
template <class Codec, class Number>
[[nodiscard]] LUQ_ALWAYS_INLINE constexpr std::array<Number, component_count<Codec> + 1> coefficients(
    const Codec& codec, const Number* parameters, int column_class) noexcept {
  if constexpr (requires { codec.coefficients(parameters, column_class); }) {
    return codec.coefficients(parameters, column_class);
  } else {
    static_assert(scale_count<Codec> == component_count<Codec>,
                  "luq: a codec whose scales are not one for each component needs coefficients()");
    std::array<Number, component_count<Codec> + 1> a{};
    for (int i = 0; i < component_count<Codec>; ++i) a[static_cast<std::size_t>(i)] = parameters[i];
    a.back() = Number(0.0f);
    return a;
  }
}

/// The weight of a code: codec.decode(), or the linear form.
template <class Codec>
[[nodiscard]] LUQ_ALWAYS_INLINE float decode_weight(const Codec& codec, code q, const float* parameters,
                                                    int column_class) noexcept {
  if constexpr (requires { codec.decode(q, parameters, column_class); }) {
    return codec.decode(q, parameters, column_class);
  } else {
    const auto a = coefficients(codec, parameters, column_class);
    const auto term = [&](int i) {
      return a[static_cast<std::size_t>(i)] * static_cast<float>(Codec::component(q, i));
    };
    constexpr bool has_constant = requires { codec.coefficients(parameters, column_class); };
    float w = has_constant ? a.back() + term(0) : term(0);
    for (int i = 1; i < component_count<Codec>; ++i) w += term(i);
    return w;
  }
}

/// b_i of w = sum_i scale_i b_i, for the code and those parameters that are no scales.
template <class Codec>
[[nodiscard]] std::array<float, scale_count<Codec>> scale_basis(const Codec& codec, code q, const float* parameters,
                                                                int column_class) noexcept {
  std::array<float, parameter_count<Codec>> unit;
  std::copy_n(parameters, unit.size(), unit.begin());
  std::fill_n(unit.begin(), scale_count<Codec>, 0.0f);
  std::array<float, scale_count<Codec>> basis;
  for (std::size_t i = 0; i < basis.size(); ++i) {
    unit[i] = 1.0f;
    basis[i] = decode_weight(codec, q, unit.data(), column_class);
    unit[i] = 0.0f;
  }
  return basis;
}

/// Puts scales, rounded to their storage type, in the place of the present ones. Returns false, with nothing changed,
/// if storage cannot hold one or codec.accepts(scales) says that encode() would not find the nearest value under them.
template <class Codec>
[[nodiscard]] bool store_scales(const Codec& codec, const std::array<float, scale_count<Codec>>& scales,
                                float* parameters) {
  if constexpr (requires { codec.accepts(scales); }) {
    if (!codec.accepts(scales)) return false;
  }
  detail::scale_rounder<scale_count<Codec>> rounder(scales);
  codec.read_parameters(rounder);
  if (!rounder.fits()) return false;
  std::copy(rounder.rounded().begin(), rounder.rounded().end(), parameters);
  return true;
}

/// Which of the stored forms of its family a codec writes and reads, 1 unless it says `format_version`. A file names
/// it, so that bytes of another form are refused (docs/format.md).
template <class Codec>
[[nodiscard]] constexpr int format_version() noexcept {
  if constexpr (requires { Codec::format_version; }) {
    return Codec::format_version;
  } else {
    return 1;
  }
}

/// Family, group and options that differ from their default, such as "int4:g128:sym:searched"; parse_codec() reads it
/// (any_codec.hpp). Scales that are stored as float are named ":f32".
template <class Codec>
requires requires { Codec::family; }
[[nodiscard]] std::string codec_name(const Codec& codec) {
  detail::option_writer writer(Codec::family, codec.group);
  if constexpr (requires { Codec::visit_options(codec, writer); }) Codec::visit_options(codec, writer);
  return writer.text() + (detail::census<Codec>.scale_bytes == sizeof(float) ? ":f32" : "");
}

}  // namespace luq

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What a codec is. A weight matrix W [rows x cols] is cut into column groups; within a group each row has a few
// parameters (scales, offsets), and each weight has a code in 0 ... levels-1. A codec is the whole knowledge of one
// such format. It holds only options and is cheap to copy. Which codes are *chosen* for the good of a layer's output is
// the business of a quantizer. A codec is six things, here a sign for each weight and a scale for each row of a group:
//
//   struct my_codec {
//     // 1 Options. `group` is the columns that share parameters.
//     index group = 128;
//     friend bool operator==(const my_codec&, const my_codec&) = default;
//     // 2 Its name, and the bits a weight that it is named for.
//     static constexpr std::string_view family = "my-signs";
//     static constexpr double nominal_bits = 1;
//     // 3 What is stored: codes, and parameters.
//     static constexpr std::array<std::uint16_t, 1> planes{2};
//     template <class Visitor>
//     constexpr void read_parameters(Visitor&& visitor) const { visitor.template scales<half>(1); }
//     // 4 What a code means: w = scale * component.
//     static constexpr int component(code q, int) { return q != 0 ? 1 : -1; }
//     // 5 How parameters are fitted to the weights of a row.
//     void fit_row(std::span<const float> w, std::span<const float> importance, float* parameters) const;
//     // 6 Which code a weight takes.
//     code encode(float w, const float* parameters, int column_class) const { return w >= 0 ? 1 : 0; }
//   };
//
// Everything else follows (codec_traits.hpp): decoding, bytes, packing and unpacking, kernels, refitted scales, text.
//
// In most formats any code can follow any other (MemorylessCodec). In a trellis the code of a column is a window over
// its own symbol and those of the columns before it, so only some codes can follow (SequenceCodec); one symbol is
// stored.
//
// Some formats let columns of a group differ in kind (BiLLM's salient columns). Such a codec has two column classes;
// the class of a column is shared by all rows and handed to all functions that take a code.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

#include "luq/codecs/codec_traits.hpp"
#include "luq/codecs/detail/parameter_storage.hpp"
#include "luq/codecs/radix.hpp"
#include "luq/core/index.hpp"

namespace luq {

/// The linear form of a codec: its scales, one for each component, or coefficients() of the right type.
template <class C>
concept HasLinearForm = requires(const C codec, const float* parameters) {
  { codec.coefficients(parameters, 0) } -> std::same_as<std::array<float, component_count<C> + 1>>;
} || (scale_count<C> == component_count<C> && !requires(const C codec, const float* parameters) {
                          codec.coefficients(parameters, 0);
                        });

/// Every plane has a radix that can be stored.
template <class C, class Planes = std::make_index_sequence<C::planes.size()>>
inline constexpr bool has_stored_radices = false;
template <class C, std::size_t... P>
inline constexpr bool has_stored_radices<C, std::index_sequence<P...>> =
    (StoredRadix<static_cast<int>(C::planes[P])> && ...);

/// What is required of every codec:
///  - `group`: columns that share parameters, >= 1, or `whole_row`. A codec without arguments has default options.
///  - `family`, `nominal_bits`: its name, and the bits a weight that the literature gives it that name for, scales and
///    flags not counted. Options beyond the group are described by `visit_options` (detail/codec_text.hpp).
///  - `planes`: radices of the symbols of a code, lowest first: code = s0 + planes[0] * (s1 + planes[1] * ...);
///    each is a power of two, 3, or what has a radix_traits of its own (radix.hpp).
///  - `read_parameters(visitor)`: how parameters are stored, one after the other, scales first:
///    `visitor.scales<Stored>(count)`, the next `count` are rows of Stored; `visitor.bit_packed<Bits>()`, the next is
///    one gapless stream of integers; `visitor.constant(value)`, the next is not stored. Stored and read, they are
///    exactly what was fitted.
///  - `component(code, i)`: a small integer, |component| <= 255. `components` of them, or one, make the weight,
///    w = sum_i scale_i * component(code, i). Where the linear form is another, `coefficients(parameters,
///    column_class)` gives all factors and the constant, for parameters of any type of number. Where its rounding
///    matters as well, `decode(code, parameters, column_class)` gives the weight.
///  - `fit_row(w, importance, parameters)`: writes the parameters of one row w of a group. `importance` has one weight
///    >= 0 for the squared error of each column (a Hessian's view of it), not all of them zero. All zero w and a single
///    column are valid input. Non-finite input is a caller's bug. A codec whose rows are not independent has
///    `code_group(W, importance, executor)` instead, which codes all rows of the group W [rows x columns].
///  - optional `used_codes`: codes from that number on are never produced, as of five levels in three bits.
///  - optional `accepts(scales)`: whether encode() finds the nearest value under scales fitted by others.
/// A codec is also a MemorylessCodec or a SequenceCodec.
template <class C>
concept WeightCodec =
    std::copy_constructible<C> && std::default_initializable<C> && std::equality_comparable<C> &&
    requires(const C codec, code q, detail::parameter_reader& reader) {
      { codec.group } -> std::convertible_to<index>;
      { C::family } -> std::convertible_to<std::string_view>;
      { C::nominal_bits } -> std::convertible_to<double>;
      { C::planes.size() } -> std::convertible_to<std::size_t>;
      requires has_stored_radices<C>;
      codec.read_parameters(reader);
      { C::component(q, 0) } -> std::same_as<int>;
    } && HasLinearForm<C> &&
    (requires(const C codec, std::span<const float> w, float* parameters) { codec.fit_row(w, w, parameters); } ||
     requires { &C::code_group; }) &&
    // One that a codec need not have, if it is of another signature, would be passed over.
    (!requires { &C::decode; } || requires(const C codec, code q, const float* parameters) {
      { codec.decode(q, parameters, 0) } -> std::same_as<float>;
    }) && (!requires { &C::accepts; } || requires(const C codec, const std::array<float, scale_count<C>>& scales) {
      { codec.accepts(scales) } -> std::same_as<bool>;
    });

/// `encode(w, parameters, column_class)`: the code whose decoded value is nearest to the finite w.
template <class C>
concept MemorylessCodec =
    WeightCodec<C> && requires(const C codec, float w, const float* parameters, int column_class) {
      { codec.encode(w, parameters, column_class) } -> std::same_as<code>;
    };

/// `next(previous, symbol)`: the code of a column whose stored symbol is `symbol`, 0 ... levels-1, and whose left
/// neighbour has the code `previous`; the first column of a group follows code 0. A code has code % levels as its
/// symbol and forgets: after `window` symbols nothing is left of the codes before. `code_row(w, importance, parameters,
/// codes)` fits and codes one row of a group.
template <class C>
concept SequenceCodec = WeightCodec<C> && requires(const C codec, std::span<const float> w, float* parameters,
                                                   code* codes, code previous, int symbol) {
  { C::next(previous, symbol) } -> std::same_as<code>;
  { C::window } -> std::convertible_to<int>;
  { C::code_count } -> std::convertible_to<int>;
  codec.code_row(w, w, parameters, codes);
};

/// A sequence codec may say how its levels are computed, so that kernels follow many rows at once without a table:
///  - `level`: the computed_level whose value is component(code, 0), the only component;
///  - next(previous, symbol) is (levels * previous + symbol) mod code_count, a shift register of symbols.
/// check_codec() tries both. Other sequence codecs are multiplied, too, code by code (kernels/kernel_path.hpp).
template <class C>
concept HasComputedLevel = SequenceCodec<C> && component_count<C> == 1 && requires {
  { C::level } -> std::convertible_to<computed_level>;
};

/// Number of symbols of a codec: what is stored of a code.
template <WeightCodec Codec>
[[nodiscard]] constexpr int levels() noexcept {
  int product = 1;
  for (const auto radix : Codec::planes) product *= static_cast<int>(radix);
  return product;
}

/// Codes that encode() may choose: all, or the first Codec::used_codes. Searches try no others.
template <WeightCodec Codec>
[[nodiscard]] constexpr int used_codes() noexcept {
  if constexpr (requires { Codec::used_codes; }) {
    static_assert(Codec::used_codes >= 1 && Codec::used_codes <= levels<Codec>());
    return Codec::used_codes;
  } else {
    return levels<Codec>();
  }
}

/// Number of codes: levels(), or more where a code remembers symbols before its own.
template <WeightCodec Codec>
[[nodiscard]] constexpr int code_count() noexcept {
  if constexpr (SequenceCodec<Codec>) {
    return Codec::code_count;
  } else {
    return levels<Codec>();
  }
}

/// Columns of a group of `codec` in a matrix of `cols` columns (the last group may be shorter).
template <class Codec>
[[nodiscard]] index group_size(const Codec& codec, index cols) {
  return codec.group == whole_row || codec.group > cols ? cols : codec.group;
}

}  // namespace luq

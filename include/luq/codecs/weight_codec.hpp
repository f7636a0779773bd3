// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What a codec is. A weight matrix W [rows x cols] is cut into column groups; within a group each row has a few
// parameters (scales, offsets), and each weight has a code in 0 ... levels-1. A codec is the whole knowledge of one
// such format: how parameters are fitted to a group, how one weight is encoded and decoded under them, how codes
// split into the symbols that are stored, and how many bytes parameters take. It holds only options and is cheap to
// copy. Which codes are *chosen* for the good of a layer's output is the business of a quantizer.
//
// In most formats any code can follow any other (MemorylessCodec). In a trellis the code of a column is a window over
// its own symbol and those of the columns before it, so only some codes can follow (SequenceCodec); one symbol is
// stored.
//
// Some formats let columns of a group differ in kind (BiLLM's salient columns). Such a codec has two column classes;
// the class of a column is shared by all rows and handed to encode and decode.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "luq/codecs/detail/parameter_storage.hpp"
#include "luq/codecs/detail/stored_scales.hpp"
#include "luq/core/index.hpp"

namespace luq {

/// As the `group` option of a codec: one group spans the whole row.
inline constexpr index whole_row = 0;

/// Code of one weight, 0 ... code_count-1.
using code = std::uint16_t;

/// Requirements, in the order in which data meets them:
///  - `group`: columns that share parameters, >= 1, or `whole_row`; `name()`: unique text form of all options.
///  - `fit_row(w, importance, parameters)`: writes the parameters of one row w of a group. `importance` has one weight
///    >= 0 for the squared error of each column (a Hessian's view of it), not all of them zero. All zero w and a single
///    column are valid input. Non-finite input is a caller's bug. A codec whose rows are not independent has
///    `code_group(W, importance, executor)` instead, which codes all rows of the group W [rows x columns].
///  - `decode(code, parameters, column_class)`: the weight.
///  - `planes`: radices of the symbols of a code, lowest first: code = s0 + planes[0] * (s1 + planes[1] * ...);
///    each is 2, 3, 4, 16 or 256 (tile_layout.hpp stores 8, 5, 4, 2 or 1 such symbols in a byte).
///  - `read_parameters(visitor)`: how parameters are stored, one after the other: `visitor.scales<Stored>(count)`, the
///    next `count` are rows of Stored; `visitor.bit_packed<Bits>()`, the next is one gapless stream of integers;
///    `visitor.constant(value)`, the next is not stored. Stored and read, they are exactly what was fitted.
///  - the linear form of integer kernels: w = coefficients[components] + sum_i coefficients[i] * component(code, i),
///    component a small integer, |component| <= 255; equal to decode() within float rounding. coefficients() takes
///    parameters of any type of number: float, or a vector of them.
///  - `scale_count`, `scale_basis(code, parameters, column_class)`, `store_scales(scales, parameters)`: the
///    decoded value is linear in the first scale_count parameters, w = sum_i parameters[i] * basis[i]; store_scales()
///    puts rounded new ones in their place, or returns false and changes nothing where storage cannot hold them or
///    encode() would not find the nearest value under them.
///  - `nominal_bits`: the bits a weight that the literature gives the codec its name for, scales and flags not counted.
/// A codec is also a MemorylessCodec or a SequenceCodec.
template <class C>
concept WeightCodec =
    std::copy_constructible<C> && std::equality_comparable<C> &&
    requires(const C codec, std::span<const float> w, std::span<const float> importance, const float* parameters,
             int column_class, code q, detail::parameter_reader& reader,
             std::array<float, static_cast<std::size_t>(C::scale_count)> scales, float* mutable_parameters) {
  { codec.group } -> std::convertible_to<index>;
  { codec.name() } -> std::same_as<std::string>;
  { C::parameter_count } -> std::convertible_to<int>;
  { C::column_classes } -> std::convertible_to<int>;
  { C::planes.size() } -> std::convertible_to<std::size_t>;
  { codec.decode(q, parameters, column_class) } -> std::same_as<float>;
  codec.read_parameters(reader);
  { C::components } -> std::convertible_to<int>;
  { C::component(q, 0) } -> std::same_as<int>;
  { codec.coefficients(parameters, column_class) } -> std::same_as<std::array<float, C::components + 1>>;
  { codec.scale_basis(q, parameters, column_class) } -> std::same_as<decltype(scales)>;
  { codec.store_scales(scales, mutable_parameters) } -> std::same_as<bool>;
  { C::nominal_bits } -> std::convertible_to<double>;
} &&(requires(const C codec, std::span<const float> w, float* parameters) { codec.fit_row(w, w, parameters); } ||
     requires { &C::code_group; });

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

/// Number of symbols of a codec: what is stored of a code.
template <WeightCodec Codec>
[[nodiscard]] constexpr int levels() noexcept {
  int product = 1;
  for (const auto radix : Codec::planes) product *= static_cast<int>(radix);
  return product;
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

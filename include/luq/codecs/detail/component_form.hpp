// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// How the integer components of a codec follow from what its planes store: found from Codec::planes and
// Codec::component() while compiling, so that kernels know formats and not codecs.
//
// With s_p the symbol of plane p, a component v of a code is one of
//
//   affine       v = sum_p factor_p s_p + offset                      int, sign, ternary, bcq2, two of BiLLM's three
//   bilinear     v = factor_0 s_0 + factor_1 s_1 + product s_0 s_1 + offset       two sign planes: all of BiLLM's
//   tabulated    v = table[code]                                      any codec of at most 16 codes
//
// Where codes remember (SequenceCodec) none holds; operand_decoder.hpp follows the codes then. What kernels make of a
// codec's forms is said by kernels/kernel_path.hpp.
#pragma once

#include <array>
#include <numeric>

#include "luq/codecs/radix.hpp"
#include "luq/codecs/weight_codec.hpp"
#include "luq/core/detail/unrolled.hpp"

namespace luq::detail {

/// Symbol of plane `plane` in a code.
template <WeightCodec Codec>
[[nodiscard]] constexpr int symbol_of(int code_value, std::size_t plane) noexcept {
  for (std::size_t p = 0; p < plane; ++p) code_value /= static_cast<int>(Codec::planes[p]);
  return code_value % static_cast<int>(Codec::planes[plane]);
}

/// Place value of a plane: code = sum over p of plane_weight(p) * symbol p, so it is the product of the radices of the
/// planes before it.
template <WeightCodec Codec>
[[nodiscard]] constexpr int plane_weight(std::size_t plane) noexcept {
  int weight = 1;
  for (std::size_t p = 0; p < plane; ++p) weight *= static_cast<int>(Codec::planes[p]);
  return weight;
}

template <std::size_t Planes>
struct component_form {
  std::array<int, Planes> factor{};
  int product = 0;  ///< of the symbols of two planes of radix 2
  int offset = 0;
  bool exact = false;  ///< the component is what this says for every code
};

/// The form of component i.
template <WeightCodec Codec>
[[nodiscard]] constexpr component_form<Codec::planes.size()> form_of_component(int i) noexcept {
  component_form<Codec::planes.size()> form;
  if constexpr (!SequenceCodec<Codec>) {
    form.offset = Codec::component(0, i);
    for (std::size_t p = 0; p < Codec::planes.size(); ++p) {
      form.factor[p] = Codec::component(static_cast<code>(plane_weight<Codec>(p)), i) - form.offset;
    }
    if constexpr (Codec::planes.size() == 2) {
      if (Codec::planes[0] == 2 && Codec::planes[1] == 2) {
        form.product = Codec::component(3, i) - form.factor[0] - form.factor[1] - form.offset;
      }
    }
    form.exact = true;
    for (int q = 0; q < levels<Codec>(); ++q) {
      int value = form.offset;
      int symbols = 1;
      for (std::size_t p = 0; p < Codec::planes.size(); ++p) {
        value += form.factor[p] * symbol_of<Codec>(q, p);
        symbols *= symbol_of<Codec>(q, p);
      }
      form.exact = form.exact && value + form.product * symbols == Codec::component(static_cast<code>(q), i);
    }
  }
  return form;
}

/// All components have exact forms.
template <WeightCodec Codec>
inline constexpr bool has_exact_forms = [] {
  for (int i = 0; i < component_count<Codec>; ++i) {
    if (!form_of_component<Codec>(i).exact) return false;
  }
  return true;
}();

/// A component takes the product of two symbols.
template <WeightCodec Codec>
inline constexpr bool has_symbol_products = [] {
  for (int i = 0; i < component_count<Codec>; ++i) {
    if (form_of_component<Codec>(i).product != 0) return true;
  }
  return false;
}();

/// A symbolic number that tracks only whether it is certainly 0. Codec::coefficients() evaluated with it at compile
/// time shows which coefficients are 0 for all parameters, so that kernels can skip them.
struct number_or_zero {
  bool is_zero = false;

  constexpr number_or_zero() = default;
  constexpr explicit number_or_zero(float value) : is_zero(value == 0.0f) {}
  friend constexpr number_or_zero operator*(number_or_zero a, number_or_zero b) {
    return number_or_zero(a.is_zero || b.is_zero ? 0.0f : 1.0f);
  }
  friend constexpr number_or_zero operator+(number_or_zero a, number_or_zero b) {
    return number_or_zero(a.is_zero && b.is_zero ? 0.0f : 1.0f);
  }
  friend constexpr number_or_zero operator-(number_or_zero a, number_or_zero b) { return a + b; }
};

/// Which coefficients of the linear form are 0 whatever the parameters are.
template <WeightCodec Codec>
[[nodiscard]] constexpr std::array<bool, component_count<Codec> + 1> vanishing_coefficients(int column_class) noexcept {
  const std::array<number_or_zero, static_cast<std::size_t>(parameter_count<Codec>)> parameters{};
  const auto a = luq::coefficients(Codec(), parameters.data(), column_class);
  std::array<bool, component_count<Codec> + 1> vanishes{};
  for (std::size_t i = 0; i < vanishes.size(); ++i) vanishes[i] = a[i].is_zero;
  return vanishes;
}

/// A component that counts in a column class takes the product of two symbols.
template <WeightCodec Codec>
[[nodiscard]] constexpr bool takes_symbol_products(int column_class) noexcept {
  const auto vanishes = vanishing_coefficients<Codec>(column_class);
  for (int i = 0; i < component_count<Codec>; ++i) {
    if (form_of_component<Codec>(i).product != 0 && !vanishes[static_cast<std::size_t>(i)]) return true;
  }
  return false;
}

/// Least value of component i, and the difference to the greatest.
struct component_range {
  int least;
  int width;
};

template <WeightCodec Codec>
[[nodiscard]] constexpr component_range range_of_component(int i) noexcept {
  int least = Codec::component(0, i);
  int greatest = least;
  for (int q = 1; q < code_count<Codec>(); ++q) {
    least = (std::min)(least, Codec::component(static_cast<code>(q), i));
    greatest = (std::max)(greatest, Codec::component(static_cast<code>(q), i));
  }
  return {least, greatest - least};
}

/// All planes are of bits.
template <WeightCodec Codec>
inline constexpr bool has_only_bit_planes = [] {
  for (const auto radix : Codec::planes) {
    if (radix != 2) return false;
  }
  return true;
}();

/// All planes are of bits, and components are sums of products of their signs: each factor is even.
template <WeightCodec Codec>
inline constexpr bool has_sign_sums = has_exact_forms<Codec> && has_only_bit_planes<Codec> && [] {
  for (int i = 0; i < component_count<Codec>; ++i) {
    const auto form = form_of_component<Codec>(i);
    if (form.product % 2 != 0) return false;
    for (const int factor : form.factor) {
      if (factor % 2 != 0) return false;
    }
  }
  return true;
}();

/// Two planes of bits, hence four codes.
template <WeightCodec Codec>
inline constexpr bool has_two_bit_planes = has_only_bit_planes<Codec> && Codec::planes.size() == 2;

/// Columns that whole words of every plane cover together: the least unit in which a group can be cut between words.
template <WeightCodec Codec>
inline constexpr index unit_columns = [] {
  index columns = 1;
  unrolled<static_cast<index>(Codec::planes.size())>([&](auto p) {
    columns = std::lcm(columns, 4 * radix_traits<static_cast<int>(Codec::planes[p()])>::symbols_per_byte);
  });
  return columns;
}();

}  // namespace luq::detail

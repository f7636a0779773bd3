// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/codecs/detail/component_form.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <type_traits>
#include <vector>

#include "luq/codecs/tile_layout.hpp"
#include "quantizers/codec_list.hpp"

using luq::detail::form_of_component;
using luq::detail::has_exact_forms;
using luq::detail::has_symbol_products;
using luq::detail::plane_weight;
using luq::detail::range_of_component;
using luq::detail::symbol_of;
using luq::detail::unit_columns;

namespace {

/// Whether component i has an exact form with these numbers.
template <class Codec>
constexpr bool form_is(int i, std::array<int, Codec::planes.size()> factor, int product, int offset) {
  const auto form = form_of_component<Codec>(i);
  return form.exact && form.factor == factor && form.product == product && form.offset == offset;
}

template <class Codec>
constexpr bool range_is(int i, int least, int width) {
  return range_of_component<Codec>(i).least == least && range_of_component<Codec>(i).width == width;
}

/// Two sign planes of which the second is worth nothing without the first.
struct gated_codec : luq::binary_coding_codec {
  static constexpr int component(luq::code q, int) { return q == 0 ? 9 : q == 1 ? 4 : q == 2 ? 9 : 100; }
};
static_assert(form_is<gated_codec>(0, {-5, 0}, 96, 9) && range_is<gated_codec>(0, 4, 96));

/// One plane of four levels in equal steps but for the third.
struct bent_codec : luq::int_codec<2> {
  static constexpr int component(luq::code q, int) { return q == 2 ? 7 : q; }
};
static_assert(!form_of_component<bent_codec>(0).exact && !has_exact_forms<bent_codec>);

/// Only the second component is bent.
struct half_bent_codec : luq::int_codec<2> {
  static constexpr int components = 2;
  static constexpr int component(luq::code q, int i) { return i == 1 && q == 3 ? 7 : q; }
  template <class Number>
  std::array<Number, 3> coefficients(const Number* p, int) const {
    return {p[0], p[1], p[0]};
  }
};
static_assert(form_of_component<half_bent_codec>(0).exact && !form_of_component<half_bent_codec>(1).exact);
static_assert(!has_exact_forms<half_bent_codec>);

}  // namespace

TEST_CASE("integers, signs and trits are affine in their symbols") {
  static_assert(form_is<luq::int_codec<2>>(0, {1}, 0, -2));
  static_assert(form_is<luq::int_codec<3>>(0, {1, 4}, 0, -4));
  static_assert(form_is<luq::int_codec<4>>(0, {1}, 0, -8));
  static_assert(form_is<luq::int_codec<8>>(0, {1}, 0, -128));
  static_assert(form_is<luq::sign_codec>(0, {2}, 0, -1));
  static_assert(form_is<luq::ternary_codec>(0, {1}, 0, -1));
  static_assert(form_is<luq::binary_coding_codec>(0, {2, 0}, 0, -1));
  static_assert(form_is<luq::binary_coding_codec>(1, {0, 2}, 0, -1));
}

TEST_CASE("the third component of BiLLM is bilinear") {
  static_assert(form_is<luq::billm_codec>(0, {2, 0}, 0, -1));
  static_assert(form_is<luq::billm_codec>(1, {0, 2}, 0, -1));
  static_assert(form_is<luq::billm_codec>(2, {-2, -2}, 4, 1));  // (2 s - 1) (2 u - 1)
  luq_test::for_each_codec(8, [](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    using Codec = std::decay_t<decltype(codec)>;
    CHECK(has_symbol_products<Codec> == std::is_same_v<Codec, luq::billm_codec>);
  });
}

TEST_CASE("levels of tables are no form, and codes that remember have none") {
  static_assert(!form_of_component<luq::lloyd_codec<2>>(0).exact && !has_exact_forms<luq::lloyd_codec<2>>);
  static_assert(!form_of_component<luq::lloyd_codec<3>>(0).exact && !has_exact_forms<luq::lloyd_codec<3>>);
  static_assert(!form_of_component<luq::lloyd_codec<4>>(0).exact && !has_exact_forms<luq::lloyd_codec<4>>);
  static_assert(!has_exact_forms<luq::trellis_codec<2>> && !has_exact_forms<luq::trellis_codec<3>>);
  static_assert(!has_exact_forms<luq::trellis_codec<4>> && !has_exact_forms<luq::trellis_codec<8>>);
  static_assert(has_exact_forms<luq::int_codec<3>> && has_exact_forms<luq::sign_codec>);
  static_assert(has_exact_forms<luq::ternary_codec> && has_exact_forms<luq::binary_coding_codec>);
  static_assert(has_exact_forms<luq::billm_codec>);
}

TEST_CASE("an exact form gives the component of every code from its symbols") {
  luq_test::for_each_codec(8, [](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    using Codec = std::decay_t<decltype(codec)>;
    for (int i = 0; i < luq::component_count<Codec>; ++i) {
      CAPTURE(i);
      const auto form = form_of_component<Codec>(i);
      int wrong = 0;
      for (int q = 0; q < luq::levels<Codec>(); ++q) {
        int value = form.offset;
        int product = form.product;
        int rest = q;
        for (std::size_t p = 0; p < Codec::planes.size(); ++p) {
          const int symbol = rest % static_cast<int>(Codec::planes[p]);
          rest /= static_cast<int>(Codec::planes[p]);
          value += form.factor[p] * symbol;
          product *= symbol;
        }
        wrong += value + product != Codec::component(static_cast<luq::code>(q), i);
      }
      CHECK((wrong == 0) == form.exact);
    }
  });
}

TEST_CASE("symbols make up a code, each with the weight of its plane") {
  static_assert(symbol_of<luq::int_codec<3>>(6, 0) == 2 && symbol_of<luq::int_codec<3>>(6, 1) == 1);
  static_assert(plane_weight<luq::int_codec<3>>(0) == 1 && plane_weight<luq::int_codec<3>>(1) == 4);
  luq_test::for_each_codec(8, [](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    using Codec = std::decay_t<decltype(codec)>;
    int wrong = 0;
    for (int q = 0; q < luq::levels<Codec>(); ++q) {
      int sum = 0;
      for (std::size_t p = 0; p < Codec::planes.size(); ++p) {
        const int symbol = symbol_of<Codec>(q, p);
        wrong += symbol < 0 || symbol >= static_cast<int>(Codec::planes[p]);
        sum += plane_weight<Codec>(p) * symbol;
      }
      wrong += sum != q;
    }
    CHECK(wrong == 0);
  });
}

TEST_CASE("ranges of components") {
  static_assert(range_is<luq::int_codec<2>>(0, -2, 3) && range_is<luq::int_codec<3>>(0, -4, 7));
  static_assert(range_is<luq::int_codec<4>>(0, -8, 15) && range_is<luq::int_codec<8>>(0, -128, 255));
  static_assert(range_is<luq::sign_codec>(0, -1, 2) && range_is<luq::ternary_codec>(0, -1, 2));
  static_assert(range_is<luq::binary_coding_codec>(1, -1, 2) && range_is<luq::billm_codec>(2, -1, 2));
  static_assert(range_is<luq::lloyd_codec<2>>(0, -127, 254) && range_is<luq::lloyd_codec<4>>(0, -127, 254));
  luq_test::for_each_codec(8, [](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    using Codec = std::decay_t<decltype(codec)>;
    for (int i = 0; i < luq::component_count<Codec>; ++i) {
      std::vector<int> values;
      for (int q = 0; q < luq::code_count<Codec>(); ++q) {
        values.push_back(Codec::component(static_cast<luq::code>(q), i));
      }
      const auto [least, greatest] = std::minmax_element(values.begin(), values.end());
      CHECK(range_is<Codec>(i, *least, *greatest - *least));
      CHECK(*greatest - *least <= 255);  // operands are bytes
    }
  });
}

TEST_CASE("a unit of columns is whole words of every plane") {
  static_assert(unit_columns<luq::int_codec<2>> == 16 && unit_columns<luq::int_codec<3>> == 32);
  static_assert(unit_columns<luq::int_codec<4>> == 8 && unit_columns<luq::int_codec<8>> == 4);
  static_assert(unit_columns<luq::sign_codec> == 32 && unit_columns<luq::ternary_codec> == 20);
  static_assert(unit_columns<luq::binary_coding_codec> == 32 && unit_columns<luq::billm_codec> == 32);
  static_assert(unit_columns<luq::lloyd_codec<2>> == 16 && unit_columns<luq::lloyd_codec<3>> == 32);
  static_assert(unit_columns<luq::lloyd_codec<4>> == 8 && unit_columns<luq::trellis_codec<2>> == 32);
  static_assert(unit_columns<luq::trellis_codec<3>> == 20 && unit_columns<luq::trellis_codec<4>> == 16);
  static_assert(unit_columns<luq::trellis_codec<8>> == 32 && unit_columns<luq::trellis_codec<16>> == 8);
  luq_test::for_each_codec(8, [](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    using Codec = std::decay_t<decltype(codec)>;
    luq::index widest_word = 0;
    luq::detail::unrolled<luq::index{Codec::planes.size()}>([&](auto p) {
      constexpr auto radix = static_cast<int>(Codec::planes[p()]);
      const luq::index columns_of_word = 4 * luq::radix_traits<radix>::symbols_per_byte;
      CHECK(unit_columns<Codec> % columns_of_word == 0);
      widest_word = std::max(widest_word, columns_of_word);
    });
    CHECK(widest_word == unit_columns<Codec>);
  });
}

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/codecs/codec_traits.hpp"

#include <doctest/doctest.h>

#include <array>
#include <bit>
#include <cstdint>
#include <vector>

#include "codec_test_support.hpp"
#include "luq/codecs/sign_codec.hpp"
#include "luq/core/random.hpp"
#include "quantizers/codec_list.hpp"

namespace {

/// Two scales of which the second is a constant, and a zero that is stored in four bits.
struct offset_codec {
  luq::index group = 16;
  bool centred = false;

  template <class Visitor>
  constexpr void read_parameters(Visitor&& visitor) const {
    visitor.template scales<float>(2);
    if (centred) {
      visitor.constant(8);
    } else {
      visitor.template bit_packed<4>();
    }
  }
  [[nodiscard]] static constexpr int component(luq::code q, int) noexcept { return q; }
  template <class Number>
  [[nodiscard]] constexpr std::array<Number, 2> coefficients(const Number* p, int) const noexcept {
    return {p[0], p[1] - p[0] * p[2]};
  }
  [[nodiscard]] static constexpr bool accepts(const std::array<float, 2>& scales) { return scales[0] != 7.0f; }
};

static_assert(luq::parameter_count<offset_codec> == 3 && luq::scale_count<offset_codec> == 2);
static_assert(luq::column_class_count<offset_codec> == 1 && luq::component_count<offset_codec> == 1);
static_assert(luq::parameter_count<luq::int_codec<4>> == 2 && luq::scale_count<luq::int_codec<4>> == 1);
static_assert(luq::parameter_count<luq::billm_codec> == 7 && luq::scale_count<luq::billm_codec> == 7);
static_assert(luq::column_class_count<luq::billm_codec> == 2 && luq::component_count<luq::billm_codec> == 3);
static_assert(luq::parameter_count<luq::sign_codec> == 1 && luq::component_count<luq::binary_coding_codec> == 2);

}  // namespace

TEST_CASE("a weight and its basis follow from the linear form of a codec") {
  const offset_codec codec;
  const std::array<float, 3> parameters{0.5f, 3.0f, 8.0f};
  CHECK(luq::decode_weight(codec, 2, parameters.data(), 0) == 0.0f);
  CHECK(luq::decode_weight(codec, 15, parameters.data(), 0) == 6.5f);
  CHECK(luq::scale_basis(codec, 2, parameters.data(), 0) == std::array<float, 2>{-6.0f, 1.0f});
}

TEST_CASE("new scales replace those that are there, unless the codec or its storage refuses them") {
  const offset_codec codec;
  std::array<float, 3> parameters{0.5f, 3.0f, 8.0f};
  CHECK_FALSE(luq::store_scales(codec, {7.0f, 1.0f}, parameters.data()));
  CHECK_FALSE(luq::store_scales(codec, {1.0f, std::numeric_limits<float>::infinity()}, parameters.data()));
  CHECK(parameters == std::array<float, 3>{0.5f, 3.0f, 8.0f});
  CHECK(luq::store_scales(codec, {0.1f, -2.0f}, parameters.data()));
  CHECK(parameters == std::array<float, 3>{0.1f, -2.0f, 8.0f});
}

TEST_CASE("the weights of codecs with a linear form of their own are those of the form, to the bit") {
  // Of those without, decode() is the definition, which check_linear_form() compares with the form.
  luq_test::for_each_codec(128, [](const auto& codec) {
    using Codec = std::decay_t<decltype(codec)>;
    CAPTURE(luq::codec_name(codec));
    const luq::counter_rng rng(5);
    std::array<float, luq::parameter_count<Codec>> parameters{};
    for (std::size_t i = 0; i < parameters.size(); ++i) parameters[i] = static_cast<float>(rng.normal(i));
    if constexpr (luq::component_count<Codec> == 1 && luq::parameter_count<Codec> == 1) {
      int wrong = 0;
      for (int q = 0; q < luq::code_count<Codec>(); ++q) {
        const auto code = static_cast<luq::code>(q);
        const float expected = parameters[0] * static_cast<float>(Codec::component(code, 0));
        const float weight = luq::decode_weight(codec, code, parameters.data(), 0);
        wrong += std::bit_cast<std::uint32_t>(weight) != std::bit_cast<std::uint32_t>(expected);
      }
      CHECK(wrong == 0);
    }
  });
}

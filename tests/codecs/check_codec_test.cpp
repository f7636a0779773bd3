// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/codecs/check_codec.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <span>

#include "codec_test_support.hpp"
#include "codecs/base_five.hpp"
#include "luq/codecs/sign_codec.hpp"
#include "luq/codecs/ternary_codec.hpp"
#include "luq/codecs/trellis_codec.hpp"
#include "quantizers/codec_list.hpp"

/// Two digits of base 7, the second of which nothing bounds.
template <>
struct luq::radix_traits<7> {
  static constexpr luq::index symbols_per_byte = 2;
  static constexpr int extract(std::uint8_t byte, luq::index slot) { return slot == 0 ? byte % 7 : byte / 7; }
  static constexpr std::uint8_t combine(std::span<const std::uint8_t> symbols) {
    return static_cast<std::uint8_t>((symbols.empty() ? 0 : symbols[0]) + (symbols.size() < 2 ? 0 : 7 * symbols[1]));
  }
};

namespace {

// Each breaks one property of a codec that has all.
struct with_large_component : luq::sign_codec {
  static constexpr int component(luq::code q, int) noexcept { return q != 0 ? 256 : -1; }
};
struct with_another_decode : luq::sign_codec {
  [[nodiscard]] float decode(luq::code q, const float* parameters, int) const noexcept {
    return q != 0 ? parameters[0] : -0.99f * parameters[0];
  }
};
struct with_swapped_encode : luq::sign_codec {
  [[nodiscard]] luq::code encode(float w, const float*, int) const noexcept { return w >= 0 ? 0 : 1; }
};
struct with_far_encode : luq::ternary_codec {
  [[nodiscard]] luq::code encode(float w, const float* parameters, int) const noexcept {
    return w > 0.6f * parameters[0] ? 2 : w < -0.5f * parameters[0] ? 0 : 1;
  }
};
struct with_unstored_scales : luq::sign_codec {
  void fit_row(std::span<const float> w, std::span<const float> importance, float* parameters) const {
    luq::basic_sign_codec<float>{}.fit_row(w, importance, parameters);
  }
};
struct with_unused_codes : luq::ternary_codec {
  static constexpr int used_codes = 2;
};
struct with_short_window : luq::trellis_codec<2> {
  static constexpr int window = 11;
};

struct with_another_level : luq::trellis_codec<2> {
  static constexpr luq::computed_level level{.multiplier = 0x54b1e187u, .mask = 0x3f3f3f3fu, .offset = -125};
};
struct with_free_digits : luq_test::base_five_codec {
  static constexpr std::array<std::uint16_t, 1> planes{7};
};

template <class Codec>
void check_is_faulty(const char* fragment) {
  luq_test::check_fails(luq::errc::faulty_codec, fragment, [] { luq::check_codec(Codec{}); });
}

}  // namespace

TEST_CASE("every codec of luq has the properties of a codec") {
  const auto check = [](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    CHECK_NOTHROW(luq::check_codec(codec));
  };
  luq_test::for_each_codec(32, check);
  luq_test::for_each_memoryless_codec(100, check);
  luq_test::for_each_memoryless_codec(luq::whole_row, check);
}

TEST_CASE("of a codec without one of them, check_codec says which") {
  check_is_faulty<with_large_component>("component 0 of code 1: expected at most 255, got 256");
  check_is_faulty<with_another_decode>("its linear form is");
  check_is_faulty<with_swapped_encode>("more error");
  check_is_faulty<with_far_encode>("away, but code");
  check_is_faulty<with_unstored_scales>("not unpacked as they were packed");
  check_is_faulty<with_unused_codes>("gives code 2 of 2");
  check_is_faulty<with_short_window>("is not forgotten after 11 symbols");
  check_is_faulty<with_another_level>("code 0 has the component -126, its computed level is -125");
  check_is_faulty<with_free_digits>("radix 7: byte 49 has the symbol 7 in slot 1");
}

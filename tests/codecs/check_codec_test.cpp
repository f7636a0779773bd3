// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/codecs/check_codec.hpp"

#include <doctest/doctest.h>

#include <span>

#include "codec_test_support.hpp"
#include "luq/codecs/sign_codec.hpp"
#include "luq/codecs/ternary_codec.hpp"
#include "luq/codecs/trellis_codec.hpp"
#include "quantizers/codec_list.hpp"

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
}

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/codecs/weight_codec.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <vector>

#include "codec_test_support.hpp"
#include "luq/codecs/code_group.hpp"
#include "luq/codecs/sign_codec.hpp"
#include "luq/core/random_matrix.hpp"
#include "quantizers/codec_list.hpp"

using luq::matrix;

namespace {

// A codec that inherits everything is one; each of the others hides one requirement.
struct renamed : luq::sign_codec {};
struct without_family : luq::sign_codec {
  void family() const;
};
struct without_encode : luq::sign_codec {
  void encode() const;
};
struct without_component : luq::sign_codec {
  void component() const;
};
struct without_coefficients : luq::sign_codec {
  [[nodiscard]] std::array<float, 1> coefficients(const float*, int) const;
};
struct with_scales_beyond_its_components : luq::sign_codec {
  template <class Visitor>
  constexpr void read_parameters(Visitor&& visitor) const {
    visitor.template scales<luq::half>(2);
  }
};
struct with_decode_of_one_argument : luq::sign_codec {
  [[nodiscard]] float decode(luq::code) const;
};
struct with_accepts_of_two_scales : luq::sign_codec {
  static bool accepts(const std::array<float, 2>&);
};
struct without_planes : luq::sign_codec {
  void planes() const;
};
struct without_nominal_bits : luq::sign_codec {
  void nominal_bits() const;
};
struct without_group : luq::sign_codec {
  void group() const;
};
struct without_fit : luq::sign_codec {
  void fit_row() const;
};
struct without_storage : luq::sign_codec {
  void read_parameters() const;
};

static_assert(luq::MemorylessCodec<renamed> && !luq::SequenceCodec<renamed>);
static_assert(luq::SequenceCodec<luq::trellis_codec<2>> && !luq::MemorylessCodec<luq::trellis_codec<2>>);
static_assert(!luq::WeightCodec<without_family>);
static_assert(luq::WeightCodec<without_encode> && !luq::MemorylessCodec<without_encode>);
static_assert(!luq::WeightCodec<without_component>);
static_assert(!luq::WeightCodec<without_coefficients>);
static_assert(!luq::WeightCodec<with_scales_beyond_its_components>);
static_assert(!luq::WeightCodec<with_decode_of_one_argument>);
static_assert(!luq::WeightCodec<with_accepts_of_two_scales>);
static_assert(!luq::WeightCodec<without_planes>);
static_assert(!luq::WeightCodec<without_nominal_bits>);
static_assert(!luq::WeightCodec<without_group>);
static_assert(!luq::WeightCodec<without_fit>);
static_assert(!luq::WeightCodec<without_storage>);
static_assert(!luq::WeightCodec<int>);

}  // namespace

TEST_CASE("levels are the product of the radices of the planes") {
  static_assert(luq::levels<luq::sign_codec>() == 2);
  static_assert(luq::levels<luq::ternary_codec>() == 3);
  static_assert(luq::levels<luq::binary_coding_codec>() == 4 && luq::levels<luq::billm_codec>() == 4);
  static_assert(luq::levels<luq::int_codec<2>>() == 4 && luq::levels<luq::int_codec<3>>() == 8);
  static_assert(luq::levels<luq::trellis_codec<3>>() == 3 && luq::code_count<luq::trellis_codec<3>>() == 6561);
  static_assert(luq::code_count<luq::int_codec<3>>() == 8);
  static_assert(luq::levels<luq::int_codec<4>>() == 16 && luq::levels<luq::int_codec<8>>() == 256);
}

TEST_CASE("a group is never wider than the matrix, and whole_row is as wide") {
  const auto size = [](luq::index group, luq::index cols) {
    return luq::group_size(luq::sign_codec{.group = group}, cols);
  };
  CHECK(size(32, 100) == 32);
  CHECK(size(100, 100) == 100);
  CHECK(size(101, 100) == 100);
  CHECK(size(1, 100) == 1);
  CHECK(size(luq::whole_row, 100) == 100);
  CHECK(size(128, 0) == 0);
}

TEST_CASE("a decoded value is linear in the scales, and new scales are stored or refused") {
  luq_test::for_each_codec(8, [](const auto& codec) {
    using Codec = std::decay_t<decltype(codec)>;
    CAPTURE(luq::codec_name(codec));
    const luq::group_parameters fitted =
        luq::fit_group(codec, luq::random_normal_matrix(1, 8, luq::counter_rng(1)), std::vector<float>{});
    std::array<float, luq::parameter_count<Codec>> parameters{};
    std::copy_n(fitted.row(0), parameters.size(), parameters.begin());
    const auto check_linear = [&] {
      for (int column_class = 0; column_class < luq::column_class_count<Codec>; ++column_class) {
        for (int q = 0; q < luq::code_count<Codec>(); ++q) {
          CAPTURE(q);
          const auto basis = luq::scale_basis(codec, static_cast<luq::code>(q), parameters.data(), column_class);
          double sum = 0;
          double magnitude = 0;
          for (std::size_t i = 0; i < basis.size(); ++i) {
            const double term = static_cast<double>(basis[i]) * static_cast<double>(parameters[i]);
            sum += term;
            magnitude += std::abs(term);
          }
          const auto value = static_cast<double>(
              luq::decode_weight(codec, static_cast<luq::code>(q), parameters.data(), column_class));
          CHECK(std::abs(value - sum) <= 0x1p-22 * magnitude);
        }
      }
    };
    check_linear();

    std::array<float, static_cast<std::size_t>(luq::scale_count<Codec>)> scales{};
    for (std::size_t i = 0; i < scales.size(); ++i) scales[i] = 0.3f * static_cast<float>(scales.size() - i);
    const auto before = parameters;
    REQUIRE(luq::store_scales(codec, scales, parameters.data()));
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      CHECK(parameters[i] == (i < scales.size() ? static_cast<float>(luq::half(scales[i])) : before[i]));
    }
    check_linear();

    const auto kept = parameters;
    for (const float bad : {1e6f, std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
      scales[0] = bad;
      CHECK_FALSE(luq::store_scales(codec, scales, parameters.data()));
      CHECK(parameters == kept);
    }
  });
}

TEST_CASE("scales under which the nearest value would not be found are refused") {
  float scale = 1;
  CHECK_FALSE(luq::store_scales(luq::sign_codec{}, {-0.5f}, &scale));
  CHECK_FALSE(luq::store_scales(luq::ternary_codec{}, {-0.5f}, &scale));
  CHECK_FALSE(luq::store_scales(luq::lloyd_codec<4>{}, {-0.5f}, &scale));
  CHECK(scale == 1);
  CHECK(luq::store_scales(luq::sign_codec{}, {0.0f}, &scale));
  CHECK(scale == 0);
  std::array<float, 2> pair{2, 1};
  CHECK_FALSE(luq::store_scales(luq::binary_coding_codec{}, {1.0f, 1.5f}, pair.data()));
  CHECK_FALSE(luq::store_scales(luq::binary_coding_codec{}, {1.0f, -0.5f}, pair.data()));
  CHECK_FALSE(luq::store_scales(luq::int_codec<4>{}, {0.0f}, pair.data()));
  CHECK(pair == std::array<float, 2>{2, 1});
}

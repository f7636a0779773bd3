// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/codecs/weight_codec.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <limits>
#include <vector>

#include "codec_test_support.hpp"
#include "luq/codecs/sign_codec.hpp"
#include "luq/core/random_matrix.hpp"
#include "quantizers/codec_list.hpp"

using luq::matrix;
using luq::detail::stored_value;
using luq_test::check_fails;
using luq_test::hex;

namespace {

// A codec that inherits everything is one; each of the others hides one requirement.
struct renamed : luq::sign_codec {};
struct without_name : luq::sign_codec {
  void name() const;
};
struct without_encode : luq::sign_codec {
  void encode() const;
};
struct without_coefficients : luq::sign_codec {
  [[nodiscard]] std::array<float, 1> coefficients(const float*, int) const;
};
struct without_scale_basis : luq::sign_codec {
  [[nodiscard]] std::array<float, 2> scale_basis(luq::code, const float*, int) const;
};
struct without_group : luq::sign_codec {
  void group() const;
};
struct without_storage : luq::sign_codec {
  void read_parameters() const;
};

static_assert(luq::MemorylessCodec<renamed> && !luq::SequenceCodec<renamed>);
static_assert(luq::SequenceCodec<luq::trellis_codec<2>> && !luq::MemorylessCodec<luq::trellis_codec<2>>);
static_assert(!luq::WeightCodec<without_name>);
static_assert(luq::WeightCodec<without_encode> && !luq::MemorylessCodec<without_encode>);
static_assert(!luq::WeightCodec<without_coefficients>);
static_assert(!luq::WeightCodec<without_scale_basis>);
static_assert(!luq::WeightCodec<without_group>);
static_assert(!luq::WeightCodec<without_storage>);
static_assert(!luq::WeightCodec<int>);

/// Writes what it is given, for the rules of fit_rows().
struct recording_codec {
  static constexpr int parameter_count = 3;  ///< { first weight, first importance, columns }

  [[nodiscard]] luq::group_parameters fit(const luq::matrix_view& W, const std::vector<float>& importance) const {
    return luq::detail::fit_rows<recording_codec>(W, importance, [](auto w, auto weights, float* parameters) {
      REQUIRE(w.size() == weights.size());
      parameters[0] = w[0];
      parameters[1] = weights[0];
      parameters[2] = static_cast<float>(w.size());
    });
  }
};

}  // namespace

TEST_CASE("levels are the product of the radices of the planes") {
  static_assert(luq::levels<luq::sign_codec>() == 2);
  static_assert(luq::levels<luq::ternary_codec>() == 3);
  static_assert(luq::levels<luq::lut2_codec>() == 4 && luq::levels<luq::billm_codec>() == 4);
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

TEST_CASE("parameters of a row are contiguous, and columns without a class are of class 0") {
  luq::group_parameters parameters{matrix(2, 3), {}};
  parameters.values << 1, 2, 3, 4, 5, 6;
  CHECK(parameters.row(1)[0] == 4);
  CHECK(parameters.row(1)[2] == 6);
  CHECK(parameters.class_of(7) == 0);
  parameters.column_class = {0, 1};
  CHECK(parameters.class_of(0) == 0);
  CHECK(parameters.class_of(1) == 1);
}

TEST_CASE("code_group fits and encodes weight by weight, unless the codec codes groups itself") {
  const matrix W = luq::random_normal_matrix(5, 20, luq::counter_rng(1));
  const std::vector<float> importance = luq_test::ramp(1, 20, 1);
  luq_test::for_each_memoryless_codec(luq::whole_row, [&](const auto& codec) {
    CAPTURE(codec.name());
    const luq::coded_group group = luq::code_group(codec, W, importance);
    CHECK(group.parameters.values == codec.fit(W, importance).values);
    if constexpr (requires { codec.code_group(W, importance); }) {
      CHECK(group.codes == codec.code_group(W, importance).codes);
    } else {
      for (luq::index r = 0; r < W.rows(); ++r) {
        for (luq::index c = 0; c < W.cols(); ++c) {
          CHECK(group.codes(r, c) == codec.encode(W(r, c), group.parameters.row(r), 0));
        }
      }
    }
  });
}

TEST_CASE("rows are fitted one by one, with the caller's importance unless it is all zero") {
  const recording_codec codec;
  matrix W(2, 3);
  W << 1, 2, 3, 4, 5, 6;
  matrix expected(2, 3);
  expected << 1, 9, 3, 4, 9, 3;
  CHECK(codec.fit(W, {9, 0, 0}).values == expected);
  expected.col(1).setConstant(0);
  CHECK(codec.fit(W, {0, 8, 0}).values == expected);
  expected.col(1).setConstant(1);
  CHECK(codec.fit(W, {0, 0, 0}).values == expected);
  CHECK(codec.fit(W, {}).values == expected);
  CHECK(codec.fit(W, {}).column_class.empty());
  CHECK(codec.fit(matrix(0, 3), {}).values.rows() == 0);

  expected << 2, 1, 2, 5, 1, 2;  // a block of a larger matrix, read in place
  CHECK(codec.fit(W.middleCols(1, 2), {}).values == expected);
}

TEST_CASE("a stored value is the one that storage restores, and too large ones are bad data") {
  CHECK(stored_value<luq::half>(0.1f) == static_cast<float>(luq::half(0.1f)));
  CHECK(stored_value<luq::half>(65504.0f) == 65504.0f);
  CHECK(stored_value<luq::half>(-65519.0f) == -65504.0f);
  CHECK(stored_value<luq::half>(0x1p-26f) == 0.0f);
  CHECK(stored_value<float>(0.1f) == 0.1f);
  CHECK(stored_value<float>(std::numeric_limits<float>::max()) == std::numeric_limits<float>::max());
  constexpr float infinity = std::numeric_limits<float>::infinity();
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  using luq::errc;
  check_fails(errc::non_finite, "codec parameter 65520 does not fit its 16-bit storage type",
              [] { (void)stored_value<luq::half>(65520.0f); });
  check_fails(errc::non_finite, "-1e+06", [] { (void)stored_value<luq::half>(-1e6f); });
  check_fails(errc::non_finite, "16-bit", [] { (void)stored_value<luq::half>(nan); });
  check_fails(errc::non_finite, "32-bit", [] { (void)stored_value<float>(infinity); });
  check_fails(errc::non_finite, "32-bit", [] { (void)stored_value<float>(nan); });
}

TEST_CASE("scales are stored parameter by parameter, little-endian") {
  matrix values(2, 2);
  values << 1, 0.5f, -2, 0.25f;
  std::vector<std::byte> halves(8);
  luq::detail::pack_scales<luq::half>(values, halves);
  CHECK(hex(halves) == "00 3c 00 c0 00 38 00 34 ");  // 1, -2, then 0.5, 0.25
  std::vector<std::byte> floats(16);
  luq::detail::pack_scales<float>(values, floats);
  CHECK(hex(floats) == "00 00 80 3f 00 00 00 c0 00 00 00 3f 00 00 80 3e ");

  matrix again(2, 2);
  luq::detail::parameter_reader(halves, again).scales<luq::half>(2);
  CHECK(again == values);
  again.setZero();
  luq::detail::parameter_reader(floats, again).scales<float>(2);
  CHECK(again == values);
}

TEST_CASE("scales are read from and written to blocks of larger matrices") {
  matrix values(2, 3);
  values << 1, 2, 3, 4, 5, 6;
  std::vector<std::byte> bytes(4);
  luq::detail::pack_scales<luq::half>(values.middleCols(1, 1), bytes);
  CHECK(hex(bytes) == "00 40 00 45 ");  // 2 and 5
  luq::detail::parameter_reader(bytes, values.leftCols(1)).scales<luq::half>(1);
  CHECK(values(0, 0) == 2);
  CHECK(values(1, 0) == 5);
  CHECK(values(0, 1) == 2);
  CHECK(values(1, 2) == 6);
}

TEST_CASE("parameters are read one kind after the other, each from where the last one ended") {
  // Three rows of a half, three 3-bit integers 5, 0 and 7, nothing, a half and a float.
  const std::vector<std::byte> bytes = [] {
    std::vector<std::byte> result;
    for (const int byte : {0x00, 0x3c, 0x00, 0x40, 0x00, 0xc4, 0xc5, 0x01, 0x00, 0x38, 0x00, 0x38, 0x00, 0x34,  //
                           0x00, 0x00, 0x80, 0x3f, 0x00, 0x00, 0x00, 0x40, 0x00, 0x00, 0x40, 0xc0}) {
      result.push_back(static_cast<std::byte>(byte));
    }
    return result;
  }();
  matrix values = matrix::Constant(3, 5, -9.0f);
  luq::detail::parameter_reader reader(bytes, values);
  reader.scales<luq::half>(1);
  reader.bit_packed<3>();
  reader.constant(8.0f);
  reader.scales<luq::half>(1);
  reader.scales<float>(1);
  matrix expected(3, 5);
  expected << 1, 5, 8, 0.5f, 1, 2, 0, 8, 0.5f, 2, -4, 7, 8, 0.25f, -3;
  CHECK(values == expected);
}

TEST_CASE("every codec reads the parameters that it packed, for any number of rows of a tile") {
  luq_test::for_each_codec(8, [](const auto& codec) {
    CAPTURE(codec.name());
    for (const luq::index rows : {1, 2, 5, 63, 64}) {
      CAPTURE(rows);
      const matrix fitted = codec.fit(luq::random_normal_matrix(rows, 8, luq::counter_rng(2)), {}).values;
      std::vector<std::byte> bytes(static_cast<std::size_t>(codec.parameter_bytes(rows)));
      codec.pack_parameters(fitted, bytes);
      matrix again = matrix::Constant(rows, codec.parameter_count, -9.0f);
      codec.read_parameters(luq::detail::parameter_reader(bytes, again));
      CHECK(again == fitted);
    }
  });
}

TEST_CASE("only scales that are not fp16 are named") {
  CHECK(luq::detail::scale_suffix<luq::half>().empty());
  CHECK(luq::detail::scale_suffix<float>() == ":f32");
}

TEST_CASE("a decoded value is linear in the scales, and new scales are stored or refused") {
  luq_test::for_each_codec(8, [](const auto& codec) {
    using Codec = std::decay_t<decltype(codec)>;
    CAPTURE(codec.name());
    const luq::group_parameters fitted =
        codec.fit(luq::random_normal_matrix(1, 8, luq::counter_rng(1)), std::vector<float>{});
    std::array<float, Codec::parameter_count> parameters{};
    std::copy_n(fitted.row(0), parameters.size(), parameters.begin());
    const auto check_linear = [&] {
      for (int column_class = 0; column_class < Codec::column_classes; ++column_class) {
        for (int q = 0; q < luq::code_count<Codec>(); ++q) {
          CAPTURE(q);
          const auto basis = codec.scale_basis(static_cast<luq::code>(q), parameters.data(), column_class);
          double sum = 0;
          double magnitude = 0;
          for (std::size_t i = 0; i < basis.size(); ++i) {
            const double term = static_cast<double>(basis[i]) * static_cast<double>(parameters[i]);
            sum += term;
            magnitude += std::abs(term);
          }
          const auto value =
              static_cast<double>(codec.decode(static_cast<luq::code>(q), parameters.data(), column_class));
          CHECK(std::abs(value - sum) <= 0x1p-22 * magnitude);
        }
      }
    };
    check_linear();

    std::array<float, static_cast<std::size_t>(Codec::scale_count)> scales{};
    for (std::size_t i = 0; i < scales.size(); ++i) scales[i] = 0.3f * static_cast<float>(scales.size() - i);
    const auto before = parameters;
    REQUIRE(codec.store_scales(scales, parameters.data()));
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      CHECK(parameters[i] == (i < scales.size() ? static_cast<float>(luq::half(scales[i])) : before[i]));
    }
    check_linear();

    const auto kept = parameters;
    for (const float bad : {1e6f, std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
      scales[0] = bad;
      CHECK_FALSE(codec.store_scales(scales, parameters.data()));
      CHECK(parameters == kept);
    }
  });
}

TEST_CASE("scales under which the nearest value would not be found are refused") {
  float scale = 1;
  CHECK_FALSE(luq::sign_codec{}.store_scales({-0.5f}, &scale));
  CHECK_FALSE(luq::ternary_codec{}.store_scales({-0.5f}, &scale));
  CHECK_FALSE(luq::lloyd_codec<4>{}.store_scales({-0.5f}, &scale));
  CHECK(scale == 1);
  CHECK(luq::sign_codec{}.store_scales({0.0f}, &scale));
  CHECK(scale == 0);
  std::array<float, 2> pair{2, 1};
  CHECK_FALSE(luq::lut2_codec{}.store_scales({1.0f, 1.5f}, pair.data()));
  CHECK_FALSE(luq::lut2_codec{}.store_scales({1.0f, -0.5f}, pair.data()));
  CHECK_FALSE(luq::int_codec<4>{}.store_scales({0.0f}, pair.data()));
  CHECK(pair == std::array<float, 2>{2, 1});
}

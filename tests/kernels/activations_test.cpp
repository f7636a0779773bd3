// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/kernels/activations.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "luq/core/openmp_executor.hpp"
#include "packed_product.hpp"

using luq::activation_mode;
using luq::matrix;
using luq::prepared_activations;

namespace {

/// Columns of the segments of a matrix, in stored order: groups cut at multiples of 256 of their columns.
template <class Codec>
std::vector<std::vector<luq::index>> segments_of(const luq::coded_matrix<Codec>& source) {
  std::vector<std::vector<luq::index>> segments;
  luq::index first = 0;
  for (const luq::group_parameters& group : source.groups) {
    const luq::index columns = std::min(luq::group_size(source.codec, source.cols()), source.cols() - first);
    luq::index place = 0;
    for (const luq::index c : luq_test::stored_order(group.column_class, columns)) {
      if (place++ % 256 == 0) segments.emplace_back();
      segments.back().push_back(first + c);
    }
    first += columns;
  }
  return segments;
}

template <class Codec>
prepared_activations prepare(const luq::coded_matrix<Codec>& source, const luq::matrix_view& X, activation_mode mode) {
  return luq::prepare_activations(luq::pack(source), X, mode, luq::serial_executor{});
}

/// The scale and the integers of one segment of one token against their definition.
void check_segment(const std::vector<float>& x, const float* q, float scale) {
  float magnitude = 0;
  for (const float value : x) magnitude = std::max(magnitude, std::abs(value));
  CHECK(scale == magnitude / 127.0f);
  // Dividing takes two roundings, of 1 / scale and of the product with it, before the rounding to an integer; two
  // more are allowed to quotients of as much as 127.
  constexpr double half_step = 0.5 + 127 * 4 * 0x1p-24;
  int wrong = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    wrong += !(q[i] >= -127.0f && q[i] <= 127.0f && q[i] == std::round(q[i]));
    const double error = static_cast<double>(x[i]) - static_cast<double>(scale) * static_cast<double>(q[i]);
    wrong += !(std::abs(error) <= half_step * static_cast<double>(scale));
    wrong += std::abs(x[i]) == magnitude && magnitude > 0 && q[i] != (x[i] > 0 ? 127.0f : -127.0f);
  }
  CHECK(wrong == 0);
}

std::vector<float> random_values(luq::index count, float size, std::uint64_t seed) {
  const matrix values = size * luq::random_normal_matrix(1, count, luq::counter_rng(seed));
  return {values.data(), values.data() + count};
}

}  // namespace

TEST_CASE("segments before a group: as many for each group as 256 columns fit into it, rounded up") {
  CHECK(prepared_activations::segments_before(0, 128) == 0);
  CHECK(prepared_activations::segments_before(3, 1) == 3);
  CHECK(prepared_activations::segments_before(3, 128) == 3);
  CHECK(prepared_activations::segments_before(2, 256) == 2);
  CHECK(prepared_activations::segments_before(2, 257) == 4);
  CHECK(prepared_activations::segments_before(5, 512) == 10);
  CHECK(prepared_activations::segments_before(1, 513) == 3);
}

TEST_CASE("float32 activations are those of the caller in stored order") {
  for (const luq::index group : {luq::index{1}, luq::index{7}, luq::index{32}, luq::whole_row}) {
    luq_test::for_each_codec(group, [](const auto& codec) {
      CAPTURE(codec.name());
      for (const luq::index cols : {1, 40, 300}) {
        CAPTURE(cols);
        const auto source = luq_test::random_coded_matrix(codec, 3, cols, 1);
        const matrix X = luq::random_normal_matrix(4, cols, luq::counter_rng(2));
        const auto prepared = prepare(source, X, activation_mode::float32);
        CHECK(prepared.scales.size() == 0);
        luq::index stored = 0;
        int wrong = 0;
        for (const auto& segment : segments_of(source)) {
          for (const luq::index c : segment) wrong += prepared.values.col(stored++) != X.col(c);
        }
        CHECK(stored == cols);
        CHECK(wrong == 0);
      }
    });
  }
}

TEST_CASE("int8 activations have one scale for each token and segment and are off by half a step at most") {
  for (const luq::index group : {1, 7, 32, 255, 256, 257, 300, 0}) {
    luq_test::for_each_codec(group, [](const auto& codec) {
      CAPTURE(codec.name());
      for (const luq::index cols : {1, 40, 256, 257, 300, 700}) {
        CAPTURE(cols);
        const auto source = luq_test::random_coded_matrix(codec, 2, cols, 3);
        matrix X = luq::random_normal_matrix(3, cols, luq::counter_rng(4));
        X.row(1) *= 1e6f;
        const auto prepared = prepare(source, X, activation_mode::int8);
        const auto segments = segments_of(source);
        REQUIRE(prepared.scales.cols() == static_cast<luq::index>(segments.size()));
        for (luq::index t = 0; t < X.rows(); ++t) {
          luq::index stored = 0;
          for (std::size_t s = 0; s < segments.size(); ++s) {
            std::vector<float> x;
            for (const luq::index c : segments[s]) x.push_back(X(t, c));
            check_segment(x, &prepared.values(t, stored), prepared.scales(t, static_cast<luq::index>(s)));
            stored += static_cast<luq::index>(x.size());
          }
        }
      }
    });
  }
}

TEST_CASE("salient columns of a group come first, in their natural order") {
  luq::coded_matrix<luq::billm_codec> source(luq::billm_codec{.group = 4}, 1, 6);
  for (auto& group : source.groups) group.values = matrix::Zero(1, 7);
  source.groups[0].column_class = {0, 1, 0, 1};
  source.groups[1].column_class = {0, 1};
  matrix X(1, 6);
  X << 10, 11, 12, 13, 254, 127;
  matrix expected(1, 6);
  expected << 11, 13, 10, 12, 127, 254;
  CHECK(prepare(source, X, activation_mode::float32).values == expected);
  const auto rounded = prepare(source, X, activation_mode::int8);
  expected << 107, 127, 98, 117, 64, 127;  // 127/13 x, and 127/254 x with 63.5 to the even neighbour
  CHECK(rounded.values == expected);
  CHECK(rounded.scales(0, 0) == 13.0f / 127.0f);
  CHECK(rounded.scales(0, 1) == 2.0f);
}

TEST_CASE("the greatest activation is 127 steps over the whole range of float") {
  for (const float size : {1e-35f, 1e-30f, 1e-3f, 1.0f, 1e20f, 1e37f}) {
    CAPTURE(size);
    for (const luq::index count : {1, 2, 255, 256}) {
      std::vector<float> x = random_values(count, size, 5);
      const std::vector<float> before = x;
      const float scale = luq::detail::quantize_segment(x.data(), count);
      check_segment(before, x.data(), scale);
    }
  }
  std::vector<float> x{std::numeric_limits<float>::max(), -std::numeric_limits<float>::max(), 0.0f};
  const std::vector<float> before = x;
  const float scale = luq::detail::quantize_segment(x.data(), 3);
  check_segment(before, x.data(), scale);
}

TEST_CASE("zeros have scale zero, and activations whose scale has no finite inverse are zeros") {
  for (const float size : {0.0f, std::numeric_limits<float>::denorm_min(), 1e-42f, 1e-38f}) {
    CAPTURE(size);
    std::vector<float> x{size, -size, 0.0f, size / 2};
    const float scale = luq::detail::quantize_segment(x.data(), 4);
    CHECK(scale == size / 127.0f);
    for (const float q : x) CHECK(q == 0.0f);
  }
}

TEST_CASE("a NaN or an infinity poisons the scale of its segment and token, and nothing else") {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  luq_test::for_each_codec(8, [&](const auto& codec) {
    CAPTURE(codec.name());
    const auto source = luq_test::random_coded_matrix(codec, 2, 20, 6);
    const matrix X = luq::random_normal_matrix(3, 20, luq::counter_rng(7));
    const auto clean = prepare(source, X, activation_mode::int8);
    for (const float bad : {luq_test::not_a_number, infinity, -infinity}) {
      for (luq::index c = 0; c < 20; ++c) {
        CAPTURE(c);
        matrix spoilt = X;
        spoilt(1, c) = bad;
        auto prepared = prepare(source, spoilt, activation_mode::int8);
        CHECK(std::isnan(prepared.scales(1, c / 8)));
        const luq::index first = c / 8 * 8;
        const luq::index columns = std::min<luq::index>(8, 20 - first);
        CHECK(prepared.values.row(1).segment(first, columns).allFinite());
        prepared.scales(1, c / 8) = clean.scales(1, c / 8);
        prepared.values.row(1).segment(first, columns) = clean.values.row(1).segment(first, columns);
        CHECK(prepared.scales == clean.scales);
        CHECK(prepared.values == clean.values);
      }
    }
  });
}

TEST_CASE("activations are prepared the same for any stride and any number of threads") {
  luq_test::for_each_codec(16, [](const auto& codec) {
    CAPTURE(codec.name());
    const auto packed = luq::pack(luq_test::random_coded_matrix(codec, 2, 50, 8));
    matrix wide = matrix::Constant(9, 61, luq_test::not_a_number);
    wide.middleCols(1, 50) = luq::random_normal_matrix(9, 50, luq::counter_rng(9));
    const matrix X = wide.middleCols(1, 50);
    for (const auto mode : {activation_mode::float32, activation_mode::int8}) {
      const auto expected = luq::prepare_activations(packed, X, mode, luq::serial_executor{});
      for (const int threads : {1, 2, 3}) {
        CAPTURE(threads);
        const luq::openmp_executor executor{.threads = threads};
        const auto prepared = luq::prepare_activations(packed, wide.middleCols(1, 50), mode, executor);
        CHECK(prepared.values == expected.values);
        CHECK(prepared.scales == expected.scales);
      }
    }
  });
}

TEST_CASE("no tokens and no columns") {
  luq_test::for_each_codec(luq::whole_row, [](const auto& codec) {
    CAPTURE(codec.name());
    for (const auto mode : {activation_mode::float32, activation_mode::int8}) {
      const auto no_tokens = prepare(luq_test::random_coded_matrix(codec, 2, 9, 1), matrix(0, 9), mode);
      CHECK(no_tokens.values.rows() == 0);
      CHECK(no_tokens.values.cols() == 9);
      const auto no_columns = prepare(luq_test::random_coded_matrix(codec, 2, 0, 1), matrix(3, 0), mode);
      CHECK(no_columns.values.rows() == 3);
      CHECK(no_columns.scales.size() == 0);
    }
  });
}

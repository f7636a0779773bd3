// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What the tests of codecs share: bytes as text for golden strings, coded matrices of any codec, and the checks that
// hold for each of them.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codecs/random_coded_matrix.hpp"
#include "io/io_test_support.hpp"
#include "luq/codecs/packed_matrix.hpp"
#include "luq/codecs/templates/billm_codec.hpp"
#include "luq/codecs/templates/coded_matrix.hpp"
#include "luq/codecs/templates/packed_matrix.hpp"
#include "luq/core/random.hpp"
#include "luq/core/random_matrix.hpp"

namespace luq_test {

/// Bytes in hexadecimal, each followed by a space, so that a golden string can be written part by part.
[[nodiscard]] inline std::string hex(std::span<const std::byte> bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const std::byte b : bytes) {
    const auto value = std::to_integer<std::size_t>(b);
    text += digits[value / 16];
    text += digits[value % 16];
    text += ' ';
  }
  return text;
}

/// Gives each named column of a row the same code.
inline void set_codes(luq::basic_matrix<luq::code>& codes, luq::index row, std::initializer_list<luq::index> columns,
                      luq::code value) {
  for (const luq::index c : columns) codes(row, c) = value;
}

/// first, first + step, ... last; exact for small multiples of a power of two.
[[nodiscard]] inline std::vector<float> ramp(float first, float last, float step) {
  std::vector<float> values;
  for (float x = first; x <= last; x += step) values.push_back(x);
  return values;
}

/// Codes every group for itself, as round-to-nearest does.
template <class Codec>
[[nodiscard]] luq::coded_matrix<Codec> code_nearest(const Codec& codec, const luq::matrix& W,
                                                    std::span<const float> importance = {}) {
  luq::coded_matrix<Codec> coded(codec, W.rows(), W.cols());
  const luq::index size = luq::group_size(codec, W.cols());
  for (luq::index first = 0; first < W.cols(); first += size) {
    const luq::index columns = std::min(size, W.cols() - first);
    const auto weights = importance.empty()
                             ? importance
                             : importance.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(columns));
    const luq::coded_group group = luq::code_group(codec, W.middleCols(first, columns), weights);
    coded.codes.middleCols(first, columns) = group.codes;
    coded.groups[static_cast<std::size_t>(first / size)] = group.parameters;
  }
  return coded;
}

/// ||W - Q||^2 / ||W||^2, in double.
[[nodiscard]] inline double relative_error(const luq::matrix& W, const luq::matrix& Q) {
  return (W.cast<double>() - Q.cast<double>()).squaredNorm() / W.cast<double>().squaredNorm();
}

/// sum_j h_j (w_j - q_j)^2 over a matrix, h = 1 without importance; in double.
[[nodiscard]] inline double weighted_error(const luq::matrix& W, const luq::matrix& Q,
                                           std::span<const float> importance) {
  double error = 0;
  for (luq::index c = 0; c < W.cols(); ++c) {
    const double h = importance.empty() ? 1.0 : static_cast<double>(importance[static_cast<std::size_t>(c)]);
    error += h * (W.col(c).cast<double>() - Q.col(c).cast<double>()).squaredNorm();
  }
  return error;
}

/// Importance over several decades; some columns have none.
[[nodiscard]] inline std::vector<float> random_importance(luq::index columns, std::uint64_t seed) {
  const luq::counter_rng rng(seed, 7);
  std::vector<float> importance;
  for (std::uint64_t c = 0; c < static_cast<std::uint64_t>(columns); ++c) {
    importance.push_back(c % 5 == 3 ? 0.0f : static_cast<float>(std::exp(2 * rng.normal(c))));
  }
  return importance;
}

/// Small groups of one row, plain and with importance, for fits that are compared with the best of all trials:
/// calls check(w, importance). Some rows have equal magnitudes, some a far outlier, some no negative weight.
template <class Check>
void for_each_small_row(luq::index columns, Check&& check) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    luq::matrix w = luq::random_normal_matrix(1, columns, luq::counter_rng(seed, 8));
    if (seed % 4 == 1) w = (2 * w.array()).round() / 2;
    if (seed % 4 == 2) w(0, 2) *= 30;
    if (seed % 4 == 3) w = w.cwiseAbs();
    if (w.isZero(0)) continue;
    CAPTURE(seed);
    check(w, std::vector<float>{});
    check(w, random_importance(columns, seed));
  }
}

/// relative_error() of a codec on standard normal weights in groups of 128 columns.
template <class Codec>
[[nodiscard]] double error_on_normal_weights(Codec codec, luq::index rows = 64, luq::index cols = 2048) {
  codec.group = 128;
  const luq::matrix W = luq::random_normal_matrix(rows, cols, luq::counter_rng(128));
  return relative_error(W, code_nearest(codec, W).decode());
}

/// Every code decodes to the value of its linear form, within the rounding of a few float operations.
template <class Codec>
void check_linear_form(const Codec& codec, std::span<const float> parameters, int column_class = 0) {
  REQUIRE(parameters.size() == static_cast<std::size_t>(luq::parameter_count<Codec>));
  const auto coefficients = luq::coefficients(codec, parameters.data(), column_class);
  for (int q = 0; q < luq::code_count<Codec>(); ++q) {
    CAPTURE(q);
    const auto code = static_cast<luq::code>(q);
    auto sum = static_cast<double>(coefficients[luq::component_count<Codec>]);
    double magnitude = std::abs(sum);
    for (int i = 0; i < luq::component_count<Codec>; ++i) {
      CHECK(std::abs(Codec::component(code, i)) <= 255);
      const double term = static_cast<double>(coefficients[static_cast<std::size_t>(i)]) * Codec::component(code, i);
      sum += term;
      magnitude += std::abs(term);
    }
    const auto value = static_cast<double>(luq::decode_weight(codec, code, parameters.data(), column_class));
    CHECK(std::abs(value - sum) <= 0x1p-22 * magnitude);
  }
}

/// A representable value is coded as itself, and any other weight as a nearest one, by trial of all codes.
/// Parameters and weights should be short binary fractions: then every float operation is exact and so is the check.
/// Otherwise `slack` says how much farther than the nearest value rounding may lead, relative to the weight.
template <class Codec>
void check_encode_is_nearest(const Codec& codec, std::span<const float> parameters, std::span<const float> weights,
                             int column_class = 0, double slack = 0) {
  REQUIRE(parameters.size() == static_cast<std::size_t>(luq::parameter_count<Codec>));
  std::vector<double> values;
  for (int q = 0; q < luq::levels<Codec>(); ++q) {
    values.push_back(
        static_cast<double>(luq::decode_weight(codec, static_cast<luq::code>(q), parameters.data(), column_class)));
  }
  int moved = 0;
  for (std::size_t q = 0; q < values.size(); ++q) {
    const luq::code again = codec.encode(static_cast<float>(values[q]), parameters.data(), column_class);
    REQUIRE(again < values.size());
    moved += values[again] != values[q];
    if (std::count(values.begin(), values.end(), values[q]) == 1) moved += again != q;
  }
  CHECK(moved == 0);
  int wrong = 0;
  for (const float weight : weights) {
    const luq::code chosen = codec.encode(weight, parameters.data(), column_class);
    REQUIRE(chosen < values.size());
    double least = std::numeric_limits<double>::infinity();
    for (const double value : values) least = std::min(least, std::abs(value - static_cast<double>(weight)));
    const double distance = std::abs(values[chosen] - static_cast<double>(weight));
    wrong += distance > least + slack * std::abs(static_cast<double>(weight));
  }
  CHECK(wrong == 0);
}

/// Packing loses nothing, single weights can be read, and the number of bytes is that of `tile_bytes(rows, columns)`
/// of the test summed over all tiles: for every number of columns up to `most_columns` and rows around whole tiles.
template <class Codec, class TileBytes>
void check_every_shape(const Codec& codec, luq::index most_columns, TileBytes&& tile_bytes) {
  for (const luq::index rows : {1, 2, 63, 64, 65, 128, 130}) {
    for (luq::index cols = 1; cols <= most_columns; ++cols) {
      CAPTURE(luq::codec_name(codec));
      CAPTURE(rows);
      CAPTURE(cols);
      const luq::index size = codec.group == 0 ? cols : codec.group;
      luq::index expected_bytes = luq::column_class_count<Codec> > 1 ? (cols + 7) / 8 : 0;
      for (luq::index row = 0; row < rows; row += 64) {
        for (luq::index column = 0; column < cols; column += size) {
          expected_bytes += tile_bytes(std::min<luq::index>(64, rows - row), std::min(size, cols - column));
        }
      }
      const auto coded = random_coded_matrix(codec, rows, cols, static_cast<std::uint64_t>(1000 * rows + cols));
      const luq::packed_matrix<Codec> packed = luq::pack(coded);
      CHECK(luq::packed_bytes(codec, rows, cols) == expected_bytes);
      CHECK(static_cast<luq::index>(packed.bytes().size()) == expected_bytes);

      const luq::coded_matrix<Codec> again = packed.unpack();
      CHECK(again.codec == codec);
      CHECK(again.codes == coded.codes);
      REQUIRE(again.groups.size() == coded.groups.size());
      for (std::size_t g = 0; g < coded.groups.size(); ++g) {
        CHECK(again.groups[g].values == coded.groups[g].values);
        CHECK(again.groups[g].column_class == coded.groups[g].column_class);
      }
      int wrong = 0;
      for (const luq::index r : {luq::index{0}, luq::index{63}, luq::index{64}, rows - 1}) {
        for (luq::index c = 0; r < rows && c < cols; ++c) wrong += packed.at(r, c) != coded.at(r, c);
      }
      CHECK(wrong == 0);
    }
  }
}

/// Parameters as fit() returns them are what storage restores, whatever their size.
template <class Codec>
void check_fitted_parameters_survive(const Codec& codec) {
  luq::matrix W = luq::random_normal_matrix(70, 50, luq::counter_rng(70));
  for (luq::index r = 0; r < W.rows(); ++r) W.row(r) *= std::pow(10.0f, static_cast<float>(r % 12 - 8));
  const auto coded = code_nearest(codec, W);
  const auto again = luq::pack(coded).unpack();
  CHECK(again.codes == coded.codes);
  for (std::size_t g = 0; g < coded.groups.size(); ++g) CHECK(again.groups[g].values == coded.groups[g].values);
}

/// Groups without anything to fit. `error` is the greatest relative error of a single or constant weight.
template <class Codec>
void check_degenerate_groups(const Codec& codec, float error) {
  CAPTURE(luq::codec_name(codec));
  const auto decoded = [&](const luq::matrix& W, std::span<const float> importance = {}) {
    const luq::coded_group group = luq::code_group(codec, W, importance);
    CHECK(group.parameters.values.allFinite());
    luq::matrix Q(W.rows(), W.cols());
    for (luq::index r = 0; r < W.rows(); ++r) {
      for (luq::index c = 0; c < W.cols(); ++c) {
        REQUIRE(group.codes(r, c) < luq::code_count<Codec>());
        Q(r, c) = luq::decode_weight(codec, group.codes(r, c), group.parameters.row(r), group.parameters.class_of(c));
      }
    }
    return Q;
  };

  luq::matrix W = luq::random_normal_matrix(4, 12, luq::counter_rng(12));
  W.row(1).setZero();
  CHECK(decoded(W).row(1).isZero(0));
  CHECK(decoded(luq::matrix::Zero(3, 5)).isZero(0));
  W.row(2).setConstant(0.7f);
  W.row(3).setConstant(-0.3f);
  CHECK(((decoded(W).row(2).array() - 0.7f).abs() <= 0.7f * error).all());
  CHECK(((decoded(W).row(3).array() + 0.3f).abs() <= 0.3f * error).all());
  const luq::matrix column = luq::random_normal_matrix(9, 1, luq::counter_rng(9));
  CHECK(((decoded(column) - column).array().abs() <= error * column.array().abs()).all());

  const std::vector<float> no_importance(12, 0.0f);
  CHECK(decoded(W, no_importance).allFinite());

  // Weights below all storage: nothing to divide by, and no value far from them.
  W.setConstant(std::numeric_limits<float>::denorm_min());
  W.col(3) *= -1.0f;
  CHECK((decoded(W).array().abs() <= 0x1p-24f).all());

  // 2^60 is beyond fp16 and well within float.
  W.setConstant(0x1p60f);
  W.col(5) *= -1.0f;
  if (luq::codec_name(codec).ends_with(":f32")) {
    CHECK(decoded(W).allFinite());
    CHECK((decoded(W).array().abs() > 0x1p58f).all());
  } else {
    check_fails(luq::errc::non_finite, "does not fit its 16-bit storage type",
                [&] { (void)luq::fit_group(codec, W, {}); });
  }
}

}  // namespace luq_test

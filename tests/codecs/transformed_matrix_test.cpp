// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/codecs/transformed_matrix.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "codec_test_support.hpp"
#include "luq/codecs/hadamard_rotation.hpp"
#include "luq/codecs/input_scaling.hpp"
#include "quantizers/codec_list.hpp"

using luq::matrix;

namespace {

std::vector<float> some_factors(luq::index columns) {
  std::vector<float> factors;
  for (luq::index c = 0; c < columns; ++c) factors.push_back(0.25f + static_cast<float>(c % 13) / 8.0f);
  return factors;
}

}  // namespace

TEST_CASE("it occupies the bytes of its weights and of its transform") {
  const luq::sign_codec codec{.group = 128};
  const auto packed = luq::pack(luq_test::random_coded_matrix(codec, 64, 256, 1));
  CHECK(packed.bits_per_weight() == 1.125);
  const luq::transformed_matrix scaled(packed, luq::input_scaling(256));
  CHECK(scaled.bytes() == 64 * 256 / 8 + 64 * 2 * 2 + 256 * 2);
  CHECK(scaled.bits_per_weight() == 1.125 + 16.0 / 64);
  const luq::transformed_matrix rotated(packed, luq::hadamard_rotation(256));
  CHECK(rotated.bits_per_weight() == doctest::Approx(1.125 + 12 * 8.0 / (64 * 256)));
}

TEST_CASE("it stands for the packed weights times the transform") {
  for (const auto& shape : {std::pair<luq::index, luq::index>{1, 1}, {3, 40}, {65, 24}, {7, 33}}) {
    const luq::index rows = shape.first;
    const luq::index cols = shape.second;
    luq_test::for_each_codec(16, [&](const auto& codec) {
      CAPTURE(luq::codec_name(codec));
      CAPTURE(cols);
      const auto packed = luq::pack(luq_test::random_coded_matrix(codec, rows, cols, 2));
      const Eigen::MatrixXd Q = packed.unpack().decode().template cast<double>();
      const auto check = [&](const auto& transform) {
        matrix T = matrix::Identity(cols, cols);  // the transform of the unit vectors, hence T^T
        transform.transform_activations(T);
        const luq::transformed_matrix W(packed, transform);
        CHECK(W.rows() == rows);
        CHECK(W.cols() == cols);
        const matrix decoded = W.decode();
        const Eigen::MatrixXd expected = Q * T.transpose().template cast<double>();
        CHECK((decoded.template cast<double>() - expected).cwiseAbs().maxCoeff() <= 1e-6 * Q.norm());
        for (const luq::index r : {luq::index{0}, rows - 1}) {
          for (const luq::index c : {luq::index{0}, cols / 2, cols - 1}) CHECK(W.at(r, c) == decoded(r, c));
        }
      };
      check(luq::hadamard_rotation(cols, {.seed = 3}));
      check(luq::input_scaling(some_factors(cols)));
    });
  }
}

TEST_CASE("a transform of another width is an error") {
  const auto packed = luq::pack(luq_test::random_coded_matrix(luq::sign_codec{.group = 8}, 4, 16, 3));
  luq_test::check_fails(luq::errc::shape_mismatch, "expected a transform of 16 columns, got 15",
                        [&] { (void)luq::transformed_matrix(packed, luq::input_scaling(15)); });
}

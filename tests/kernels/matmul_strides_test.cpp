// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Where matmul reads X and writes Y, and what it does with the Y it finds.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "luq/core/aligned_buffer.hpp"
#include "luq/core/random_matrix.hpp"
#include "luq/kernels/dispatch.hpp"
#include "packed_product.hpp"

using luq::activation_mode;
using luq::matrix;
using luq_test::expectation;
using luq_test::packed_problem;

namespace {

/// A [rows x cols] matrix inside a larger buffer, its first element one float after an aligned address.
class framed_matrix {
 public:
  framed_matrix(luq::index rows, luq::index cols, luq::index gap, float frame)
      : rows_(rows), cols_(cols), stride_(cols + gap), buffer_(static_cast<std::size_t>(2 + rows * stride_), frame) {}

  [[nodiscard]] auto inside() { return luq::view(buffer_.data() + 1, rows_, cols_, stride_); }

  /// Elements around the matrix that are not `frame`.
  [[nodiscard]] std::int64_t changed(float frame) {
    const matrix kept = inside();
    inside().setConstant(frame);
    const auto changes = std::count_if(buffer_.begin(), buffer_.end(), [&](float x) { return x != frame; });
    inside() = kept;
    return changes;
  }

 private:
  luq::index rows_;
  luq::index cols_;
  luq::index stride_;
  luq::aligned_buffer<float> buffer_;
};

expectation expect(const packed_problem& problem, const matrix& X, activation_mode mode) {
  return mode == activation_mode::int8 ? luq_test::expect_rounded(problem, X) : luq_test::expect_float32(problem, X);
}

}  // namespace

TEST_CASE("views of larger buffers are read and written in place, and nothing around them") {
  luq_test::for_each_implementation([] {
    constexpr float frame = 12345.0f;
    for (const auto& codec : luq_test::all_codecs(32)) {
      CAPTURE(luq::codec_name(codec));
      for (const luq::index rows : {1, 65}) {
        for (const luq::index cols : {1, 71}) {
          for (const luq::index tokens : {1, 6}) {
            for (const luq::index gap : {0, 1, 13}) {
              for (const auto mode : {activation_mode::float32, activation_mode::int8}) {
                CAPTURE(rows);
                CAPTURE(cols);
                CAPTURE(tokens);
                CAPTURE(gap);
                const packed_problem problem = luq_test::make_packed_problem(codec, rows, cols, 1);
                const matrix x = luq::random_normal_matrix(tokens, cols, luq::counter_rng(2));
                framed_matrix X(tokens, cols, gap, luq_test::not_a_number);  // what is read beyond X spoils Y
                framed_matrix Y(tokens, rows, gap, frame);
                X.inside() = x;
                Y.inside().setConstant(luq_test::not_a_number);
                luq::dispatch::matmul(problem.packed, X.inside(), Y.inside(), {.activations = mode});
                CHECK(expect(problem, x, mode).violations(Y.inside()) == 0);
                CHECK(Y.changed(frame) == 0);
                CHECK(X.inside() == x);
              }
            }
          }
        }
      }
    }
  });
}

TEST_CASE("products are added to Y once where that is asked for") {
  luq_test::for_each_implementation([] {
    for (const auto& codec : luq_test::all_codecs(32)) {
      CAPTURE(luq::codec_name(codec));
      for (const auto mode : {activation_mode::float32, activation_mode::int8}) {
        const packed_problem problem = luq_test::make_packed_problem(codec, 130, 71, 3);
        const matrix X = luq::random_normal_matrix(6, 71, luq::counter_rng(4));
        const matrix before = 100.0f * luq::random_normal_matrix(6, 130, luq::counter_rng(5));
        framed_matrix Y(6, 130, 3, 0.5f);
        Y.inside() = before;
        expectation sum = expect(problem, X, mode);
        for (int times = 1; times <= 2; ++times) {
          CAPTURE(times);
          luq::dispatch::matmul(problem.packed, X, Y.inside(), {.activations = mode, .accumulate = true});
          sum.value += times == 1 ? luq_test::double_matrix(before.cast<double>()) : expect(problem, X, mode).value;
          sum.bound += expect(problem, X, mode).bound + 0x1p-24 * sum.value.cwiseAbs();
          CHECK(sum.violations(Y.inside()) == 0);
          CHECK(Y.changed(0.5f) == 0);
        }
      }
    }
  });
}

TEST_CASE("packed bytes and activations are left as they are") {
  luq_test::for_each_implementation([] {
    for (const auto& codec : luq_test::all_codecs(32)) {
      CAPTURE(luq::codec_name(codec));
      const packed_problem problem = luq_test::make_packed_problem(codec, 70, 71, 6);
      const auto bytes = luq::bytes_of(problem.packed);
      const std::vector<std::byte> before(bytes.begin(), bytes.end());
      for (const auto mode : {activation_mode::float32, activation_mode::int8}) {
        (void)luq_test::multiplied(problem.packed, matrix::Ones(5, 71), mode);
        CHECK(std::equal(bytes.begin(), bytes.end(), before.begin(), before.end()));
      }
    }
  });
}

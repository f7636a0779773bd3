// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Products of codecs that luq does not have, among them a radix and a sequence without a computed level: no file of the
// library knows them.
#include <doctest/doctest.h>

#include "codecs/random_coded_matrix.hpp"
#include "kernels/unlisted_codecs.hpp"
#include "luq/codecs/check_codec.hpp"
#include "luq/codecs/templates/coded_matrix.hpp"
#include "luq/codecs/templates/packed_matrix.hpp"
#include "luq/core/random_matrix.hpp"
#include "luq/kernels/cpu/kernel_verifier.hpp"
#include "luq/kernels/cpu/lanes/float_arch.hpp"
#include "luq/kernels/matmul.hpp"
#include "luq/kernels/reference.hpp"
#include "luq/kernels/templates/matmul.hpp"

using luq::activation_mode;
using luq::matrix;

namespace {

/// Calls check(codec) for each codec of unlisted_codecs.hpp.
template <class Check>
void for_each_unlisted_codec(luq::index group, Check&& check) {
  const auto call = [&](auto codec) {
    codec.group = group;
    check(codec);
  };
  call(luq_test::base_five_codec{});
  call(luq_test::table_trellis_codec{});
  call(luq_test::wide_table_codec{});
  call(luq_test::ten_level_codec{});
  call(luq_test::bit_count_codec{});
  call(luq_test::step_codec{});
  call(luq_test::falling_codec{});
  call(luq_test::signed_trit_codec{});
  call(luq_test::octal_codec{});
  call(luq_test::two_table_trellis_codec{});
  call(luq_test::base_five_trellis_codec{});
}

/// Integers one by one, floats as on this machine.
struct one_by_one_integers {
  using float_arch = luq::detail::float_arch<luq::default_arch>;
};

/// ||Y - expected|| / ||expected||.
double relative_difference(const matrix& Y, const matrix& expected) {
  return static_cast<double>((Y - expected).norm() / expected.norm());
}

}  // namespace

TEST_CASE("digits of base 5 and codes with a table of levels have the properties of a codec") {
  luq::check_codec(luq_test::base_five_codec{});
  luq::check_codec(luq_test::base_five_codec{.group = luq::whole_row});
  luq::check_codec(luq_test::table_trellis_codec{});
  luq::check_codec(luq_test::table_trellis_codec{.group = luq::whole_row});
  CHECK(luq::packed_bytes(luq_test::base_five_codec{}, 64, 384) == 3 * 64 * (43 + 2));
}

TEST_CASE("packed codes of any radix are unpacked as they were") {
  for (const luq::index group : {luq::index{7}, luq::index{128}, luq::whole_row}) {
    for_each_unlisted_codec(group, [](const auto& codec) {
      for (const luq::index cols : {1, 2, 3, 11, 12, 13, 40, 259}) {
        CAPTURE(cols);
        const auto coded = luq_test::random_coded_matrix(codec, 70, cols, 1);
        CHECK(luq::pack(coded).unpack().codes == coded.codes);
      }
    });
  }
}

TEST_CASE("products agree with the scalar reference, for ragged shapes") {
  for (const luq::index group : {luq::index{7}, luq::index{128}, luq::whole_row}) {
    CAPTURE(group);
    for_each_unlisted_codec(group, [](const auto& codec) {
      for (const luq::index rows : {1, 63, 130}) {
        for (const luq::index cols : {1, 13, 127, 259, 600}) {
          const auto packed = luq::pack(luq_test::random_coded_matrix(codec, rows, cols, 1));
          for (const luq::index tokens : {1, 2, 9}) {
            CAPTURE(rows);
            CAPTURE(cols);
            CAPTURE(tokens);
            const matrix X = luq::random_normal_matrix(tokens, cols, luq::counter_rng(2));
            matrix expected(tokens, rows);
            luq::matmul_reference(packed, X, expected);
            matrix Y = matrix::Constant(tokens, rows, 1e30f);
            luq::matmul(packed, X, Y);
            CHECK(relative_difference(Y, expected) < 1e-5);
            luq::matmul(packed, X, Y, {.activations = activation_mode::int8});
            CHECK(
                (rows < 63 || relative_difference(Y, expected) < 0.05));  // a single sum may be of nothing but rounding
            matrix again(tokens, rows);
            luq::matmul(packed, X, again, {.activations = activation_mode::lookup});
            CHECK((rows < 63 || relative_difference(again, expected) < 0.05));
          }
        }
      }
    });
  }
}

TEST_CASE("sums are those of the reference to float rounding where activations are whole numbers") {
  const auto check_arch = [](auto arch) {
    for (const luq::index group : {luq::index{40}, luq::whole_row}) {
      for_each_unlisted_codec(group, [&]<class Codec>(const Codec& codec) {
        const luq::detail::included_stages<decltype(arch), Codec> stages;
        const auto done = [](luq::index tokens, activation_mode, double share) {
          CAPTURE(tokens);
          CHECK(share <= 1);
        };
        luq::detail::verify_stages("included", stages, luq::detail::make_kernel_problem(codec, 70, 126, 6), done);
        luq::detail::verify_stages("included", stages, luq::detail::make_kernel_problem(codec, 5, 600, 1), done);
      });
    }
  };
  check_arch(luq::default_arch{});
  check_arch(one_by_one_integers{});
#if XSIMD_WITH_AVX2
  check_arch(xsimd::avx2{});
#endif
}

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Weights written by emulated warps: decode() of the codec to the bit, rounded to what is asked for.
#include <doctest/doctest.h>

#include <limits>
#include <luq/codecs/int_codec.hpp>
#include <luq/codecs/sign_codec.hpp>
#include <luq/codecs/ternary_codec.hpp>
#include <luq/kernels/cuda/detail/chunks/dequantized_chunk.cuh>

#include "codecs/random_coded_matrix.hpp"
#include "kernels/cuda/emulated_product.hpp"
#include "kernels/cuda/plane_codec_list.hpp"
#include "kernels/cuda/product_bound.hpp"
#include "luq/codecs/templates/coded_matrix.hpp"
#include "luq/codecs/templates/packed_matrix.hpp"

namespace {

/// @param fours  write four columns as one element
template <class Stored, class Codec>
void check_dequantized(const Codec& codec, luq::index rows, luq::index cols, luq::index stride, bool fours) {
  CAPTURE(luq::codec_name(codec));
  CAPTURE(rows);
  CAPTURE(cols);
  const auto coded = luq_test::random_coded_matrix(codec, rows, cols, 21);
  const luq::packed_matrix<Codec> packed(coded);
  const luq_test::uploaded_matrix<Codec> uploaded(packed);
  const auto& W = uploaded.planes();
  const Stored poison(std::numeric_limits<float>::quiet_NaN());
  // One row more than there is, to see that it stays as it is.
  luq::basic_matrix<Stored> written = luq::basic_matrix<Stored>::Constant(rows + 1, stride, poison);
  for (int half_tile = 0; half_tile < W.half_tiles(); ++half_tile) {
    for (int chunk = 0; chunk < W.chunks(); ++chunk) {
      luq::cuda::detail::dequantized_chunk<luq::cuda::detail::emulated_warp, Codec, Stored>(W, half_tile, chunk)
          .write({written.data(), stride, fours});
    }
  }
  const luq::matrix expected = luq_test::weights_of(coded).W;
  luq::index wrong = 0;
  for (luq::index r = 0; r <= rows; ++r) {
    for (luq::index c = 0; c < stride; ++c) {
      const bool is_weight = r < rows && c < cols;
      const Stored weight = is_weight ? Stored(expected(r, c)) : poison;
      const auto got = static_cast<float>(written(r, c));
      if (is_weight ? got != static_cast<float>(weight) : !std::isnan(got)) ++wrong;
    }
  }
  CHECK(wrong == 0);
}

template <class Stored = luq::half, class Codec>
void check_shapes(const Codec& codec) {
  const bool fours = luq::column_class_count<Codec> == 1 && codec.group % 4 == 0;
  check_dequantized<Stored>(codec, 64, 256, 256, fours);
  check_dequantized<Stored>(codec, 70, 203, 204, fours);
  check_dequantized<Stored>(codec, 33, 391, 393, false);
  check_dequantized<Stored>(codec, 1, 1, 1, false);
}

}  // namespace

TEST_CASE("weights of every codec, rests of rows, groups and units") {
  for (const luq::index group : {33, 60, 128}) {
    luq_test::for_representative_plane_codecs(group, [](const auto& codec) { check_shapes(codec); });
  }
  check_shapes(luq::ternary_codec{.group = 200});
#ifndef LUQ_TEST_REPRESENTATIVE_CODECS
  check_shapes(luq::basic_sign_codec<float>{.group = 40});
#endif
}

TEST_CASE("weights as numbers of every type") {
  check_shapes<float>(luq::int_codec<4>{.group = luq::whole_row, .symmetric = true});
  check_shapes<luq::half>(luq::int_codec<4>{.group = 128});
  check_shapes<luq::bfloat16>(luq::int_codec<4>{.group = 64});
}

TEST_CASE("every length of a row") {
  for (luq::index cols = 1; cols <= 170; ++cols) {
    check_dequantized<luq::half>(luq::int_codec<3>{.group = 128}, 5, cols, cols, false);
    check_dequantized<luq::half>(luq::ternary_codec{.group = luq::whole_row}, 5, cols, cols, false);
    check_dequantized<luq::half>(luq::int_codec<4>{.group = 64}, 5, cols, (cols + 3) / 4 * 4, true);
  }
}

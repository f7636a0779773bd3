// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Which kernels a codec gets, which follows from its planes and component() while compiling. An author who wants a
// faster codec reads here what to change; the kernels select by the same constants.
//
//   kernel_path          components                     one token (int8)       many tokens (int8)            CUDA
//   affine_planes        sums of symbols of planes:     straight from packed   shift and mask for each slot  yes
//                        int, sign, ternary, bcq2       words
//   bilinear_planes      and products of two bits:      straight from packed   a lookup in 4 levels a row    yes
//                        BiLLM                          words
//   table_of_16          any table of at most 16        decoded first          shift and mask, lookup in 16  no
//                        codes: Lloyd                                          bytes
//   computed_sequence    the code remembers, its level  decoded first          a shift register of each row  no
//                        is computed: trellis
//   table_sequence       the code remembers, its level  decoded first          code by code                  no
//                        is any function
//   generic              any table of more than 16      decoded first          code by code                  no
//                        codes
//
// With activations in float all codecs are decoded code by code: it is for exactness.
//
// What makes a codec faster:
//
//   generic           at most 16 codes, or components that are sums of symbols. Five levels in three bits are affine if
//                     component(q) = q - 2 for all eight codes, also the three that encode() never gives
//                     (used_codes), and a table if those are cut off.
//   table_of_16       equal steps. A single token takes up to four times as long as from affine planes.
//   table_sequence    a `level` (HasComputedLevel). Code by code a weight takes about a nanosecond, 18 times as long as
//                     computed; 128 tokens take 3 times as long.
//   affine_planes     radices that are powers of two; 3 takes twice as long, others are read byte by byte (radix.hpp).
//                     Factors that are powers of two, and not below 0 with more than 16 codes: else many tokens are
//                     decoded code by code.
//   on CUDA           one plane, or two whose chunks have the same columns (powers of two among each other), and
//                     parameters that are scales of one type, then at most one other.
//
// Components of a codec may span at most 256 values, for operands are bytes: where they span more, matmul() does not
// compile.
#pragma once

#include <string_view>

#include "luq/codecs/detail/component_form.hpp"
#include "luq/codecs/weight_codec.hpp"
#include "luq/kernels/cuda/detail/planes/plane_limits.hpp"

namespace luq {

/// How kernels multiply a codec, best first; see above.
enum class kernel_path { affine_planes, bilinear_planes, table_of_16, computed_sequence, table_sequence, generic };

/// The kernels of a codec.
template <WeightCodec Codec>
inline constexpr kernel_path kernel_path_of = [] {
  if constexpr (HasComputedLevel<Codec> && levels<Codec>() <= 256) {
    return kernel_path::computed_sequence;
  } else if constexpr (SequenceCodec<Codec>) {
    return kernel_path::table_sequence;
  } else if constexpr (detail::has_exact_forms<Codec>) {
    return detail::has_symbol_products<Codec> ? kernel_path::bilinear_planes : kernel_path::affine_planes;
  } else {
    return levels<Codec>() <= 16 ? kernel_path::table_of_16 : kernel_path::generic;
  }
}();

/// A single token is multiplied straight from packed words, in the time that reading them takes.
template <WeightCodec Codec>
inline constexpr bool multiplies_planes =
    kernel_path_of<Codec> == kernel_path::affine_planes || kernel_path_of<Codec> == kernel_path::bilinear_planes;

/// The codec has products on a GPU; cuda::PlaneCodec is the concept of the same.
template <WeightCodec Codec>
inline constexpr bool has_cuda_kernel = multiplies_planes<Codec> && cuda::detail::fits_lanes<Codec>;

/// For people to read: "affine planes", "table of 16".
[[nodiscard]] constexpr std::string_view kernel_path_name(kernel_path path) noexcept {
  switch (path) {
    case kernel_path::affine_planes:
      return "affine planes";
    case kernel_path::bilinear_planes:
      return "bilinear planes";
    case kernel_path::table_of_16:
      return "table of 16";
    case kernel_path::computed_sequence:
      return "computed sequence";
    case kernel_path::table_sequence:
      return "table sequence";
    case kernel_path::generic:
      return "generic";
  }
  return "";
}

}  // namespace luq

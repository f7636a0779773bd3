// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// One linear of a GPTQ checkpoint, as GPTQModel and AutoGPTQ store it and vLLM, SGLang and transformers load it.
// A weight matrix [out x in] of 2-, 3-, 4- or 8-bit codes with groups of G input columns is four tensors:
//
//   NAME.qweight  I32 [in * bits / 32, out]             codes, packed along the inputs
//   NAME.qzeros   I32 [ceil(in / G), out * bits / 32]   zero points, packed along the outputs
//   NAME.scales   F16 [ceil(in / G), out]
//   NAME.g_idx    I32 [in]                              group of each input column
//
//   w[o, i] = scales[g_idx[i], o] * (q[o, i] - zero[g_idx[i], o])
//
// 32 codes are `bits` words: code j takes the bits j * bits ... j * bits + bits - 1 of the little-endian stream that
// the words are, lowest word first. 2, 4 and 8 bits divide 32, so no code straddles words; of 3-bit codes two do:
//
//   word 2                          word 1                              word 0
//   c31 c30 ... c22 | c21 bits 2-1  c21 bit 0 | c20 ... c11 | c10 bit 2  c10 bits 1-0 | c9 ... c1 c0
//
// Formats: "gptq_v2" stores zero points as they are. "gptq" (v1) stores zero - 1 code by code, so it cannot hold a zero
// point of 0: loaders disagree about a stored 2^bits - 1 (some read 0, some 2^bits, some carry into the neighbour).
// Such a matrix is refused, written or read. Symmetric matrices, whose zero points are 2^(bits-1), are safe in both.
//
// A natural g_idx is i / G. Checkpoints made with desc_act permute it. decode_gptq() takes any; coded_from_gptq() and
// pack_gptq() need blocks of G columns that share a group, for a packed matrix has no permutation of its columns.
//
// Not AWQ's layout (packed along the outputs, nibbles interleaved), not "gptq_p" (bit planes), not the layout that
// Marlin kernels want in memory. Biases and other tensors are the caller's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "luq/codecs/any_packed_matrix.hpp"
#include "luq/codecs/coded_matrix.hpp"
#include "luq/codecs/int_codec.hpp"
#include "luq/codecs/packed_matrix.hpp"
#include "luq/core/error.hpp"
#include "luq/core/half.hpp"
#include "luq/io/files/detail/printable.hpp"
#include "luq/io/gptq/detail/gptq_checks.hpp"
#include "luq/io/gptq/detail/gptq_words.hpp"
#include "luq/io/gptq/gptq_format.hpp"

namespace luq {

/// One linear as a checkpoint stores it; shapes as at the top, row-major.
struct gptq_tensors {
  gptq_format format = gptq_format::v2;
  unsigned bits = 4;  ///< 2, 3, 4 or 8
  index rows = 0;     ///< outputs, a multiple of 32
  index cols = 0;     ///< inputs, a multiple of 32
  index group = 128;  ///< columns of a group, >= 1, or whole_row
  std::vector<std::int32_t> qweight;
  std::vector<std::int32_t> qzeros;
  std::vector<half> scales;
  std::vector<std::int32_t> g_idx;

  /// ceil(cols / group).
  [[nodiscard]] index groups() const { return group == whole_row ? 1 : (cols - 1) / group + 1; }

  friend bool operator==(const gptq_tensors&, const gptq_tensors&) = default;
};

/// Checks what all functions that take gptq_tensors rely on.
/// @param name  of the linear, for messages
/// @throws luq::error invalid_argument for bits, shape or group that the format does not have, shape_mismatch if a
///   tensor is not of their size, corrupt_file for a g_idx that names no group, non_finite for such a scale,
///   unsupported for a v1 zero point that loaders read differently
void require_consistent(const gptq_tensors& t, std::string_view name);

/// The codes q, [out x in].
[[nodiscard]] basic_matrix<code> gptq_codes(const gptq_tensors& t, std::string_view name = "");

/// The zero points, [groups x out], whatever the format stores.
/// @throws luq::error as require_consistent()
[[nodiscard]] basic_matrix<code> gptq_zeros(const gptq_tensors& t, std::string_view name = "");

/// The weights in float, [out x in]; any g_idx.
/// @throws luq::error as require_consistent()
[[nodiscard]] matrix decode_gptq(const gptq_tensors& t, std::string_view name = "");

/// The matrix as codes and parameters of a luq codec: the same codes, zero points and scales. It is symmetric if every
/// zero point is 2^(Bits-1). Groups may be stored in any order, but `group` neighbouring columns must share one.
/// @throws luq::error invalid_argument if the tensors have other bits, unsupported if g_idx permutes columns between
///   groups, and as require_consistent()
template <unsigned Bits>
[[nodiscard]] coded_matrix<int_codec<Bits>> coded_from_gptq(const gptq_tensors& t, std::string_view name = "") {
  if (t.bits != Bits) {
    fail(errc::invalid_argument, "gptq linear ", detail::in_quotes(name), ": expected ", Bits, " bits, got ", t.bits);
  }
  const basic_matrix<code> zeros = gptq_zeros(t, name);
  const bool symmetric = (zeros.array() == code{1u << (Bits - 1)}).all();
  coded_matrix<int_codec<Bits>> result({.group = t.group, .symmetric = symmetric}, t.rows, t.cols);
  result.codes = gptq_codes(t, name);
  const index size = group_size(result.codec, t.cols);
  for (index c = 0; c < t.cols; ++c) {
    const std::int32_t stored = t.g_idx[static_cast<std::size_t>(c)];
    const std::int32_t first = t.g_idx[static_cast<std::size_t>(c / size * size)];
    if (stored == first) continue;
    fail(errc::unsupported, "gptq linear ", detail::in_quotes(name), ": column ", c, " is of group ", stored,
         ", column ", c / size * size, " of group ", first, ": a packed matrix needs ", size,
         " neighbouring columns in one group, as without desc_act");
  }
  for (std::size_t block = 0; block < result.groups.size(); ++block) {
    const index g = t.g_idx[block * static_cast<std::size_t>(size)];
    matrix& values = result.groups[block].values;
    values.resize(t.rows, 2);
    for (index o = 0; o < t.rows; ++o) {
      values(o, 0) = static_cast<float>(t.scales[static_cast<std::size_t>(g * t.rows + o)]);
      values(o, 1) = static_cast<float>(zeros(g, o));
    }
  }
  return result;
}

/// The matrix packed, of the codec that its bits name.
/// @throws luq::error as coded_from_gptq()
[[nodiscard]] any_packed_matrix pack_gptq(const gptq_tensors& t, std::string_view name = "");

/// The tensors of a matrix: the same codes, zero points and scales, natural g_idx.
/// @param name  of the linear, for messages
/// @throws luq::error invalid_argument unless rows and columns are multiples of 32; unsupported for transformed inputs,
///   and in format v1 if a zero point is 0; non_finite for such a scale
template <unsigned Bits>
[[nodiscard]] gptq_tensors make_gptq_tensors(const coded_matrix<int_codec<Bits>>& source, gptq_format format,
                                             std::string_view name = "") {
  require_no_transform(source.transform, "gptq tensors");
  gptq_tensors t{.format = format,
                 .bits = Bits,
                 .rows = source.rows(),
                 .cols = source.cols(),
                 .group = source.codec.group,
                 .qweight = {},
                 .qzeros = {},
                 .scales = {},
                 .g_idx = {}};
  detail::require_gptq_shape(name, Bits, t.rows, t.cols, t.group);
  constexpr auto bits = static_cast<index>(Bits);
  const index row_words = t.rows / detail::gptq_block * bits;
  t.qweight.resize(static_cast<std::size_t>(t.cols / detail::gptq_block * bits * t.rows));
  for (index block = 0; block < t.cols / detail::gptq_block; ++block) {
    for (index o = 0; o < t.rows; ++o) {
      detail::pack_gptq_block(source.codes.row(o).data() + block * detail::gptq_block, Bits,
                              t.qweight.data() + block * bits * t.rows + o, t.rows);
    }
  }
  t.qzeros.resize(static_cast<std::size_t>(t.groups() * row_words));
  std::vector<code> zeros(static_cast<std::size_t>(t.rows));
  for (index g = 0; g < t.groups(); ++g) {
    const matrix& values = source.groups[static_cast<std::size_t>(g)].values;
    for (index o = 0; o < t.rows; ++o) {
      t.scales.emplace_back(values(o, 0));
      const auto zero = static_cast<code>(values(o, 1));
      if (format == gptq_format::v1 && zero == 0) {
        fail(errc::unsupported, "gptq linear ", detail::in_quotes(name), ": the zero point of group ", g, ", output ",
             o, " is 0, which format gptq cannot hold: write gptq_v2, or quantize symmetrically");
      }
      zeros[static_cast<std::size_t>(o)] = static_cast<code>(format == gptq_format::v1 ? zero - 1 : zero);
    }
    for (index block = 0; block < t.rows / detail::gptq_block; ++block) {
      detail::pack_gptq_block(zeros.data() + block * detail::gptq_block, Bits,
                              t.qzeros.data() + g * row_words + block * bits, 1);
    }
  }
  const index size = group_size(source.codec, t.cols);
  for (index c = 0; c < t.cols; ++c) t.g_idx.push_back(static_cast<std::int32_t>(c / size));
  require_consistent(t, name);
  return t;
}

template <unsigned Bits>
[[nodiscard]] gptq_tensors make_gptq_tensors(const packed_matrix<int_codec<Bits>>& source, gptq_format format,
                                             std::string_view name = "") {
  return make_gptq_tensors(source.unpack(), format, name);
}

/// As above, of a codec chosen at run time.
/// @throws luq::error unsupported if it is not one of int2, int3, int4 and int8
[[nodiscard]] gptq_tensors make_gptq_tensors(const any_packed_matrix& source, gptq_format format,
                                             std::string_view name = "");

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/io/gptq/impl/gptq_tensors.hpp"
#endif

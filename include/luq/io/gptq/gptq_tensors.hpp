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

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "luq/codecs/any_packed_matrix.hpp"
#include "luq/codecs/coded_matrix.hpp"
#include "luq/codecs/int_codec.hpp"
#include "luq/codecs/packed_matrix.hpp"
#include "luq/core/error.hpp"
#include "luq/core/half.hpp"
#include "luq/core/is_finite.hpp"
#include "luq/io/files/detail/printable.hpp"
#include "luq/io/gptq/detail/gptq_words.hpp"
#include "luq/policy/model_shape.hpp"

namespace luq {

/// How zero points are stored.
enum class gptq_format {
  v1,  ///< "gptq": zero - 1
  v2,  ///< "gptq_v2": zero
};

/// The name of a format in configuration files.
[[nodiscard]] constexpr std::string_view gptq_format_name(gptq_format format) noexcept {
  return format == gptq_format::v1 ? "gptq" : "gptq_v2";
}

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

namespace detail {

/// @throws luq::error invalid_argument unless the format has codes of so many bits
inline void require_gptq_bits(std::string_view name, unsigned bits) {
  if (bits != 2 && bits != 3 && bits != 4 && bits != 8) {
    fail(errc::invalid_argument, "gptq linear ", in_quotes(name), ": expected 2, 3, 4 or 8 bits, got ", bits);
  }
}

/// Checks bits, shape and group.
/// @throws luq::error invalid_argument
inline void require_gptq_shape(std::string_view name, unsigned bits, index rows, index cols, index group) {
  require_gptq_bits(name, bits);
  if (rows < 1 || cols < 1 || rows % gptq_block != 0 || cols % gptq_block != 0 || rows > most_weights / cols) {
    fail(errc::invalid_argument, "gptq linear ", in_quotes(name), ": expected multiples of ", gptq_block,
         " outputs and inputs, got ", rows, " x ", cols);
  }
  if (group != whole_row && group < 1) {
    fail(errc::invalid_argument, "gptq linear ", in_quotes(name), ": expected a group of at least 1 column, got ",
         group);
  }
}

/// Checks that the tensors are of the sizes their shape says. @throws luq::error invalid_argument, shape_mismatch
inline void require_gptq_sizes(std::string_view name, const gptq_tensors& t) {
  require_gptq_shape(name, t.bits, t.rows, t.cols, t.group);
  const auto require_size = [&](const char* tensor, std::size_t got, index rows, index cols) {
    if (got != static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols)) {
      fail(errc::shape_mismatch, "gptq linear ", in_quotes(name), ": ", tensor, ": expected ", rows, " x ", cols,
           " elements, got ", got);
    }
  };
  const index bits = static_cast<index>(t.bits);
  require_size("qweight", t.qweight.size(), t.cols / gptq_block * bits, t.rows);
  require_size("qzeros", t.qzeros.size(), t.groups(), t.rows / gptq_block * bits);
  require_size("scales", t.scales.size(), t.groups(), t.rows);
  require_size("g_idx", t.g_idx.size(), t.cols, 1);
}

}  // namespace detail

/// Checks what all functions that take gptq_tensors rely on.
/// @param name  of the linear, for messages
/// @throws luq::error invalid_argument for bits, shape or group that the format does not have, shape_mismatch if a
///   tensor is not of their size, corrupt_file for a g_idx that names no group, non_finite for such a scale,
///   unsupported for a v1 zero point that loaders read differently
inline void require_consistent(const gptq_tensors& t, std::string_view name) {
  detail::require_gptq_sizes(name, t);
  for (std::size_t c = 0; c < t.g_idx.size(); ++c) {
    if (t.g_idx[c] < 0 || t.g_idx[c] >= t.groups()) {
      fail(errc::corrupt_file, "gptq linear ", detail::in_quotes(name), ": g_idx of column ", c,
           ": expected a group of 0 ... ", t.groups() - 1, ", got ", t.g_idx[c]);
    }
  }
  for (std::size_t i = 0; i < t.scales.size(); ++i) {
    if (!is_finite(t.scales[i])) {
      const auto rows = static_cast<std::size_t>(t.rows);
      fail(errc::non_finite, "gptq linear ", detail::in_quotes(name), ": the scale of group ", i / rows, ", output ",
           i % rows, " is not finite");
    }
  }
  if (t.format == gptq_format::v2) return;
  std::array<code, detail::gptq_block> zeros{};
  const index bits = static_cast<index>(t.bits);
  const auto blocks = static_cast<index>(t.qzeros.size()) / bits;
  for (index block = 0; block < blocks; ++block) {
    detail::unpack_gptq_block(t.qzeros.data() + block * bits, 1, t.bits, zeros.data());
    for (std::size_t j = 0; j < zeros.size(); ++j) {
      if (zeros[j] + 1u < (1u << t.bits)) continue;
      const index element = block * detail::gptq_block + static_cast<index>(j);
      fail(errc::unsupported, "gptq linear ", detail::in_quotes(name), ": qzeros of group ", element / t.rows,
           ", output ", element % t.rows, ": the stored ", zeros[j],
           " of format gptq is read as 0 by some loaders and ", "as ", zeros[j] + 1, " by others");
    }
  }
}

/// The codes q, [out x in].
[[nodiscard]] inline basic_matrix<code> gptq_codes(const gptq_tensors& t, std::string_view name = "") {
  detail::require_gptq_sizes(name, t);
  basic_matrix<code> codes(t.rows, t.cols);
  const index bits = static_cast<index>(t.bits);
  for (index block = 0; block < t.cols / detail::gptq_block; ++block) {
    for (index o = 0; o < t.rows; ++o) {
      detail::unpack_gptq_block(t.qweight.data() + block * bits * t.rows + o, t.rows, t.bits,
                                codes.row(o).data() + block * detail::gptq_block);
    }
  }
  return codes;
}

/// The zero points, [groups x out], whatever the format stores.
/// @throws luq::error as require_consistent()
[[nodiscard]] inline basic_matrix<code> gptq_zeros(const gptq_tensors& t, std::string_view name = "") {
  require_consistent(t, name);
  basic_matrix<code> zeros(t.groups(), t.rows);
  const index bits = static_cast<index>(t.bits);
  for (index block = 0; block < zeros.size() / detail::gptq_block; ++block) {
    detail::unpack_gptq_block(t.qzeros.data() + block * bits, 1, t.bits, zeros.data() + block * detail::gptq_block);
  }
  if (t.format == gptq_format::v1) zeros.array() += code{1};
  return zeros;
}

/// The weights in float, [out x in]; any g_idx.
/// @throws luq::error as require_consistent()
[[nodiscard]] inline matrix decode_gptq(const gptq_tensors& t, std::string_view name = "") {
  const basic_matrix<code> zeros = gptq_zeros(t, name);
  const basic_matrix<code> codes = gptq_codes(t, name);
  matrix W(t.rows, t.cols);
  for (index o = 0; o < t.rows; ++o) {
    for (index i = 0; i < t.cols; ++i) {
      const index g = t.g_idx[static_cast<std::size_t>(i)];
      const auto scale = static_cast<float>(t.scales[static_cast<std::size_t>(g * t.rows + o)]);
      W(o, i) = scale * (static_cast<float>(codes(o, i)) - static_cast<float>(zeros(g, o)));
    }
  }
  return W;
}

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
[[nodiscard]] inline any_packed_matrix pack_gptq(const gptq_tensors& t, std::string_view name = "") {
  detail::require_gptq_bits(name, t.bits);
  if (t.bits == 2) return pack(coded_from_gptq<2>(t, name));
  if (t.bits == 3) return pack(coded_from_gptq<3>(t, name));
  if (t.bits == 4) return pack(coded_from_gptq<4>(t, name));
  return pack(coded_from_gptq<8>(t, name));
}

/// The tensors of a matrix: the same codes, zero points and scales, natural g_idx.
/// @param name  of the linear, for messages
/// @throws luq::error invalid_argument unless rows and columns are multiples of 32; unsupported in format v1 if a zero
///   point is 0; non_finite for such a scale
template <unsigned Bits>
[[nodiscard]] gptq_tensors make_gptq_tensors(const coded_matrix<int_codec<Bits>>& source, gptq_format format,
                                             std::string_view name = "") {
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
[[nodiscard]] inline gptq_tensors make_gptq_tensors(const any_packed_matrix& source, gptq_format format,
                                                    std::string_view name = "") {
  return std::visit(
      [&](const auto& packed) -> gptq_tensors {
        if constexpr (requires { make_gptq_tensors(packed.unpack(), format, name); }) {
          return make_gptq_tensors(packed.unpack(), format, name);
        } else {
          fail(errc::unsupported, "gptq linear ", detail::in_quotes(name),
               ": expected a codec of int2, int3, int4 and int8, got ", packed.codec().name());
        }
      },
      source);
}

}  // namespace luq

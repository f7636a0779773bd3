// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The definitions of luq/io/gptq/gptq_tensors.hpp.
//
// IWYU pragma: private, include "luq/io/gptq/gptq_tensors.hpp"
#pragma once

#include "luq/io/gptq/gptq_tensors.hpp"

#include <array>
#include <variant>

#include "luq/core/compiled.hpp"
#include "luq/core/is_finite.hpp"

namespace luq {

namespace detail {

/// Checks that the tensors are of the sizes their shape says.
/// @throws luq::error invalid_argument, shape_mismatch
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

LUQ_INLINE void require_consistent(const gptq_tensors& t, std::string_view name) {
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

LUQ_INLINE basic_matrix<code> gptq_codes(const gptq_tensors& t, std::string_view name) {
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

LUQ_INLINE basic_matrix<code> gptq_zeros(const gptq_tensors& t, std::string_view name) {
  require_consistent(t, name);
  basic_matrix<code> zeros(t.groups(), t.rows);
  const index bits = static_cast<index>(t.bits);
  for (index block = 0; block < zeros.size() / detail::gptq_block; ++block) {
    detail::unpack_gptq_block(t.qzeros.data() + block * bits, 1, t.bits, zeros.data() + block * detail::gptq_block);
  }
  if (t.format == gptq_format::v1) zeros.array() += code{1};
  return zeros;
}

LUQ_INLINE matrix decode_gptq(const gptq_tensors& t, std::string_view name) {
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

LUQ_INLINE any_packed_matrix pack_gptq(const gptq_tensors& t, std::string_view name) {
  detail::require_gptq_bits(name, t.bits);
  if (t.bits == 2) return pack(coded_from_gptq<2>(t, name));
  if (t.bits == 3) return pack(coded_from_gptq<3>(t, name));
  if (t.bits == 4) return pack(coded_from_gptq<4>(t, name));
  return pack(coded_from_gptq<8>(t, name));
}

LUQ_INLINE gptq_tensors make_gptq_tensors(const any_packed_matrix& source, gptq_format format, std::string_view name) {
  return std::visit(
      [&](const auto& packed) -> gptq_tensors {
        if constexpr (requires { make_gptq_tensors(packed.unpack(), format, name); }) {
          return make_gptq_tensors(packed.unpack(), format, name);
        } else {
          fail(errc::unsupported, "gptq linear ", detail::in_quotes(name),
               ": expected a codec of int2, int3, int4 and int8, got ", codec_name(packed.codec()));
        }
      },
      source);
}

}  // namespace luq

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// 32 codes of a GPTQ checkpoint as 32-bit words; the layout is that of gptq_tensors.hpp.
//
// IWYU pragma: private, include "luq/io/gptq/gptq_tensors.hpp"
#pragma once

#include <cstdint>

#include "luq/codecs/weight_codec.hpp"
#include "luq/core/assert.hpp"
#include "luq/core/index.hpp"
#include "luq/io/gptq/detail/gptq_checks.hpp"

namespace luq::detail {

/// Packs 32 codes into `bits` words, words[0], words[stride], ...
inline void pack_gptq_block(const code* codes, unsigned bits, std::int32_t* words, index stride) {
  std::uint64_t window = 0;
  unsigned filled = 0;
  for (index j = 0; j < gptq_block; ++j) {
    LUQ_ASSERT(codes[j] < (1u << bits));
    window |= static_cast<std::uint64_t>(codes[j]) << filled;
    filled += bits;
    if (filled >= 32) {
      *words = static_cast<std::int32_t>(static_cast<std::uint32_t>(window));
      words += stride;
      window >>= 32;
      filled -= 32;
    }
  }
}

/// The inverse.
inline void unpack_gptq_block(const std::int32_t* words, index stride, unsigned bits, code* codes) {
  std::uint64_t window = 0;
  unsigned filled = 0;
  for (index j = 0; j < gptq_block; ++j) {
    if (filled < bits) {
      window |= static_cast<std::uint64_t>(static_cast<std::uint32_t>(*words)) << filled;
      words += stride;
      filled += 32;
    }
    codes[j] = static_cast<code>(window & ((1u << bits) - 1u));
    window >>= bits;
    filled -= bits;
  }
}

}  // namespace luq::detail

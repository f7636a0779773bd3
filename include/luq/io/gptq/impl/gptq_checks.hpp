// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The definitions of luq/io/gptq/detail/gptq_checks.hpp.
//
// IWYU pragma: private, include "luq/io/gptq/detail/gptq_checks.hpp"
#pragma once

#include "luq/io/gptq/detail/gptq_checks.hpp"

#include "luq/codecs/weight_codec.hpp"
#include "luq/core/compiled.hpp"
#include "luq/core/error.hpp"
#include "luq/io/files/detail/printable.hpp"
#include "luq/policy/model_shape.hpp"

namespace luq::detail {

LUQ_INLINE void require_gptq_bits(std::string_view name, unsigned bits) {
  if (bits != 2 && bits != 3 && bits != 4 && bits != 8) {
    fail(errc::invalid_argument, "gptq linear ", in_quotes(name), ": expected 2, 3, 4 or 8 bits, got ", bits);
  }
}

LUQ_INLINE void require_gptq_shape(std::string_view name, unsigned bits, index rows, index cols, index group) {
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

}  // namespace luq::detail

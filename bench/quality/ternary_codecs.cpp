// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "frontier.hpp"
#include "luq/codecs/ternary_codec.hpp"

namespace luq_bench {

void measure_ternary_codecs(measurement& m) {
  measure(m, luq::ternary_codec{.group = 160});
  measure(m, luq::ternary_codec{});
}

}  // namespace luq_bench

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "frontier.hpp"
#include "luq/codecs/int_codec.hpp"

namespace luq_bench {

void measure_integer_codecs(measurement& m) {
  measure(m, luq::int_codec<2>{.range = luq::int_range::searched});
  measure(m, luq::int_codec<3>{.range = luq::int_range::searched});
  measure(m, luq::int_codec<4>{.group = 80, .range = luq::int_range::searched});
  measure(m, luq::int_codec<4>{.range = luq::int_range::searched});
}

}  // namespace luq_bench

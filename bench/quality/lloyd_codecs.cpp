// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "frontier.hpp"
#include "luq/codecs/lloyd_codec.hpp"

namespace luq_bench {

void measure_lloyd_codecs(measurement& m) {
  measure(m, luq::lloyd_codec<2>{.group = 128});
  measure(m, luq::lloyd_codec<3>{.group = 128});
  measure(m, luq::lloyd_codec<3>{});
  measure(m, luq::lloyd_codec<4>{.group = 128});
  measure(m, luq::lloyd_codec<4>{});
}

}  // namespace luq_bench

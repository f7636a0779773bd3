// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "frontier.hpp"
#include "luq/codecs/trellis_codec.hpp"

namespace luq_bench {

void measure_trellis_codecs(measurement& m) {
  measure(m, luq::trellis_codec<2>{.group = luq::whole_row});
  measure(m, luq::trellis_codec<2>{.group = 128});
  measure(m, luq::trellis_codec<3>{.group = luq::whole_row});
  measure(m, luq::trellis_codec<4>{.group = luq::whole_row});
  measure(m, luq::trellis_codec<4>{.group = 128});
  measure(m, luq::trellis_codec<8>{.group = luq::whole_row});
  measure(m, luq::trellis_codec<16>{.group = luq::whole_row});
}

}  // namespace luq_bench

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "frontier.hpp"
#include "luq/codecs/lut2_codec.hpp"

namespace luq_bench {

void measure_pair_codecs(measurement& m) {
  measure(m, luq::lut2_codec{});
}

}  // namespace luq_bench

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "frontier.hpp"
#include "luq/codecs/binary_coding_codec.hpp"

namespace luq_bench {

void measure_pair_codecs(measurement& m) {
  measure(m, luq::binary_coding_codec{});
}

}  // namespace luq_bench

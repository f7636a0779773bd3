// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "frontier.hpp"
#include "luq/codecs/billm_codec.hpp"
#include "luq/codecs/sign_codec.hpp"

namespace luq_bench {

void measure_binary_codecs(measurement& m) {
  measure(m, luq::sign_codec{});
  measure(m, luq::billm_codec{});
}

}  // namespace luq_bench

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Tokens a second of decoders, of equal shape and of different weights, beside what the bandwidth of memory allows.
//
//   decode    one token after `context` positions that are in the cache: every weight is read for that one token, so
//             bytes of weights / read bandwidth is a time that no kernel can beat
//   prefill   a prompt at once, which is bound by arithmetic
//
// All decoders are timed within each repetition, one after the other, and each beside a reading of its own weights in
// the same minute, since both the clock and the bandwidth of a shared machine drift. Embedding a token and choosing the
// next one are left out: a row of a table, and one pass over the logits.
#pragma once

#include <luq/core/openmp_executor.hpp>
#include <luq/core/progress.hpp>
#include <string>
#include <vector>

#include "../engine/decoder.hpp"
#include "../report/document.hpp"

namespace vlm {

struct benchmark_options {
  luq::index context = 512;    ///< positions in the cache before the first token of a repetition is decoded
  luq::index prompt = 512;     ///< tokens of a prefill; 0 for none
  luq::index tokens = 8;       ///< decoded one after the other in a repetition, >= 1
  luq::index repetitions = 5;  ///< >= 1
};

/// A decoder to be timed.
struct contender {
  std::string name;
  decoder model;
};

/// What was measured of one decoder. Vectors have one element per repetition.
struct decoder_timing {
  std::string name;
  luq::index layer_bytes = 0;                ///< of the weights of all layers' linears
  luq::index head_bytes = 0;                 ///< of the head's weights
  double true_bits = 0;                      ///< 8 * layer_bytes / weights of the layers
  std::vector<double> bandwidth = {};        ///< bytes a second of merely reading layers and head
  std::vector<double> layer_seconds = {};    ///< of the layers, for one token
  std::vector<double> head_seconds = {};     ///< of the final norm and the head, for one token
  std::vector<double> prefill_seconds = {};  ///< of a prompt through the layers, and its last token through the head
};

/// Bytes of the keys and values of so many positions, in all layers.
[[nodiscard]] luq::index cache_bytes(const text_config& config, luq::index positions);

/// Times all decoders, which have the same shape, each as it is told to compute.
/// @param executor  reads for the bandwidth; as many threads as the decoders have
/// @throws luq::error non_finite if a decoder's logits are
[[nodiscard]] std::vector<decoder_timing> time_decoders(const std::vector<contender>& contenders,
                                                        const benchmark_options& options,
                                                        const luq::openmp_executor& executor,
                                                        luq::progress_observer* progress = nullptr);

/// What of a decoded token a table is about.
enum class decode_part { layers, layers_and_head };

/// Decoding: medians over repetitions, with the smallest and the largest. The last timing is what the others are
/// compared with, repetition by repetition.
[[nodiscard]] table decode_table(const std::vector<decoder_timing>& timings, decode_part part);

/// Prefill of a prompt of so many tokens.
[[nodiscard]] table prefill_table(const std::vector<decoder_timing>& timings, luq::index prompt);

}  // namespace vlm

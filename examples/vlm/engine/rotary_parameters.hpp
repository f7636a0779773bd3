// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The rotary parameters of a section of config.json, a decoder's or a vision tower's. transformers 4 has them in the
// object `rope_scaling`, with `rope_theta` beside it, and transformers 5 has all of them in the object
// `rope_parameters`:
//
//   rope_type                                   or its older name `type`
//   rope_theta                                  overrules the one beside the object
//   factor                                      of "linear" and "llama3"
//   low_freq_factor, high_freq_factor           of "llama3"
//   original_max_position_embeddings            of "llama3"; the one beside the object overrules it
//   mrope_section                               of decoders with sections
//
// Of a file with both objects transformers 5 takes `rope_scaling` and forgets the other; here they must mean the same.
//
// A key that the type does not take, or whose effect is not known here (`partial_rotary_factor`, `attention_factor`),
// is refused unless it is a factor of 1: transformers passes over many of those, and computes something else than the
// file says.
#pragma once

#include <luq/core/index.hpp>
#include <string_view>
#include <vector>

#include "json_section.hpp"
#include "rotary_embedding.hpp"

namespace vlm {

/// What a section means that says nothing, and what it may say.
struct rotary_rules {
  double theta;
  std::vector<std::string_view> types;  ///< names of `rope_type`, the default first; only "linear" and "llama3" scale
  luq::index positions = 0;             ///< that "llama3" stretches from
  std::vector<luq::index> sections{};   ///< empty for models without sections
  luq::index head_dim = 0;              ///< that the sections fill
};

/// @throws luq::error corrupt_file if a value has the wrong kind, is out of range or contradicts another; unsupported
///   for another type, and for a key that the type does not take
[[nodiscard]] rotary_config read_rotary_config(const json_section& json, const rotary_rules& rules);

}  // namespace vlm

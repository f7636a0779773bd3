// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The JSON form of a plan:
//
//   {
//     "luq_plan": 2,                                   version of this form
//     "reason": "lowest entropy first, 3 of 12 layers low",
//     "bytes": 81920,                                  of all linears
//     "layers": [
//       { "recipe": "sign:g128/gptq+refine",
//         "linears": [ { "name": "model.layers.0.mlp.up_proj", "rows": 384, "cols": 128, "bytes": 6912 }, ... ] },
//       ... ]
//   }
//
// Byte counts follow from codecs and shapes; they stand there for people and other programs, and a file in which they
// contradict is refused, as is one with unknown keys: it was written by something that means something else.
#pragma once

#include <string>
#include <string_view>

#include "luq/policy/plan.hpp"

namespace luq {

/// The text of a plan, the same for equal plans; plan_from_json() reads it back to an equal plan.
/// @throws luq::error as require_consistent(); invalid_argument if a name or the reason is not UTF-8
[[nodiscard]] std::string plan_to_json(const plan& p);

/// Reads what plan_to_json() writes.
/// @param source  names the text in messages
/// @throws luq::error corrupt_file, or unsupported for another version
[[nodiscard]] plan plan_from_json(std::string_view text, std::string_view source);

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/io/luq/impl/plan_json.hpp"
#endif

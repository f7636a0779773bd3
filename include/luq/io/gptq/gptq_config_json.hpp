// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The JSON form of a GPTQ configuration: quantize_config.json, and the same object as "quantization_config" in
// config.json.
//
//   {
//     "bits": 4, "group_size": 128, "desc_act": false, "sym": true,     of every quantized linear, unless
//     "lm_head": false,
//     "quant_method": "gptq", "checkpoint_format": "gptq_v2", "pack_dtype": "int32",
//     "dynamic": {                                                      a rule says otherwise
//       "-:^visual\\..*": {},                                             stays dense
//       "^model\\.layers\\.(?:3|7)\\..*": { "bits": 2, "group_size": 64 }
//     },
//     "meta": { "quantizer": [ "luq:0.1.0" ] }
//   }
//
// The key of a rule is its pattern, after "-:" for modules that stay dense, after "+:" or nothing for others. Rules
// keep the order of the text. Read, quant_method may be called method and checkpoint_format format; all keys may be
// absent but bits and group_size: then the method is gptq, the format gptq, desc_act false and sym true, as for
// AutoGPTQ's files, which are older than those keys.
//
// Unknown keys are ignored: others' files have many, none of which changes how tensors are read. Known keys are read
// strictly. A key whose value is null counts as absent.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "luq/io/gptq/gptq_config.hpp"

namespace luq {

/// The object, to be put under "quantization_config" or written as it is; <nlohmann/json.hpp> is the caller's.
/// @throws luq::error invalid_argument if two rules have the same prefix and pattern
[[nodiscard]] nlohmann::ordered_json gptq_config_object(const gptq_config& config);

/// The text of quantize_config.json, the same for equal configurations.
/// @throws luq::error as gptq_config_object(); invalid_argument if the quantizer's name is not UTF-8
[[nodiscard]] std::string gptq_config_to_json(const gptq_config& config);

/// Reads quantize_config.json, or config.json with a quantization_config.
/// @param source  names the text in messages
/// @throws luq::error corrupt_file; unsupported for another method, format, width or word, or a pattern beyond
///   module_pattern.hpp
[[nodiscard]] gptq_config gptq_config_from_json(std::string_view text, std::string_view source);

/// As above, from a file.
/// @throws luq::error io_failure if it cannot be read, otherwise as gptq_config_from_json()
[[nodiscard]] gptq_config read_gptq_config(const std::filesystem::path& path);

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/io/gptq/impl/gptq_config_json.hpp"
#endif

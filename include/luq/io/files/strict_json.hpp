// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// JSON as RFC 8259 defines it, for files that come from elsewhere. Beyond what nlohmann::json::parse checks, this
// reader refuses
//   - a key that occurs twice in an object (parsers disagree on which one counts, so a checker and a user of the same
//     file may see different values),
//   - nesting deeper than a limit, and text longer than a limit,
//   - an integer that does not fit 64 bits (it would silently become a rounded double),
//   - a NUL byte (the tokenizer takes it for the end of the text and would ignore what follows) and a byte order mark.
// Invalid UTF-8, NaN, infinities, numbers beyond double, comments and trailing text are refused by the tokenizer.
//
// Numbers keep their kind: unsigned, negative or floating-point, as written. Converting (a 3.0 where 3 is expected) is
// the business of whoever reads the value, and includes <nlohmann/json.hpp> for it.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "luq/core/index.hpp"

namespace luq {

/// What a JSON text may demand of its reader.
struct json_limits {
  index bytes = index{16} << 20;  ///< length of the text, > 0; an index of 100 000 tensors has about 9 MB. The tree of
                                  ///< a hostile text takes up to some forty times its length
  int depth = 64;                 ///< objects and arrays inside one another, > 0; configuration files use below 10
};

/// The value of a JSON text.
/// @param source  names the text in messages, usually a path
/// @throws luq::error corrupt_file for every violation listed above; the message is one line
[[nodiscard]] nlohmann::json parse_strict_json(std::string_view text, std::string_view source,
                                               const json_limits& limits = {});

/// The value of a JSON file.
/// @throws luq::error io_failure if it cannot be read or is not a regular file, otherwise as parse_strict_json
[[nodiscard]] nlohmann::json read_strict_json(const std::filesystem::path& path, const json_limits& limits = {});

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/io/files/impl/strict_json.hpp"
#endif

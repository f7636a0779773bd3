// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The table at the top of export_linter.hpp as functions: which form a codec takes at a target.
//
// IWYU pragma: private, include "luq/io/exports/export_linter.hpp"
#pragma once

#include <optional>
#include <string>

#include "luq/codecs/any_codec.hpp"
#include "luq/core/index.hpp"
#include "luq/io/exports/export_target.hpp"

namespace luq::detail {

/// How a target holds a codec.
struct export_form {
  std::string name;
  index inputs;                                     ///< divisor of the columns
  index outputs = 1;                                ///< divisor of the rows
  index group = 1;                                  ///< another divisor of the columns: those of a scale
  std::string otherwise = "keep them dense (F16)";  ///< what to do with linears that do not divide
};

/// What a target takes, for messages.
[[nodiscard]] const char* accepted_codecs(export_target target);

/// The form of a codec at a target; nothing if it has none.
[[nodiscard]] std::optional<export_form> form_of(export_target target, const any_codec& codec);

/// Of the codecs that a target has a form for and that have at least the nominal bits of `codec`, the one of fewest;
/// with its group if that is possible, otherwise 128 or 256 columns.
[[nodiscard]] any_codec nearest_codec(export_target target, const any_codec& codec);

}  // namespace luq::detail

#ifndef LUQ_COMPILED
#include "luq/io/exports/impl/export_forms.hpp"
#endif

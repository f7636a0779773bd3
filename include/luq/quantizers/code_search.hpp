// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The searches for codes that a program offers by name, one or two steps each with the options that proved best. Callers
// who want others put quantizers together themselves:
//
//   nearest      luq::round_to_nearest
//   feedback     luq::gptq, columns in activation order
//   block rule   luq::billm as published
//   best         luq::refined after feedback
//
// The codes of a trellis depend on one another: feedback and best are luq::beam_search there, with one round less than
// its default, for two thirds of the time and 3 % more error.
//
// Compiling all of them for all codecs takes minutes: a program does it in one or a few of its files.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "luq/core/error.hpp"
#include "luq/core/executor.hpp"
#include "luq/quantizers/beam_search.hpp"
#include "luq/quantizers/billm.hpp"
#include "luq/quantizers/gptq.hpp"
#include "luq/quantizers/quantize.hpp"
#include "luq/quantizers/refined.hpp"
#include "luq/quantizers/round_to_nearest.hpp"

namespace luq {

/// How codes are chosen.
enum class code_search { nearest, feedback, block_rule, best };

namespace detail {

inline constexpr std::array<std::string_view, 4> code_search_names{"nearest", "feedback", "block rule", "best"};

}  // namespace detail

[[nodiscard]] constexpr std::string_view code_search_name(code_search how) {
  return detail::code_search_names[static_cast<std::size_t>(how)];
}

/// @throws luq::error invalid_argument for a name that none has
[[nodiscard]] inline code_search parse_code_search(std::string_view name) {
  for (std::size_t i = 0; i < detail::code_search_names.size(); ++i) {
    if (name == detail::code_search_names[i]) return static_cast<code_search>(i);
  }
  fail(errc::invalid_argument, "search \"", name, "\": expected nearest, feedback, block rule or best");
}

/// The codes of weights W [out x in].
/// @param H       [in x in] the Hessian of their inputs
/// @param report  null if it is not wanted
/// @throws luq::error as quantize_codes()
template <WeightCodec Codec>
[[nodiscard]] coded_matrix<Codec> search_codes(const matrix_view& W, const matrix_view& H, const Codec& codec,
                                               code_search how, quantize_report* report = nullptr,
                                               executor_ref executor = {}) {
  if (how == code_search::nearest) return quantize_codes(W, H, codec, round_to_nearest{}, report, executor);
  if (how == code_search::block_rule) return quantize_codes(W, H, codec, billm{}, report, executor);
  if constexpr (SequenceCodec<Codec>) {
    return quantize_codes(W, H, codec, beam_search{.rounds = 1}, report, executor);
  } else {
    const gptq feedback{.order = column_order::activation};
    if (how == code_search::feedback) return quantize_codes(W, H, codec, feedback, report, executor);
    return quantize_codes(W, H, codec, refined<>{.start = feedback}, report, executor);
  }
}

}  // namespace luq

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The searches for codes that a program offers by name, one or two steps each with the options that proved best.
// Callers who want others put quantizers together themselves:
//
//   nearest      luq::round_to_nearest
//   feedback     luq::gptq, columns in activation order
//   block rule   luq::billm as published
//   best         luq::refined after feedback
//
// The codes of a trellis depend on one another: feedback and best are luq::beam_search there, with one round less than
// its default, for two thirds of the time and 3 % more error.
//
// Compiling all of them for all codecs takes minutes: a program that wants them at run time (any_quantize.hpp) links
// luq::compiled, or does it in one of its files.
#pragma once

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

[[nodiscard]] constexpr std::string_view code_search_name(code_search how) noexcept {
  constexpr std::string_view names[] = {"nearest", "feedback", "block rule", "best"};
  return names[static_cast<int>(how)];
}

/// @throws luq::error invalid_argument for a name that none has
[[nodiscard]] inline code_search parse_code_search(std::string_view name) {
  for (const code_search how :
       {code_search::nearest, code_search::feedback, code_search::block_rule, code_search::best}) {
    if (name == code_search_name(how)) return how;
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

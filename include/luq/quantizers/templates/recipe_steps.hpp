// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The steps of recipes with the options that proved best, for one codec. Gptq is in activation order. Beam search has
// one round less than its default, for two thirds of the time and 3 % more error.
#pragma once

#include "luq/quantizers/awq.hpp"
#include "luq/quantizers/beam_search.hpp"
#include "luq/quantizers/billm.hpp"
#include "luq/quantizers/detail/recipe_steps.hpp"
#include "luq/quantizers/gptq.hpp"
#include "luq/quantizers/hadamard.hpp"
#include "luq/quantizers/refined.hpp"
#include "luq/quantizers/round_to_nearest.hpp"
#include "luq/quantizers/row_column.hpp"

namespace luq::detail {

[[nodiscard]] inline gptq feedback_of(const recipe& how) {
  return {.order = column_order::activation, .drift_share = how.search == code_search::gptaq ? gptaq_drift_share : 0.0};
}

/// The search of a recipe as a quantizer. The recipe is valid for its codec, and has the inputs that it needs.
struct recipe_search {
  const recipe& how;

  static constexpr bool needs_inputs = false;

  template <WeightCodec Codec>
  [[nodiscard]] coded_matrix<Codec> operator()(const linear_problem& problem, const Codec& codec,
                                               const quantize_context& context, quantize_report& report) const {
    coded_matrix<Codec> codes = first_codes(problem, codec, context, report);
    if constexpr (MemorylessCodec<Codec>) {
      if (how.refines) refine_codes(problem, codes, {}, context);
    }
    return codes;
  }

 private:
  template <WeightCodec Codec>
  [[nodiscard]] coded_matrix<Codec> first_codes(const linear_problem& problem, const Codec& codec,
                                                const quantize_context& context, quantize_report& report) const {
    if (how.search == code_search::rtn) return round_to_nearest{}(problem, codec, context, report);
    if (how.search == code_search::billm) return billm{}(problem, codec, context, report);
    if constexpr (MemorylessCodec<Codec>) {
      if (how.search != code_search::beam) return feedback_of(how)(problem, codec, context, report);
    }
    return beam_search{.rounds = 1}(problem, codec, context, report);
  }
};

template <WeightCodec Codec>
quantized_linear<Codec> quantize_by_recipe(const linear_problem& problem, const recipe& how, const Codec& codec,
                                           const quantize_context& context) {
  const recipe_search search{how};
  switch (how.transform) {
    case transform_method::hadamard:
      return quantize(problem, hadamard{}, codec, search, context);
    case transform_method::awq:
      return quantize(problem, awq{}, codec, search, context);
    case transform_method::rowcol:
      return quantize(problem, row_column{}, codec, search, context);
    case transform_method::none:
      break;
  }
  if constexpr (MemorylessCodec<Codec>) {
    const bool is_feedback = how.search == code_search::gptq || how.search == code_search::gptaq;
    if (is_feedback && !how.refines) return quantize(problem, codec, feedback_of(how), context);  // least memory
  }
  return quantize(problem, codec, search, context);
}

}  // namespace luq::detail

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Weights of tokens that bound how much one token can say in a Hessian (hessian.hpp). A few tokens of a language model
// have "massive activations", a hundred to many thousand times the norm of the others (Sun et al., Massive Activations
// in Large Language Models, COLM 2024): the first token of a sequence, separators. A squared error counts such a token
// as much as the square of that: six of three thousand are nearly the whole Hessian, and codes are chosen for them at
// the expense of all other tokens. With the norms of the tokens of one sequence,
//
//   lambda_t = min(1, (clip * typical / |x_t|)^2),    typical = median |x_t|
//
// A token enters with its direction and at most `clip` times the typical norm. This is the Winsor form of the
// generalized spatial sign covariance (Raymaekers and Rousseeuw, J. Multivariate Analysis 171, 2019), with a limit far
// outside of what ordinary tokens reach: nothing changes where no token is massive, and massive tokens, which other
// tokens attend to, still count for as much as clip^2 ordinary ones.
//
// The median is over tokens that are not padding and not zero; of an even number, it is the lower of the two in the
// middle. A median is of all tokens at once. Hence the unit is a sequence: weights do not depend on how sequences are
// ordered, batched or shared among threads, but a sequence cut in two has two medians.
//
// They are for every accumulator that takes weights: hessian, mean_magnitude, and input_drift, of its inputs xhat. Not
// a measure of importance: weights by attention or gradients need more than the inputs of one linear.
#pragma once

#include <span>
#include <vector>

#include "luq/core/compiled.hpp"
#include "luq/core/error.hpp"
#include "luq/core/executor.hpp"
#include "luq/core/matrix_view.hpp"
#include "luq/estimators/token_class.hpp"

namespace luq {

/// The multiple of the typical norm at which the programs clip. It is above what ordinary tokens reach (8.9 in the
/// embedded model). A lower one would spare them little more and cost the massive tokens; see the measurements of
/// bench/quality/massive_tokens.cpp in examples/vlm/README.md.
inline constexpr double default_norm_clip = 10.0;

/// Weights [tokens] of the tokens X [tokens x in] of one sequence, at most 1. Scaling X changes none.
/// @param clip  multiple of the typical norm, > 0; infinity: all weights are 1
/// @throws luq::error invalid_argument, non_finite naming the token
[[nodiscard]] std::vector<float> norm_weights(const matrix_view& X, double clip = default_norm_clip,
                                              executor_ref executor = {});

/// The same where some tokens are padding: their weight is 0.
/// @param classes  [tokens]
/// @throws luq::error shape_mismatch, invalid_argument, non_finite naming the token
[[nodiscard]] std::vector<float> norm_weights(const matrix_view& X, std::span<const token_class> classes,
                                              double clip = default_norm_clip, executor_ref executor = {});

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/estimators/impl/norm_weights.hpp"
#endif

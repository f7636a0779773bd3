// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What can be chosen about calibration, beside its sequences.
#pragma once

#include <luq/estimators/activation_entropy.hpp>
#include <luq/estimators/norm_weights.hpp>

namespace vlm {

struct calibration_options {
  luq::activation_entropy_options entropy;
  double norm_clip = luq::default_norm_clip;  ///< of the weights of tokens in Hessians; 0: every token counts once
};

}  // namespace vlm

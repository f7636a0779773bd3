// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The definitions of all templates, for programs that link luq::compiled and have codecs or searches of their own,
// which are not in it. Header-only there is nothing to include.
#pragma once

#include "luq/codecs/templates/any_packed_matrix.hpp"
#include "luq/codecs/templates/billm_codec.hpp"
#include "luq/codecs/templates/coded_matrix.hpp"
#include "luq/codecs/templates/packed_matrix.hpp"
#include "luq/kernels/templates/any_matmul.hpp"
#include "luq/kernels/templates/dispatch.hpp"
#include "luq/kernels/templates/matmul.hpp"
#include "luq/kernels/templates/verify_kernels.hpp"
#include "luq/quantizers/templates/beam_search.hpp"
#include "luq/quantizers/templates/billm.hpp"
#include "luq/quantizers/templates/error_propagation.hpp"
#include "luq/quantizers/templates/gptq.hpp"
#include "luq/quantizers/templates/quantize_recipe.hpp"
#include "luq/quantizers/templates/recipe_steps.hpp"
#include "luq/quantizers/templates/refined.hpp"
#include "luq/quantizers/templates/round_to_nearest.hpp"

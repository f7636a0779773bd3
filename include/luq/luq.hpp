// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Every area of the library but io, whose headers need nlohmann-json and are included one by one.
#pragma once

#include "luq/core/aligned_buffer.hpp"
#include "luq/core/assert.hpp"
#include "luq/core/error.hpp"
#include "luq/core/executor.hpp"
#include "luq/core/half.hpp"
#include "luq/core/matrix_view.hpp"
#include "luq/core/openmp_executor.hpp"
#include "luq/core/progress.hpp"
#include "luq/core/random.hpp"
#include "luq/core/version.hpp"

#include "luq/estimators/activation_entropy.hpp"
#include "luq/estimators/entropy.hpp"
#include "luq/estimators/hessian.hpp"
#include "luq/estimators/histogram.hpp"
#include "luq/estimators/kendall_tau.hpp"
#include "luq/estimators/kmeans.hpp"
#include "luq/estimators/token_class.hpp"
#include "luq/estimators/token_reservoir.hpp"

#include "luq/codecs/any_codec.hpp"
#include "luq/codecs/any_packed_matrix.hpp"
#include "luq/codecs/billm_codec.hpp"
#include "luq/codecs/bit_packing.hpp"
#include "luq/codecs/coded_matrix.hpp"
#include "luq/codecs/int_codec.hpp"
#include "luq/codecs/lloyd_codec.hpp"
#include "luq/codecs/lut2_codec.hpp"
#include "luq/codecs/packed_matrix.hpp"
#include "luq/codecs/sign_codec.hpp"
#include "luq/codecs/ternary_codec.hpp"
#include "luq/codecs/tile_layout.hpp"
#include "luq/codecs/weight_codec.hpp"

#include "luq/quantizers/billm.hpp"
#include "luq/quantizers/gptq.hpp"
#include "luq/quantizers/hessian_factor.hpp"
#include "luq/quantizers/output_error.hpp"
#include "luq/quantizers/quantize.hpp"
#include "luq/quantizers/quantizer.hpp"
#include "luq/quantizers/refined.hpp"
#include "luq/quantizers/round_to_nearest.hpp"

#include "luq/kernels/activations.hpp"
#include "luq/kernels/any_matmul.hpp"
#include "luq/kernels/matmul.hpp"
#include "luq/kernels/reference.hpp"
#include "luq/kernels/tile_decoder.hpp"

#include "luq/policy/layer_order.hpp"
#include "luq/policy/model_shape.hpp"
#include "luq/policy/plan.hpp"
#include "luq/policy/prefix_scan.hpp"

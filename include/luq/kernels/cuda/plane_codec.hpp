// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Which codecs have products on a GPU.
#pragma once

#include "luq/codecs/weight_codec.hpp"
#include "luq/kernels/kernel_path.hpp"

namespace luq::cuda {

/// A codec whose components are sums of symbols of its planes, or products of two bits: int, sign, ternary, bcq2,
/// BiLLM. Codecs of tables (Lloyd, trellis) are none; kernel_path.hpp says which are and why.
template <class Codec>
concept PlaneCodec = WeightCodec<Codec> && has_cuda_kernel<Codec>;

}  // namespace luq::cuda

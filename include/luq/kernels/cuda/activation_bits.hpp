// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// To how many bits products on a GPU round activations.
#pragma once

namespace luq::cuda {

/// Activations are rounded to whole numbers of so many bits, times one scale for each token and chunk of columns.
enum class activation_bits {
  eight,    ///< a relative error of about half a percent on normal activations, as activation_mode::int8
  sixteen,  ///< an error below 2^-14 of a chunk's greatest activation
};

}  // namespace luq::cuda

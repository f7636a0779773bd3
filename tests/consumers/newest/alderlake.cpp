// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A processor with AVX-VNNI, which xsimd knows by a name of its own and luq has no kernels for.
#include <Eigen/Core>
#include <luq/kernels/cpu/lanes/integer_lanes.hpp>

static_assert(EIGEN_MAJOR_VERSION >= 5 && XSIMD_VERSION_MAJOR >= 14, "other headers than those of headers.txt");
static_assert(luq::detail::integer_lanes<luq::default_arch>::lanes == 8, "kernels of AVX2");

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A processor with AVX-512 VNNI but without VBMI, which xsimd knows by a name of its own and luq has no kernels for.
#include <luq/kernels/cpu/lanes/integer_lanes.hpp>

static_assert(luq::detail::integer_lanes<luq::default_arch>::lanes == 16, "kernels of AVX-512");

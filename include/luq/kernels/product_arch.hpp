// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The instruction set of a product that names none. Compiled with the program it is the best that the compiler's flags
// allow; with luq::compiled it is the best of the machine that runs the program (dispatch.hpp).
#pragma once

#ifdef LUQ_COMPILED

namespace luq {

/// Stands for the instruction set that luq::dispatch has chosen.
struct dispatched_arch {};

using product_arch = dispatched_arch;

}  // namespace luq

#else

#include "luq/kernels/instruction_set.hpp"

namespace luq {

using product_arch = default_arch;

}  // namespace luq

#endif

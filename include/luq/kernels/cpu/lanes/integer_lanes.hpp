// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What an instruction set does for the integer kernels: integer_lanes_scalar.hpp is the contract, and a plain
// implementation of it for every instruction set that has none of its own.
#pragma once

#include "luq/kernels/cpu/lanes/integer_lanes_avx2.hpp"
#include "luq/kernels/cpu/lanes/integer_lanes_avx512.hpp"
#include "luq/kernels/cpu/lanes/integer_lanes_neon.hpp"
#include "luq/kernels/cpu/lanes/integer_lanes_scalar.hpp"

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// any_device_matrix.hpp with its definitions, for a unit that nvcc compiles.
#pragma once

#include "luq/kernels/cuda/any_device_matrix.hpp"

#ifndef LUQ_COMPILED_CUDA
#include "luq/kernels/cuda/templates/any_device_matrix.cuh"
#endif

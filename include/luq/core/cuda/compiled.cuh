// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The two ways to use what is for GPUs, beside those of luq/core/compiled.hpp.
//
//   header-only   the default: nvcc compiles the unit that includes luq's headers, and their kernels with it
//   compiled      link luq::compiled_cuda, which defines LUQ_COMPILED_CUDA for every unit that links it: kernels of the
//                 codecs of any_codec.hpp are compiled once, in the library, and any C++20 compiler compiles the unit
//
// A header that takes part declares launches of kernels, and ends by including their definitions from a folder
// templates/ unless LUQ_COMPILED_CUDA is defined. For a codec of its own a unit that nvcc compiles includes templates/
// itself.
#pragma once

#ifdef LUQ_COMPILED_CUDA
#define LUQ_CUDA_INLINE
#else
#define LUQ_CUDA_INLINE inline
#endif

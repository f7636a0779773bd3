// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// LUQ_ALWAYS_INLINE, in place of `inline`: for small functions of kernels, for which a call would cost too much, or
// which must not be left to the linker: a function without the instruction set in its name that is compiled for AVX-512
// in one translation unit and for less in another is one function to it, of which it takes either.
#pragma once

#if defined(__GNUC__)
#define LUQ_ALWAYS_INLINE inline __attribute__((always_inline))
#define LUQ_FLATTEN __attribute__((flatten))
#define LUQ_NEVER_INLINE __attribute__((noinline))
#else
#define LUQ_ALWAYS_INLINE inline
#define LUQ_FLATTEN
#define LUQ_NEVER_INLINE
#endif

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// LUQ_ALWAYS_INLINE, in place of `inline`, forces inlining of small functions of kernels. A call would cost too much,
// and may be wrong: an ordinary inline function has one copy in a program, and if one file is compiled with -mavx512f,
// the linker may use that copy everywhere, and the program crashes on older machines. Every helper of a kernel whose
// mangled name does not contain the instruction set needs it.
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

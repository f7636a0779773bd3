// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The two ways to use the library.
//
//   header-only   the default: include what you use, link nothing
//   compiled      link luq::compiled, which defines LUQ_COMPILED for every unit that links it: what is no template is
//                 then declared by headers and compiled once, in the library
//
// A header <area>/<name>.hpp that takes part declares its functions and ends by including <area>/impl/<name>.hpp unless
// LUQ_COMPILED is defined; that defines them, each marked LUQ_INLINE. The library has a unit for each folder impl/,
// which includes all headers there; CMake finds them, so a new one is in no list.
//
// Templates that take long to compile stand in <area>/templates/<name>.hpp, included by the same rule. The library
// instantiates them for the codecs of any_codec; for others a program includes templates.hpp.
#pragma once

#ifdef LUQ_COMPILED
#define LUQ_INLINE
#else
#define LUQ_INLINE inline
#endif

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What a translation unit may look like before it includes luq: with the macros of <windows.h>, which its own headers
// of the standard library and of luq's dependencies came before.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <bitset>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <concepts>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <numbers>
#include <numeric>
#include <optional>
#include <random>
#include <ranges>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <nlohmann/json.hpp>
#include <xsimd/xsimd.hpp>

// <minwindef.h>, <rpcndr.h>, <wingdi.h>, <winuser.h>, <winnt.h>
#define min(a, b) (((a) < (b)) ? (a) : (b))
#define max(a, b) (((a) > (b)) ? (a) : (b))
#define small char
#define hyper __int64
#define near
#define far
#define NEAR
#define FAR
#define interface struct
#define IN
#define OUT
#define OPTIONAL
#define CONST const
#define VOID void
#define TRUE 1
#define FALSE 0
#define ERROR 0
#define NO_ERROR 0
#define DELETE (0x00010000L)
#define STRICT 1
#define ABSOLUTE 1
#define RELATIVE 2
#define TRANSPARENT 1
#define OPAQUE 2
#define RGB(r, g, b) 0
#define Yield()
#define CALLBACK __stdcall
#define PASCAL __stdcall
#define pascal
#define cdecl
// <math.h> of Microsoft's C library, and <sys/sysmacros.h>
#define DOMAIN 1
#define OVERFLOW 3
#define UNDERFLOW 4
#define major(device) gnu_dev_major(device)
#define minor(device) gnu_dev_minor(device)

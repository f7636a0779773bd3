// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// LUQ_ASSERT(condition) states a precondition whose violation is a bug of the caller: an index out of range, two
// views of different shape. It is the standard assert unless the including program defines its own. Bad *data*
// (a NaN weight, a corrupt file) is never asserted: it throws luq::error (core/error.hpp).
#pragma once

#include <cassert>

#ifndef LUQ_ASSERT
#define LUQ_ASSERT(condition) assert(condition)
#endif

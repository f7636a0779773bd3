// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A private name in a public header, and headers that include each other.
#pragma once

#include "luq/core/detail/first.hpp"

namespace luq::detail {

struct hidden {};

}  // namespace luq::detail

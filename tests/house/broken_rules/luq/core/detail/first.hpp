// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A public name in a private header.
#pragma once

#include "luq/core/circle.hpp"

namespace luq {

struct shown {};

}  // namespace luq

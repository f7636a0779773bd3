// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The name of stage_table.hpp, for dispatch.hpp, which only points to tables.
#pragma once

namespace luq::detail {

struct stage_table;

}  // namespace luq::detail

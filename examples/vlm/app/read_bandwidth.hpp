// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// How fast a machine merely reads some buffers: the time below which no product with them can fall while they do not
// fit into a cache. Each thread reads its own part of every buffer from front to back, as products do. A figure is
// worth comparing with one of the same minute only: on shared machines it changes by half within an hour.
#pragma once

#include <cstddef>
#include <luq/core/openmp_executor.hpp>
#include <span>
#include <vector>

namespace vlm {

/// Bytes a second at which `executor` reads all buffers, one after the other; again and again for 20 ms at least, so
/// that buffers which fit into a cache give the bandwidth of the cache.
/// @param buffers  not all empty
[[nodiscard]] double read_bandwidth(const std::vector<std::span<const std::byte>>& buffers,
                                    const luq::openmp_executor& executor);

}  // namespace vlm

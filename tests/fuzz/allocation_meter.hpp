// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// How much memory was allocated at once, at most, since a meter was made. It counts where the address sanitizer tells
// of allocations, and stays at zero elsewhere. For one thread, and one meter at a time.
#pragma once

#include <cstddef>

namespace luq_fuzz {

class allocation_meter {
 public:
  allocation_meter();
  ~allocation_meter();
  allocation_meter(const allocation_meter&) = delete;
  allocation_meter& operator=(const allocation_meter&) = delete;

  /// Bytes.
  [[nodiscard]] std::size_t peak() const;
};

}  // namespace luq_fuzz

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The definitions of luq/io/files/text_file.hpp.
//
// IWYU pragma: private, include "luq/io/files/text_file.hpp"
#pragma once

#include "luq/io/files/text_file.hpp"

#include <span>

#include "luq/core/compiled.hpp"
#include "luq/io/files/detail/atomic_file.hpp"

namespace luq {

LUQ_INLINE void write_text_file(const std::filesystem::path& path, std::string_view content) {
  detail::atomic_file file(path);
  file.reserve(content.size());
  file.write_at(0, std::as_bytes(std::span<const char>(content)));
  file.commit();
}

}  // namespace luq

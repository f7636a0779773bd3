// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Writes a text as a file: the file has either its old content or all of the new one (detail/atomic_file.hpp).
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

#include "luq/io/files/detail/atomic_file.hpp"

namespace luq {

/// Replaces the content of a file, or makes it.
/// @throws luq::error io_failure; an older file of that name is then untouched
inline void write_text_file(const std::filesystem::path& path, std::string_view content) {
  detail::atomic_file file(path);
  file.reserve(content.size());
  file.write_at(0, std::as_bytes(std::span<const char>(content)));
  file.commit();
}

}  // namespace luq

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Writes a text as a file: the file has either its old content or all of the new one (detail/atomic_file.hpp).
#pragma once

#include <filesystem>
#include <string_view>

namespace luq {

/// Replaces the content of a file, or makes it.
/// @throws luq::error io_failure; an older file of that name is then untouched
void write_text_file(const std::filesystem::path& path, std::string_view content);

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/io/files/impl/text_file.hpp"
#endif

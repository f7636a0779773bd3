// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Whether there is a folder to write to.
#pragma once

#include <filesystem>

#include "luq/core/error.hpp"

namespace vlm {

/// Finds out before long work, not after it, that its result cannot be written: luq::errc::io_failure.
inline void require_folder_of(const std::filesystem::path& output) {
  const std::filesystem::path folder = output.parent_path();
  if (folder.empty() || std::filesystem::is_directory(folder)) return;
  luq::fail(luq::errc::io_failure, output.string(), ": cannot be written: there is no folder ", folder.string());
}

}  // namespace vlm

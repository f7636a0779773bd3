// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Which files a command reads, so that it does not overwrite one of them.
#pragma once

#include <filesystem>
#include <vector>

namespace vlm {

/// The configuration, the tensors and, of several files, their index.
/// @throws luq::error io_failure if `directory` is no model directory, corrupt_file for an index that is none
[[nodiscard]] std::vector<std::filesystem::path> model_files(const std::filesystem::path& directory);

}  // namespace vlm

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "model_files.hpp"

#include <luq/io/safetensors/checkpoint.hpp>

namespace vlm {

std::vector<std::filesystem::path> model_files(const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> files = luq::checkpoint_files(directory);
  files.push_back(directory / "config.json");
  return files;
}

}  // namespace vlm

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Finds out before long work, not after it, that its result could not be written. The checks try: permissions do not
// say what a read-only disk, /proc or a container allows, and a superuser has all of them. What they try is what the
// writers of this library do (detail/atomic_file.hpp): a temporary file beside the target, which then takes its name.
// No check changes an existing file, and nothing stays behind.
//
// A check holds for the moment it is made. It says nothing of space: writers reserve it (detail/atomic_file.hpp).
#pragma once

#include <filesystem>
#include <span>
#include <string>

namespace luq {

/// Proves that a file can be written: its folder is there and a file can be made in it, and if there is something of
/// that name, it is a regular file that may be replaced.
/// @throws luq::error io_failure
void require_creatable(const std::filesystem::path& file);

/// Proves that all files that some work will write can be written, that they are different ones, and that none of them
/// is one that the work reads.
/// @param outputs  files
/// @param inputs   files, which need not exist
/// @throws luq::error invalid_argument if an output is an input or another output, or as require_creatable()
void require_outputs(std::span<const std::filesystem::path> outputs,
                     std::span<const std::filesystem::path> inputs = {});

/// Proves that files can be written in a folder, which is there or can be made, with the folders above it. A folder
/// made for the proof is removed.
/// @param files  names in the folder
/// @param inputs as for require_outputs()
/// @throws luq::error as require_outputs()
void require_output_folder(const std::filesystem::path& folder, std::span<const std::string> files,
                           std::span<const std::filesystem::path> inputs = {});

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/io/files/impl/output_check.hpp"
#endif

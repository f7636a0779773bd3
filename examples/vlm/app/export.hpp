// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Plans and packed decoders in the formats of other programs. For every target, what it cannot hold is found before any
// work; what the linter of exports would change is printed; one line at the end says what was written.
//
//   tensor-type-file  plan, for llama-quantize --tensor-type-file
//   custom-q          plan, for llama-quantize --custom-q of ik_llama.cpp
//   imatrix           calibrated model, for llama-quantize --imatrix: importance of inputs over text and image tokens
//   gguf              packed decoder as a model that llama.cpp runs, without loss
//   gptq              packed decoder as a GPTQ checkpoint directory
#pragma once

#include <array>
#include <filesystem>
#include <iosfwd>
#include <luq/core/progress.hpp>
#include <luq/io/exports/export_linter.hpp>
#include <luq/io/llama_cpp/llama_cpp_decoder.hpp>
#include <luq/policy/plan.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "settings.hpp"

namespace vlm {

inline constexpr std::array<std::string_view, 5> export_targets{"tensor-type-file", "custom-q", "imatrix", "gguf",
                                                                "gptq"};

struct export_options {
  std::string target{};               ///< one of export_targets
  std::filesystem::path plan_file{};  ///< JSON, of tensor-type-file and custom-q
  std::filesystem::path packed{};     ///< packed file, of gguf and gptq
  std::filesystem::path like{};       ///< of gguf: a GGUF of the same model that has the rest; empty for the checkpoint
  std::vector<std::string> types{};   ///< of tensor-type-file and custom-q: CODEC=TYPE
  std::filesystem::path output{};     ///< a file; of gptq a directory, new or empty
};

/// @throws luq::error invalid_argument for an option that the target needs or has not
void run_export(const settings& s, const export_options& options, luq::progress_observer* progress);

// The targets, one source file each.
void export_llama_quantize_plan(const export_options& options);
void export_imatrix(const settings& s, const export_options& options, luq::progress_observer* progress);
void export_gguf(const settings& s, const export_options& options);
void export_gptq(const settings& s, const export_options& options);

/// What the linter would change for a target, one line for each finding.
void print_findings(std::ostream& out, std::string_view target, const std::vector<luq::export_finding>& findings);

/// "PATH: 1234 bytes: CONTENT".
void print_written(std::ostream& out, const std::filesystem::path& path, std::uintmax_t bytes,
                   const std::string& content);

/// The decoder of a model directory, as llama.cpp is told of it.
/// @throws luq::error as read_model_config(), unsupported for what llama.cpp would compute differently
[[nodiscard]] luq::llama_cpp_decoder llama_cpp_decoder_of(const std::filesystem::path& model);

}  // namespace vlm

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The bytes of a model under plans, without its weights: of the two checkpoints that LUQ was published with, or of a
// directory, of whose safetensors files the headers alone are read. Plans are those of a file, or made of two forms of
// storage as `bench` makes them; beside codecs of luq, types of ggml are taken, so that deployments as GGUF files can
// be put in the same table.
#pragma once

#include <filesystem>
#include <luq/io/safetensors/checkpoint.hpp>
#include <luq/policy/ledger.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../report/document.hpp"

namespace vlm {

/// A model to account for.
struct ledger_subject {
  std::string name;
  luq::checkpoint_shape shape;
  luq::index low_layers = 0;  ///< of LUQ's published plan; half of those of a directory
  double saving = 0.4;        ///< that LUQ claims against 4 bits

  [[nodiscard]] luq::index layers() const;  ///< of the decoder
};

/// Names, shapes and types of a checkpoint's tensors.
/// @throws luq::error unsupported for a name that has no place in the model, and for a type other than F16, BF16, F32
///   and F64, as a checkpoint that is quantized already has
[[nodiscard]] luq::checkpoint_shape shape_of(const luq::checkpoint& tensors);

/// @param name  llava-1.5-7b, qwen2.5-vl-7b, or a model directory
/// @throws luq::error invalid_argument for a name that is neither, or as luq::checkpoint and shape_of()
[[nodiscard]] ledger_subject ledger_subject_by_name(const std::string& name);

/// A type of ggml, such as bf16 or q4_k, in any case; or a codec.
/// @throws luq::error invalid_argument
[[nodiscard]] luq::weight_storage parse_storage(std::string_view text);

/// Texts are for parse_storage(); an empty one leaves a part as it is in the checkpoint.
struct ledger_options {
  std::string shapes;               ///< for ledger_subject_by_name()
  std::filesystem::path plan_file;  ///< empty for plans made of what follows
  std::vector<std::string> low{"billm:g128",     "bcq2:g128", "trellis2:g0", "ternary:g128",
                               "trellis1.58:g0", "sign:g128", "trellis1:g0"};  ///< a plan for each
  std::string high = "int4:g128";
  std::optional<luq::index> low_layers;  ///< else as in LUQ's published plan
  std::string rival = "int4:g128";       ///< of all decoder layers of the model that plans are compared with
  std::optional<double> saving;          ///< share of the rival's decoder to save; else what LUQ claims
  std::string norms;                     ///< and biases of the decoder
  std::string embedding;
  std::string head;
  std::string projector;
  std::string vision;
  bool json = false;
};

/// What a plan comes to.
struct planned_ledger {
  std::string plan;
  luq::ledger bytes;
  /// How many low layers save ledger_comparison::saving, if any number does and the plan is made of two forms.
  std::optional<luq::index> low_layers_for_saving;
};

/// Plans of one model, beside a uniform decoder with all other parts the same.
struct ledger_comparison {
  ledger_subject subject;
  std::vector<planned_ledger> plans;
  std::string rival_name;
  luq::ledger rival;
  double saving = 0;
};

/// @throws luq::error for names that there are none of, for a plan file io_failure, corrupt_file, or shape_mismatch if
///   it is of another model, and as luq::make_ledger()
[[nodiscard]] ledger_comparison make_ledgers(const ledger_options& options);

/// Every part of a model, and sums.
[[nodiscard]] table ledger_table(const luq::ledger& bytes);

/// A row for each plan, and the rival's.
[[nodiscard]] table comparison_table(const ledger_comparison& comparison);

/// All figures, and names of plans and parts.
[[nodiscard]] std::string ledger_json(const ledger_comparison& comparison);

}  // namespace vlm

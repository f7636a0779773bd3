// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A packed model as one safetensors file, format 2 of luq (docs/format.md). Each linear of the plan is a tensor
// NAME.packed, U8 [bytes], its packed matrix as it is in memory, transform included; whatever else the model needs
// (embeddings, norms, a vision tower) stands beside it under its own name and type. Names that end in ".packed" belong to
// linears alone. The metadata explains the file:
//
//   "luq.format"  "2"
//   "luq.stored"  {"hadamard":1,"int4":1}   the stored forms of its matrices, codecs and transforms, and their versions
//   "luq.plan"    the plan as JSON (plan_json.hpp), with the recipe of every layer
//
// Size: the data are the plan's total_bytes() and the other tensors, nothing else; the safetensors header before them
// (names, shapes, the plan's text) comes on top and is reported apart.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "luq/codecs/any_packed_matrix.hpp"
#include "luq/io/safetensors/safetensors.hpp"
#include "luq/io/safetensors/tensor_source.hpp"
#include "luq/policy/plan.hpp"

namespace luq {

/// Packed linears, by layer and then in the order of the plan's shape.
using packed_layers = std::vector<std::vector<const any_packed_matrix*>>;

/// Where the bytes of a packed model file are.
struct packed_model_size {
  std::uint64_t header = 0;   ///< length field and JSON header
  std::uint64_t linears = 0;  ///< packed matrices: the plan's total_bytes()
  std::uint64_t others = 0;   ///< all other tensors

  [[nodiscard]] std::uint64_t file() const { return header + linears + others; }
};

/// The size of the file that write_packed_model() would write, computed from the plan alone.
/// @throws luq::error invalid_argument for names that a safetensors file cannot hold or that two tensors have, and as
///   require_consistent()
[[nodiscard]] packed_model_size predict_packed_model_size(const plan& p, std::span<const tensor_source> others = {});

/// Writes a packed model atomically.
/// @param weights  one matrix per linear of the plan, of its shape, codec and transform
/// @param others   further tensors, written as they are
/// @throws luq::error shape_mismatch if weights and plan differ, io_failure, or as predict_packed_model_size(); a file
///   that was there before is then untouched
void write_packed_model(const std::filesystem::path& path, const plan& p, const packed_layers& weights,
                        std::span<const tensor_source> others = {});

/// A packed model file, open. The other tensors are read through file().
class packed_model {
 public:
  /// Reads and checks the plan and every linear.
  /// @throws luq::error io_failure, corrupt_file if the file is no packed model, contradicts its own plan or holds a
  ///   non-finite scale, unsupported for another version of the format or of a
  ///   stored form
  explicit packed_model(const std::filesystem::path& path);

  [[nodiscard]] const plan& planned() const { return plan_; }

  /// The linears, by layer and in the order of the plan's shape.
  [[nodiscard]] const std::vector<std::vector<any_packed_matrix>>& layers() const { return layers_; }

  /// The file, for the tensors that are not packed.
  [[nodiscard]] const safetensors_reader& file() const { return file_; }

  [[nodiscard]] packed_model_size size() const;

 private:
  void require_no_other_linears() const;
  [[nodiscard]] any_packed_matrix read_linear(const linear_shape& linear, const recipe& how) const;
  void require_known_forms() const;

  safetensors_reader file_;
  plan plan_;
  std::vector<std::vector<any_packed_matrix>> layers_;
};

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/io/luq/impl/packed_model.hpp"
#endif

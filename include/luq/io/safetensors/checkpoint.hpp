// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The tensors of a Hugging Face model directory, by name, whether they are in one file or in several ("shards"):
//
//   model.safetensors                    all tensors; taken if it exists, as transformers does
//   model.safetensors.index.json         {"metadata": {"total_size": ...}, "weight_map": {"tensor": "shard", ...}}
//
// Checked of an index, beyond the shards' own checks: a shard is a plain file name that ends in .safetensors, so that
// nothing outside the directory is read; each mapped tensor is in its shard; no tensor is in two shards. The stated
// total size is advisory and ignored. The map tells which files are shards; a tensor of a shard that is not in the map
// belongs to the model like the others, as in transformers 5.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "luq/core/matrix_view.hpp"
#include "luq/io/safetensors/safetensors.hpp"
#include "luq/io/safetensors/safetensors_limits.hpp"
#include "luq/io/tensors/tensor_info.hpp"

namespace luq {

/// The files of a model directory that hold its tensors and their places, known before any of them is opened but the
/// index.
/// @throws luq::error io_failure if it is no model directory, corrupt_file for an index that is none
[[nodiscard]] std::vector<std::filesystem::path> checkpoint_files(const std::filesystem::path& directory);

/// All tensors of a model directory. Files stay mapped while it lives. Reading is const and thread-safe. Move-only.
class checkpoint {
 public:
  /// Opens every file of the model and checks them against one another.
  /// @throws luq::error io_failure if a file is missing or unreadable, corrupt_file, unsupported
  explicit checkpoint(const std::filesystem::path& directory, const safetensors_limits& limits = {});

  /// The names in ascending byte order.
  [[nodiscard]] std::vector<std::string> names() const;

  [[nodiscard]] bool contains(std::string_view name) const { return shard_of_.find(name) != shard_of_.end(); }

  /// The file that holds a tensor.
  /// @throws luq::error invalid_argument if there is no such tensor
  [[nodiscard]] const safetensors_reader& shard_of(std::string_view name) const;

  /// The files, each once.
  [[nodiscard]] const std::vector<safetensors_reader>& shards() const noexcept { return shards_; }

  /// These are safetensors_reader's members of the same name, with the same errors.
  [[nodiscard]] const tensor_info& info(std::string_view name) const { return shard_of(name).info(name); }
  [[nodiscard]] const std::vector<index>& shape(std::string_view name) const { return shard_of(name).shape(name); }
  [[nodiscard]] std::span<const std::byte> bytes(std::string_view name) const { return shard_of(name).bytes(name); }

  [[nodiscard]] std::vector<float> read_floats(std::string_view name, const float_read_options& options = {}) const;

  void read_floats_into(std::string_view name, std::span<float> target, const float_read_options& options = {}) const;

  [[nodiscard]] matrix read_matrix(std::string_view name, const float_read_options& options = {}) const;

  template <std::integral Integer = std::int64_t>
  [[nodiscard]] std::vector<Integer> read_integers(std::string_view name) const {
    return shard_of(name).template read_integers<Integer>(name);
  }

 private:
  using name_map = std::map<std::string, std::size_t, std::less<>>;

  void open_shards(const std::filesystem::path& directory, const std::filesystem::path& index_file,
                   const safetensors_limits& limits);
  void check_against_index(const std::string& source, const std::vector<std::string>& file_names) const;

  std::string source_;
  std::vector<safetensors_reader> shards_;
  name_map shard_of_;  // position in shards_ of each tensor
};

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/io/safetensors/impl/checkpoint.hpp"
#endif

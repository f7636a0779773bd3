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
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "luq/core/error.hpp"
#include "luq/core/matrix_view.hpp"
#include "luq/io/files/detail/printable.hpp"
#include "luq/io/files/strict_json.hpp"
#include "luq/io/safetensors/safetensors.hpp"
#include "luq/io/tensors/tensor_info.hpp"

namespace luq {

namespace detail {

/// A name that cannot leave the directory on any system.
[[nodiscard]] inline bool is_shard_name(std::string_view name) {
  for (const char character : name) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte < 0x20 || byte == 0x7f || character == '/' || character == '\\' || character == ':') return false;
  }
  return name.size() <= 255 && name.find("..") == std::string_view::npos && name.ends_with(".safetensors");
}

/// The shard of each tensor, as an index file says.
/// @throws luq::error io_failure, corrupt_file
[[nodiscard]] inline std::map<std::string, std::string> read_weight_map(const std::filesystem::path& index_file) {
  const std::string source = index_file.string();
  const nlohmann::json root = read_strict_json(index_file);
  if (!root.is_object() || !root.contains("weight_map") || !root["weight_map"].is_object()) {
    fail(errc::corrupt_file, source, ": expected an object with an object weight_map");
  }
  if (root["weight_map"].empty()) fail(errc::corrupt_file, source, ": weight_map is empty");
  std::map<std::string, std::string> shards;
  for (const auto& [name, shard] : root["weight_map"].items()) {
    if (!shard.is_string()) {
      fail(errc::corrupt_file, source, ": weight_map: tensor ", in_quotes(name), ": expected a file name, got ",
           shard.type_name());
    }
    const auto& file_name = shard.get_ref<const std::string&>();
    if (!is_shard_name(file_name)) {
      fail(errc::corrupt_file, source, ": weight_map: tensor ", in_quotes(name),
           ": expected a plain .safetensors file name, got ", in_quotes(file_name));
    }
    shards.emplace(name, file_name);
  }
  return shards;
}

/// Whether a model directory has all of its tensors in one file; false if it has an index of several.
/// @throws luq::error io_failure if it is no model directory
[[nodiscard]] inline bool is_single_file_model(const std::filesystem::path& directory) {
  std::error_code ignored;
  if (std::filesystem::exists(directory / "model.safetensors", ignored)) return true;
  if (std::filesystem::exists(directory / "model.safetensors.index.json", ignored)) return false;
  if (!std::filesystem::is_directory(directory, ignored)) {
    fail(errc::io_failure, directory.string(), ": expected a model directory, got ",
         std::filesystem::exists(directory, ignored) ? "something else" : "nothing of that name");
  }
  fail(errc::io_failure, directory.string(), ": holds neither model.safetensors nor model.safetensors.index.json");
}

}  // namespace detail

/// The files of a model directory that hold its tensors and their places, known before any of them is opened but the
/// index.
/// @throws luq::error io_failure if it is no model directory, corrupt_file for an index that is none
[[nodiscard]] inline std::vector<std::filesystem::path> checkpoint_files(const std::filesystem::path& directory) {
  if (detail::is_single_file_model(directory)) return {directory / "model.safetensors"};
  const std::filesystem::path index_file = directory / "model.safetensors.index.json";
  std::set<std::string> shards;
  for (const auto& [name, shard] : detail::read_weight_map(index_file)) shards.insert(shard);
  std::vector<std::filesystem::path> files{index_file};
  for (const std::string& shard : shards) files.push_back(directory / shard);
  return files;
}

/// All tensors of a model directory. Files stay mapped while it lives. Reading is const and thread-safe. Move-only.
class checkpoint {
 public:
  /// Opens every file of the model and checks them against one another.
  /// @throws luq::error io_failure if a file is missing or unreadable, corrupt_file, unsupported
  explicit checkpoint(const std::filesystem::path& directory, const safetensors_limits& limits = {})
      : source_(directory.string()) {
    if (detail::is_single_file_model(directory)) {
      shards_.emplace_back(directory / "model.safetensors", limits);
      for (const tensor_info& tensor : shards_[0].tensors()) shard_of_.emplace(tensor.name, 0);
    } else {
      open_shards(directory, directory / "model.safetensors.index.json", limits);
    }
  }

  /// The names in ascending byte order.
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> result;
    result.reserve(shard_of_.size());
    for (const auto& [name, shard] : shard_of_) result.push_back(name);
    return result;
  }

  [[nodiscard]] bool contains(std::string_view name) const { return shard_of_.find(name) != shard_of_.end(); }

  /// The file that holds a tensor.
  /// @throws luq::error invalid_argument if there is no such tensor
  [[nodiscard]] const safetensors_reader& shard_of(std::string_view name) const {
    const auto entry = shard_of_.find(name);
    if (entry == shard_of_.end())
      fail(errc::invalid_argument, source_, ": no tensor is named ", detail::in_quotes(name));
    return shards_[entry->second];
  }

  /// The files, each once.
  [[nodiscard]] const std::vector<safetensors_reader>& shards() const noexcept { return shards_; }

  /// These are safetensors_reader's members of the same name, with the same errors.
  [[nodiscard]] const tensor_info& info(std::string_view name) const { return shard_of(name).info(name); }
  [[nodiscard]] const std::vector<index>& shape(std::string_view name) const { return shard_of(name).shape(name); }
  [[nodiscard]] std::span<const std::byte> bytes(std::string_view name) const { return shard_of(name).bytes(name); }

  [[nodiscard]] std::vector<float> read_floats(std::string_view name, const float_read_options& options = {}) const {
    return shard_of(name).read_floats(name, options);
  }

  void read_floats_into(std::string_view name, std::span<float> target, const float_read_options& options = {}) const {
    shard_of(name).read_floats_into(name, target, options);
  }

  [[nodiscard]] matrix read_matrix(std::string_view name, const float_read_options& options = {}) const {
    return shard_of(name).read_matrix(name, options);
  }

  template <std::integral Integer = std::int64_t>
  [[nodiscard]] std::vector<Integer> read_integers(std::string_view name) const {
    return shard_of(name).template read_integers<Integer>(name);
  }

 private:
  using name_map = std::map<std::string, std::size_t, std::less<>>;

  void open_shards(const std::filesystem::path& directory, const std::filesystem::path& index_file,
                   const safetensors_limits& limits) {
    name_map shard_numbers;
    for (const auto& [name, file_name] : detail::read_weight_map(index_file)) {
      shard_of_.emplace(name, shard_numbers.try_emplace(file_name, shard_numbers.size()).first->second);
    }

    std::vector<std::string> file_names(shard_numbers.size());
    for (const auto& [file_name, number] : shard_numbers) file_names[number] = file_name;
    for (const std::string& file_name : file_names) shards_.emplace_back(directory / file_name, limits);
    check_against_index(index_file.string(), file_names);
    for (std::size_t number = 0; number < shards_.size(); ++number) {
      for (const tensor_info& tensor : shards_[number].tensors()) shard_of_.try_emplace(tensor.name, number);
    }
  }

  void check_against_index(const std::string& source, const std::vector<std::string>& file_names) const {
    for (const auto& [name, number] : shard_of_) {
      if (!shards_[number].contains(name)) {
        fail(errc::corrupt_file, source, ": weight_map: tensor ", detail::in_quotes(name), " is not in ",
             file_names[number]);
      }
    }
    name_map holders;
    for (std::size_t number = 0; number < shards_.size(); ++number) {
      for (const tensor_info& tensor : shards_[number].tensors()) {
        const auto [holder, is_new] = holders.try_emplace(tensor.name, number);
        if (!is_new) {
          fail(errc::corrupt_file, source, ": tensor ", detail::in_quotes(tensor.name), " is in both ",
               file_names[holder->second], " and ", file_names[number]);
        }
      }
    }
  }

  std::string source_;
  std::vector<safetensors_reader> shards_;
  name_map shard_of_;  // position in shards_ of each tensor
};

}  // namespace luq

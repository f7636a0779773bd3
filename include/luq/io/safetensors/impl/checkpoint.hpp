// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The definitions of luq/io/safetensors/checkpoint.hpp.
//
// IWYU pragma: private, include "luq/io/safetensors/checkpoint.hpp"
#pragma once

#include "luq/io/safetensors/checkpoint.hpp"

#include <nlohmann/json.hpp>
#include <set>
#include <system_error>

#include "luq/core/compiled.hpp"
#include "luq/core/error.hpp"
#include "luq/io/files/detail/printable.hpp"
#include "luq/io/files/strict_json.hpp"

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

LUQ_INLINE std::vector<std::filesystem::path> checkpoint_files(const std::filesystem::path& directory) {
  if (detail::is_single_file_model(directory)) return {directory / "model.safetensors"};
  const std::filesystem::path index_file = directory / "model.safetensors.index.json";
  std::set<std::string> shards;
  for (const auto& [name, shard] : detail::read_weight_map(index_file)) shards.insert(shard);
  std::vector<std::filesystem::path> files{index_file};
  for (const std::string& shard : shards) files.push_back(directory / shard);
  return files;
}

LUQ_INLINE checkpoint::checkpoint(const std::filesystem::path& directory, const safetensors_limits& limits)
    : source_(directory.string()) {
  if (detail::is_single_file_model(directory)) {
    shards_.emplace_back(directory / "model.safetensors", limits);
    for (const tensor_info& tensor : shards_[0].tensors()) shard_of_.emplace(tensor.name, 0);
  } else {
    open_shards(directory, directory / "model.safetensors.index.json", limits);
  }
}

LUQ_INLINE std::vector<std::string> checkpoint::names() const {
  std::vector<std::string> result;
  result.reserve(shard_of_.size());
  for (const auto& [name, shard] : shard_of_) result.push_back(name);
  return result;
}

LUQ_INLINE const safetensors_reader& checkpoint::shard_of(std::string_view name) const {
  const auto entry = shard_of_.find(name);
  if (entry == shard_of_.end()) fail(errc::invalid_argument, source_, ": no tensor is named ", detail::in_quotes(name));
  return shards_[entry->second];
}

LUQ_INLINE std::vector<float> checkpoint::read_floats(std::string_view name, const float_read_options& options) const {
  return shard_of(name).read_floats(name, options);
}

LUQ_INLINE void checkpoint::read_floats_into(std::string_view name, std::span<float> target,
                                             const float_read_options& options) const {
  shard_of(name).read_floats_into(name, target, options);
}

LUQ_INLINE matrix checkpoint::read_matrix(std::string_view name, const float_read_options& options) const {
  return shard_of(name).read_matrix(name, options);
}

LUQ_INLINE void checkpoint::open_shards(const std::filesystem::path& directory, const std::filesystem::path& index_file,
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

LUQ_INLINE void checkpoint::check_against_index(const std::string& source,
                                                const std::vector<std::string>& file_names) const {
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

}  // namespace luq

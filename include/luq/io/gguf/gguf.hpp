// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A strict reader of GGUF files, version 3 and its little-endian twin 2 (ggml: docs/gguf.md, src/gguf.cpp):
//
//   | "GGUF" | u32 version | u64 tensors | u64 keys | keys with values | tensor infos | padding | data of the tensors |
//
//   tensor info: | u64 length, name | u32 extents n | n x i64 extent, fastest first | i32 type | u64 offset in data |
//
// All numbers are little-endian. The data of each tensor are padded to the alignment, 32 unless general.alignment says
// otherwise. What ggml reads is read here: keys that are not ASCII, a bool of any byte, alignments down to 1, and a
// file that goes on behind the last tensor; what is there belongs to no tensor and is not given out. Stricter than
// ggml: a key holds no zero byte, at which ggml would cut it when it looks for it, and a tensor's name is not empty and
// holds no control character. The checks are listed in detail/gguf_header.hpp. The text of string values is not
// checked: it should be UTF-8, and is any bytes.
//
// Types of ggml that are not in ggml_type.hpp make a tensor unreadable, not the file.
//
// Shapes have the slowest extent first, as in safetensors, [out, in] for a linear layer: the reverse of ggml's ne.
//
// Not a decoder of blocks: data are bytes of the tensor's type (ggml_blocks.hpp reads some). Not a writer
// (gguf_writer.hpp), and not for models split into several files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "luq/io/files/detail/input_file.hpp"
#include "luq/io/gguf/detail/alternatives.hpp"
#include "luq/io/gguf/detail/gguf_header.hpp"
#include "luq/io/gguf/gguf_tensor_info.hpp"
#include "luq/io/gguf/gguf_value.hpp"

namespace luq {

/// One GGUF file, or its bytes in memory. Everything is checked on construction; reading a tensor then fails only
/// because its type is unknown or the file is changed meanwhile.
///
/// Reading is const and may be done from several threads at once. Move-only.
class gguf_reader {
 public:
  /// Maps a file into memory.
  /// @throws luq::error io_failure if it cannot be opened or is not a regular file, corrupt_file if it violates the
  ///   format, unsupported for another version or a big-endian file
  explicit gguf_reader(const std::filesystem::path& path);

  /// Reads a file that is already in memory, which must outlive the reader.
  /// @param source  names the bytes in messages
  gguf_reader(std::span<const std::byte> file, std::string source);

  gguf_reader(gguf_reader&&) noexcept = default;
  gguf_reader& operator=(gguf_reader&&) noexcept = default;

  /// The path, or the name given to the bytes.
  [[nodiscard]] const std::string& source() const noexcept { return source_; }

  /// Size of the file in bytes, with what stands behind the last tensor.
  [[nodiscard]] std::uint64_t file_bytes() const noexcept { return bytes_.size(); }

  /// Bytes before the first tensor's data, padding included.
  [[nodiscard]] std::uint64_t header_bytes() const noexcept { return header_.data_begin; }

  [[nodiscard]] std::uint32_t version() const noexcept { return header_.version; }

  /// What the beginning of each tensor's data is a multiple of, in bytes.
  [[nodiscard]] std::uint64_t alignment() const noexcept { return header_.alignment; }

  /// Keys and values in the order of the file.
  [[nodiscard]] const std::vector<gguf_entry>& metadata() const noexcept { return header_.entries; }

  /// The value of a key, or null.
  [[nodiscard]] const gguf_value* find_value(std::string_view key) const noexcept;

  /// The value of a key that must be there.
  /// @tparam T  a plain type of gguf_value, or std::vector of one
  /// @throws luq::error invalid_argument if there is no such key, unsupported if its value has another type
  template <class T>
  [[nodiscard]] const T& value(std::string_view key) const {
    const gguf_value& found = require_value(key);
    const T* result = nullptr;
    if constexpr (detail::is_alternative<T, gguf_value>) {
      result = std::get_if<T>(&found);
    } else if (const auto* const elements = std::get_if<gguf_array>(&found)) {
      result = std::get_if<T>(elements);
    }
    if (result == nullptr) refuse_type(key, found);
    return *result;
  }

  /// The tensors in the order of their data.
  [[nodiscard]] const std::vector<gguf_tensor_info>& tensors() const noexcept { return header_.tensors; }

  [[nodiscard]] bool contains(std::string_view name) const noexcept { return find(name) != nullptr; }

  /// @throws luq::error invalid_argument if there is no such tensor
  [[nodiscard]] const gguf_tensor_info& info(std::string_view name) const;

  /// The data as stored, without padding, valid as long as the reader.
  /// @throws luq::error invalid_argument if there is no such tensor, unsupported if its type is unknown, io_failure if
  ///   the file's size has changed
  [[nodiscard]] std::span<const std::byte> bytes(std::string_view name) const;

 private:
  /// @throws luq::error invalid_argument if there is no such key
  [[nodiscard]] const gguf_value& require_value(std::string_view key) const;
  [[noreturn]] void refuse_type(std::string_view key, const gguf_value& found) const;
  [[nodiscard]] const gguf_tensor_info* find(std::string_view name) const noexcept;

  std::string source_;
  std::optional<detail::input_file> file_;  // empty when the bytes belong to the caller
  std::span<const std::byte> bytes_;
  detail::gguf_header header_;
};

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/io/gguf/impl/gguf.hpp"
#endif

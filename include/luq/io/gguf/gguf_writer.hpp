// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Writes GGUF files of version 3 (layout: gguf.hpp). Keys and tensors stand in the file in the order in which they are
// given, and every padding, the last one too, is written as zeros: the bytes depend on nothing but the content, and are
// those that ggml writes for it. The alignment is that of the key general.alignment, which the caller may give, or 32.
//
// The file appears under its name only when it is complete (files/detail/atomic_file.hpp).
//
//   luq::gguf_writer writer("x.gguf", {{"blk.0.ffn_up.weight", luq::ggml_type::q1_0, {384, 128}}},
//                           {{"general.architecture", "llama"}, {"general.quantization_version", std::uint32_t{2}}});
//   writer.write("blk.0.ffn_up.weight", blocks);                          // any order, each tensor once
//   writer.commit();
//
// Says nothing about which keys a model needs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "luq/core/index.hpp"
#include "luq/io/files/detail/atomic_file.hpp"
#include "luq/io/gguf/ggml_type.hpp"
#include "luq/io/gguf/gguf_tensor_info.hpp"
#include "luq/io/gguf/gguf_value.hpp"
#include "luq/io/tensors/detail/pending_tensors.hpp"

namespace luq {

/// A tensor to be written, without its data.
struct gguf_declaration {
  std::string name;            ///< 1 to 63 bytes without control characters
  ggml_type type;              ///< any of the table of ggml_type.hpp
  std::vector<index> shape{};  ///< at most 4 extents >= 0, slowest first; the last one in whole blocks of the type
};

/// A tensor to be written, with its data in the caller's memory.
struct gguf_source {
  gguf_declaration declaration;
  std::span<const std::byte> data;  ///< row-major, little-endian, rows of blocks of the type
};

/// Where everything in a file will be, known before any data is.
struct gguf_layout {
  std::string header;                     ///< the bytes before the first tensor's data, padding included
  std::vector<gguf_tensor_info> tensors;  ///< in the order of their data
  std::uint64_t alignment = 32;           ///< of the tensors' data, the format's default

  /// Bytes of the tensors' data, paddings included.
  [[nodiscard]] std::uint64_t data_bytes() const noexcept;
  [[nodiscard]] std::uint64_t file_bytes() const noexcept { return header.size() + data_bytes(); }
};

/// The header and the places of tensors, in the order given; what it describes, gguf_reader accepts.
/// @throws luq::error invalid_argument for a key, value, name, type or shape that the format or ggml's limits forbid,
///   or a key or name given twice
[[nodiscard]] gguf_layout make_gguf_layout(std::vector<gguf_declaration> declarations,
                                           const std::vector<gguf_entry>& metadata = {});

/// Writes a file tensor by tensor, so that no more than one need be in memory. Without commit() nothing is left of it
/// and an older file of that name stays as it was.
class gguf_writer {
 public:
  /// @throws luq::error io_failure, or as make_gguf_layout
  gguf_writer(const std::filesystem::path& path, std::vector<gguf_declaration> declarations,
              const std::vector<gguf_entry>& metadata = {});

  [[nodiscard]] const gguf_layout& layout() const noexcept { return layout_; }

  /// Writes one tensor, whole. Tensors may come in any order; empty ones need not come.
  /// @param data  row-major, little-endian, rows of blocks of the type
  /// @throws luq::error invalid_argument if the tensor is not declared or was written, shape_mismatch if `data` is not
  ///   of its size, io_failure
  void write(std::string_view name, std::span<const std::byte> data);

  /// Gives the complete file its name; call once, last.
  /// @throws luq::error insufficient_data if a tensor is missing, io_failure
  void commit();

 private:
  gguf_layout layout_;
  detail::atomic_file file_;
  detail::pending_tensors<gguf_tensor_info> pending_;
};

/// Writes a whole file from memory.
/// @throws luq::error as gguf_writer; an older file of that name is then untouched
void write_gguf(const std::filesystem::path& path, std::span<const gguf_source> tensors,
                const std::vector<gguf_entry>& metadata = {});

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/io/gguf/impl/gguf_writer.hpp"
#endif

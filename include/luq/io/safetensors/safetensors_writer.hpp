// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Writes safetensors files (layout: safetensors.hpp). The bytes depend on nothing but the content: tensors are placed
// by descending alignment of their type, then by name, in any order they may be given, so all are naturally aligned;
// the header is compact JSON, __metadata__ first with its keys in ascending order, then the tensors in the order of
// their data, padded with spaces to a multiple of 8. This is byte for byte what the reference implementation writes,
// except that the latter leaves the order of several metadata keys to chance, and writes an empty __metadata__ where
// asked to.
//
// The file appears under its name only when it is complete (detail/atomic_file.hpp).
//
//   luq::safetensors_writer writer("model.safetensors", {{"a", luq::tensor_dtype::f32, {2, 3}}}, {{"format", "pt"}});
//   writer.write("a", std::as_bytes(std::span(values)));                  // any order, each tensor once
//   writer.commit();
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "luq/io/files/detail/atomic_file.hpp"
#include "luq/io/safetensors/safetensors_limits.hpp"
#include "luq/io/safetensors/tensor_source.hpp"
#include "luq/io/tensors/detail/pending_tensors.hpp"
#include "luq/io/tensors/tensor_info.hpp"

namespace luq {

/// Where everything in a file will be, known before any data is.
struct safetensors_layout {
  std::string header;                ///< the bytes before the first tensor's data, length field included
  std::vector<tensor_info> tensors;  ///< in the order of their data

  [[nodiscard]] std::uint64_t data_bytes() const noexcept { return tensors.empty() ? 0 : tensors.back().end; }
  [[nodiscard]] std::uint64_t file_bytes() const noexcept { return header.size() + data_bytes(); }
};

/// The header and the places of tensors given in any order; what it describes, safetensors_reader accepts.
/// @param limits  of the readers that the file is meant for
/// @throws luq::error invalid_argument for a name, type, shape or text that the format or the limits forbid, or a name
///   given twice
[[nodiscard]] safetensors_layout make_safetensors_layout(std::vector<tensor_declaration> declarations,
                                                         const std::map<std::string, std::string>& metadata = {},
                                                         const safetensors_limits& limits = {});

/// Writes a file tensor by tensor, so that no more than one need be in memory. Without commit() nothing is left of it
/// and an older file of that name stays as it was.
class safetensors_writer {
 public:
  /// @throws luq::error io_failure, or as make_safetensors_layout
  safetensors_writer(const std::filesystem::path& path, std::vector<tensor_declaration> declarations,
                     const std::map<std::string, std::string>& metadata = {});

  [[nodiscard]] const safetensors_layout& layout() const noexcept { return layout_; }

  /// Writes one tensor, whole. Tensors may come in any order; empty ones need not come.
  /// @param data  row-major, little-endian
  /// @throws luq::error invalid_argument if the tensor is not declared or was written, shape_mismatch if `data` is not
  ///   of its size, io_failure
  void write(std::string_view name, std::span<const std::byte> data);

  /// Gives the complete file its name; call once, last.
  /// @throws luq::error insufficient_data if a tensor is missing, io_failure
  void commit();

 private:
  safetensors_layout layout_;
  detail::atomic_file file_;
  detail::pending_tensors<tensor_info> pending_;
};

/// Writes a whole file from memory.
/// @throws luq::error as safetensors_writer; an older file of that name is then untouched
void write_safetensors(const std::filesystem::path& path, std::span<const tensor_source> tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/io/safetensors/impl/safetensors_writer.hpp"
#endif

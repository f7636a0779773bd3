// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Writes GGUF files of version 3 (layout: gguf.hpp). Keys and tensors stand in the file in the order in which they are
// given, and every padding, the last one too, is written as zeros: the bytes depend on nothing but the content, and are
// those that ggml writes for it. The alignment is that of the key general.alignment, which the caller may give, or 32.
//
// The file appears under its name only when it is complete (detail/atomic_file.hpp).
//
//   luq::gguf_writer writer("x.gguf", {{"blk.0.ffn_up.weight", luq::ggml_type::q1_0, {384, 128}}},
//                           {{"general.architecture", "llama"}, {"general.quantization_version", std::uint32_t{2}}});
//   writer.write("blk.0.ffn_up.weight", blocks);                          // any order, each tensor once
//   writer.commit();
//
// Says nothing about which keys a model needs.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "luq/core/error.hpp"
#include "luq/core/index.hpp"
#include "luq/io/files/detail/atomic_file.hpp"
#include "luq/io/files/detail/printable.hpp"
#include "luq/io/gguf/detail/gguf_rules.hpp"
#include "luq/io/gguf/ggml_type.hpp"
#include "luq/io/gguf/gguf_value.hpp"
#include "luq/io/tensors/detail/pending_tensors.hpp"
#include "luq/io/tensors/detail/tensor_conversion.hpp"

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
  std::uint64_t alignment = detail::gguf_default_alignment;

  /// Bytes of the tensors' data, paddings included.
  [[nodiscard]] std::uint64_t data_bytes() const noexcept {
    return tensors.empty() ? 0 : detail::padded(tensors.back().end, alignment);
  }
  [[nodiscard]] std::uint64_t file_bytes() const noexcept { return header.size() + data_bytes(); }
};

namespace detail {

/// Appends values in the form of the file.
class gguf_text {
 public:
  template <class T>
  void number(T value) {
    const auto bits = std::bit_cast<unsigned_of_size<sizeof(T)>>(value);
    for (std::size_t i = 0; i < sizeof(T); ++i) bytes_ += static_cast<char>((std::uint64_t{bits} >> (8 * i)) & 0xffu);
  }

  void text(std::string_view value) {
    number(std::uint64_t{value.size()});
    bytes_ += value;
  }

  void value(const gguf_value& value) {
    number(static_cast<std::int32_t>(value.index()));
    std::visit([this](const auto& content) { plain(content); }, value);
  }

  void pad(std::uint64_t alignment) { bytes_.resize(static_cast<std::size_t>(padded(bytes_.size(), alignment)), '\0'); }

  [[nodiscard]] std::string take() { return std::move(bytes_); }

 private:
  template <class Number>
  void plain(const Number& content) {
    number(content);
  }
  void plain(bool content) { number(static_cast<std::uint8_t>(content)); }
  void plain(const std::string& content) { text(content); }
  void plain(const gguf_array& content) {
    std::visit([this](const auto& elements) { array(elements); }, content);
  }

  template <class T>
  void array(const std::vector<T>& elements) {
    number(static_cast<std::int32_t>(gguf_type_of<T>()));
    number(std::uint64_t{elements.size()});
    for (std::size_t i = 0; i < elements.size(); ++i) {
      const T& element = elements[i];  // of a vector of bool a copy
      plain(element);
    }
  }

  std::string bytes_;
};

/// The longest string and the largest array of a value.
struct gguf_extremes {
  std::uint64_t string_bytes = 0;
  std::uint64_t array_elements = 0;

  void see(const std::string& text) { string_bytes = std::max<std::uint64_t>(string_bytes, text.size()); }
  void see(const gguf_array& array) {
    std::visit([this](const auto& elements) { array_elements = elements.size(); }, array);
    if (const auto* const texts = std::get_if<std::vector<std::string>>(&array)) {
      for (const std::string& text : *texts) see(text);
    }
  }
  template <class Number>
  void see(const Number&) {}
};

inline void check_gguf_entry(std::string_view source, const gguf_entry& entry) {
  std::string fault = gguf_key_fault(entry.key);
  if (fault.empty() && entry.key == gguf_alignment_key) fault = gguf_alignment_fault(entry.value);
  if (!fault.empty()) fail(errc::invalid_argument, source, ": ", fault);
  gguf_extremes extremes;
  std::visit([&](const auto& content) { extremes.see(content); }, entry.value);
  if (extremes.string_bytes > gguf_most_string_bytes || extremes.array_elements > gguf_most_array_elements) {
    fail(errc::invalid_argument, source, ": key ", in_quotes(entry.key),
         ": a string or an array is longer than the limit of 2^30");
  }
}

}  // namespace detail

/// The header and the places of tensors, in the order given; what it describes, gguf_reader accepts.
/// @throws luq::error invalid_argument for a key, value, name, type or shape that the format or ggml's limits forbid,
///   or a key or name given twice
[[nodiscard]] inline gguf_layout make_gguf_layout(std::vector<gguf_declaration> declarations,
                                                  const std::vector<gguf_entry>& metadata = {}) {
  constexpr std::string_view source = "GGUF writer";
  constexpr errc invalid = errc::invalid_argument;
  gguf_layout layout;
  for (const gguf_entry& entry : metadata) {
    detail::check_gguf_entry(source, entry);
    if (entry.key == detail::gguf_alignment_key) layout.alignment = std::get<std::uint32_t>(entry.value);
  }
  static_cast<void>(detail::positions_by_name(invalid, source, "key", metadata, &gguf_entry::key));

  std::uint64_t position = 0;
  for (gguf_declaration& declaration : declarations) {
    const std::string fault = detail::gguf_name_fault(declaration.name);
    if (!fault.empty()) fail(invalid, source, ": ", fault);
    const auto facts = facts_of(declaration.type);
    if (!facts) {
      fail(invalid, source, ": tensor ", detail::in_quotes(declaration.name), ": unknown ggml ",
           ggml_type_name(declaration.type));
    }
    detail::check_gguf_shape(invalid, source, declaration.name, declaration.shape);
    const std::uint64_t bytes = detail::gguf_tensor_bytes(invalid, source, declaration.name, *facts, declaration.shape);
    if (bytes > (std::uint64_t{1} << 62) - position) fail(invalid, source, ": the data exceed 2^62 bytes");
    layout.tensors.push_back(
        {std::move(declaration.name), declaration.type, std::move(declaration.shape), position, position + bytes});
    position = detail::padded(position + bytes, layout.alignment);
  }
  static_cast<void>(detail::positions_by_name(invalid, source, "tensor name", layout.tensors, &gguf_tensor_info::name));

  detail::gguf_text text;
  for (const char letter : detail::gguf_magic) text.number(letter);
  text.number(detail::gguf_version);
  text.number(std::uint64_t{layout.tensors.size()});
  text.number(std::uint64_t{metadata.size()});
  for (const gguf_entry& entry : metadata) {
    text.text(entry.key);
    text.value(entry.value);
  }
  for (const gguf_tensor_info& tensor : layout.tensors) {
    text.text(tensor.name);
    text.number(static_cast<std::uint32_t>(tensor.shape.size()));
    for (auto extent = tensor.shape.rbegin(); extent != tensor.shape.rend(); ++extent) {
      text.number(static_cast<std::int64_t>(*extent));
    }
    text.number(static_cast<std::int32_t>(tensor.type));
    text.number(tensor.begin);
  }
  text.pad(layout.alignment);
  layout.header = text.take();
  return layout;
}

/// Writes a file tensor by tensor, so that no more than one need be in memory. Without commit() nothing is left of it
/// and an older file of that name stays as it was.
class gguf_writer {
 public:
  /// @throws luq::error io_failure, or as make_gguf_layout
  gguf_writer(const std::filesystem::path& path, std::vector<gguf_declaration> declarations,
              const std::vector<gguf_entry>& metadata = {})
      : layout_(make_gguf_layout(std::move(declarations), metadata)),
        file_(path),
        pending_(path.string(), layout_.tensors) {
    file_.reserve(layout_.file_bytes());
    file_.write_at(0, std::as_bytes(std::span(layout_.header)));
  }

  [[nodiscard]] const gguf_layout& layout() const noexcept { return layout_; }

  /// Writes one tensor, whole. Tensors may come in any order; empty ones need not come.
  /// @param data  row-major, little-endian, rows of blocks of the type
  /// @throws luq::error invalid_argument if the tensor is not declared or was written, shape_mismatch if `data` is not
  ///   of its size, io_failure
  void write(std::string_view name, std::span<const std::byte> data) {
    const auto type_of = [](const gguf_tensor_info& tensor) { return ggml_type_name(tensor.type); };
    const gguf_tensor_info& tensor = pending_.find(name, data.size(), type_of);
    const std::uint64_t place = layout_.header.size() + tensor.begin;
    const std::vector<std::byte> padding(
        static_cast<std::size_t>(detail::padded(data.size(), layout_.alignment) - data.size()));
    file_.write_at(place, data);
    file_.write_at(place + data.size(), padding);
    pending_.set_written(name);
  }

  /// Gives the complete file its name; call once, last.
  /// @throws luq::error insufficient_data if a tensor is missing, io_failure
  void commit() {
    pending_.require_none();
    file_.commit();
  }

 private:
  gguf_layout layout_;
  detail::atomic_file file_;
  detail::pending_tensors<gguf_tensor_info> pending_;
};

/// Writes a whole file from memory.
/// @throws luq::error as gguf_writer; an older file of that name is then untouched
inline void write_gguf(const std::filesystem::path& path, std::span<const gguf_source> tensors,
                       const std::vector<gguf_entry>& metadata = {}) {
  std::vector<gguf_declaration> declarations;
  declarations.reserve(tensors.size());
  for (const gguf_source& tensor : tensors) declarations.push_back(tensor.declaration);
  gguf_writer writer(path, std::move(declarations), metadata);
  for (const gguf_source& tensor : tensors) writer.write(tensor.declaration.name, tensor.data);
  writer.commit();
}

}  // namespace luq

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The definitions of luq/io/gguf/gguf_writer.hpp.
//
// IWYU pragma: private, include "luq/io/gguf/gguf_writer.hpp"
#pragma once

#include "luq/io/gguf/gguf_writer.hpp"

#include <algorithm>
#include <bit>
#include <utility>
#include <variant>

#include "luq/core/compiled.hpp"
#include "luq/core/error.hpp"
#include "luq/io/files/detail/printable.hpp"
#include "luq/io/gguf/detail/gguf_rules.hpp"
#include "luq/io/gguf/detail/positions_by_name.hpp"
#include "luq/io/tensors/detail/tensor_conversion.hpp"

namespace luq {

LUQ_INLINE std::uint64_t gguf_layout::data_bytes() const noexcept {
  return tensors.empty() ? 0 : detail::padded(tensors.back().end, alignment);
}

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

LUQ_INLINE gguf_layout make_gguf_layout(std::vector<gguf_declaration> declarations,
                                        const std::vector<gguf_entry>& metadata) {
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

LUQ_INLINE gguf_writer::gguf_writer(const std::filesystem::path& path, std::vector<gguf_declaration> declarations,
                                    const std::vector<gguf_entry>& metadata)
    : layout_(make_gguf_layout(std::move(declarations), metadata)),
      file_(path),
      pending_(path.string(), layout_.tensors) {
  file_.reserve(layout_.file_bytes());
  file_.write_at(0, std::as_bytes(std::span(layout_.header)));
}

LUQ_INLINE void gguf_writer::write(std::string_view name, std::span<const std::byte> data) {
  const auto type_of = [](const gguf_tensor_info& tensor) { return ggml_type_name(tensor.type); };
  const gguf_tensor_info& tensor = pending_.find(name, data.size(), type_of);
  const std::uint64_t place = layout_.header.size() + tensor.begin;
  const std::vector<std::byte> padding(
      static_cast<std::size_t>(detail::padded(data.size(), layout_.alignment) - data.size()));
  file_.write_at(place, data);
  file_.write_at(place + data.size(), padding);
  pending_.set_written(name);
}

LUQ_INLINE void gguf_writer::commit() {
  pending_.require_none();
  file_.commit();
}

LUQ_INLINE void write_gguf(const std::filesystem::path& path, std::span<const gguf_source> tensors,
                           const std::vector<gguf_entry>& metadata) {
  std::vector<gguf_declaration> declarations;
  declarations.reserve(tensors.size());
  for (const gguf_source& tensor : tensors) declarations.push_back(tensor.declaration);
  gguf_writer writer(path, std::move(declarations), metadata);
  for (const gguf_source& tensor : tensors) writer.write(tensor.declaration.name, tensor.data);
  writer.commit();
}

}  // namespace luq

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The definitions of luq/io/gguf/gguf.hpp.
//
// IWYU pragma: private, include "luq/io/gguf/gguf.hpp"
#pragma once

#include "luq/io/gguf/gguf.hpp"

#include <utility>

#include "luq/core/compiled.hpp"
#include "luq/core/error.hpp"
#include "luq/io/files/detail/printable.hpp"
#include "luq/io/gguf/detail/gguf_rules.hpp"
#include "luq/io/gguf/detail/positions_by_name.hpp"
#include "luq/io/gguf/ggml_type.hpp"

namespace luq {

LUQ_INLINE gguf_reader::gguf_reader(const std::filesystem::path& path)
    : source_(path.string()),
      file_(std::in_place, path),
      bytes_(file_->bytes()),
      header_(detail::parse_gguf_header(bytes_, source_)) {}

LUQ_INLINE gguf_reader::gguf_reader(std::span<const std::byte> file, std::string source)
    : source_(std::move(source)), bytes_(file), header_(detail::parse_gguf_header(bytes_, source_)) {}

LUQ_INLINE const gguf_value* gguf_reader::find_value(std::string_view key) const noexcept {
  const gguf_entry* const entry = detail::find_by_name(header_.entries, header_.entries_by_key, &gguf_entry::key, key);
  return entry == nullptr ? nullptr : &entry->value;
}

LUQ_INLINE const gguf_tensor_info& gguf_reader::info(std::string_view name) const {
  const gguf_tensor_info* const tensor = find(name);
  if (tensor == nullptr) fail(errc::invalid_argument, source_, ": no tensor is named ", detail::in_quotes(name));
  return *tensor;
}

LUQ_INLINE std::span<const std::byte> gguf_reader::bytes(std::string_view name) const {
  const gguf_tensor_info& tensor = info(name);
  if (!facts_of(tensor.type)) {
    fail(errc::unsupported, source_, ": tensor ", detail::in_quotes(name), ": unknown ggml ",
         ggml_type_name(tensor.type));
  }
  if (file_) file_->require_unchanged();
  return bytes_.subspan(static_cast<std::size_t>(header_.data_begin + tensor.begin),
                        static_cast<std::size_t>(tensor.bytes()));
}

LUQ_INLINE const gguf_value& gguf_reader::require_value(std::string_view key) const {
  const gguf_value* const found = find_value(key);
  if (found == nullptr) fail(errc::invalid_argument, source_, ": there is no key ", detail::in_quotes(key));
  return *found;
}

LUQ_INLINE void gguf_reader::refuse_type(std::string_view key, const gguf_value& found) const {
  fail(errc::unsupported, source_, ": key ", detail::in_quotes(key), ": unexpected type ", gguf_type_name(found));
}

LUQ_INLINE const gguf_tensor_info* gguf_reader::find(std::string_view name) const noexcept {
  return detail::find_by_name(header_.tensors, header_.tensors_by_name, &gguf_tensor_info::name, name);
}

}  // namespace luq

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The definitions of luq/io/gguf/detail/gguf_header.hpp.
//
// IWYU pragma: private, include "luq/io/gguf/detail/gguf_header.hpp"
#pragma once

#include "luq/io/gguf/detail/gguf_header.hpp"

#include <algorithm>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "luq/core/compiled.hpp"
#include "luq/core/error.hpp"
#include "luq/io/files/detail/printable.hpp"
#include "luq/io/gguf/detail/positions_by_name.hpp"
#include "luq/io/gguf/ggml_type.hpp"
#include "luq/io/tensors/detail/tensor_conversion.hpp"

namespace luq::detail {

/// Reads values one after the other, each only if its bytes are there.
class gguf_cursor {
 public:
  gguf_cursor(std::span<const std::byte> file, std::string_view source) : file_(file), source_(source) {}

  [[nodiscard]] std::uint64_t position() const noexcept { return position_; }
  [[nodiscard]] std::uint64_t left() const noexcept { return file_.size() - position_; }

  /// Names what is being read, for messages.
  void enter(std::string place) { place_ = std::move(place); }

  template <class T>
  [[nodiscard]] T number() {
    require(sizeof(T));
    const T value = load_little_endian<T>(file_.data() + position_);
    position_ += sizeof(T);
    return value;
  }

  [[nodiscard]] std::string text(std::uint64_t limit) {
    const auto length = number<std::uint64_t>();
    if (length > limit)
      refuse("a string of " + std::to_string(length) + " bytes exceeds the limit of " + std::to_string(limit));
    require(length);
    std::string result(reinterpret_cast<const char*>(file_.data()) + position_, static_cast<std::size_t>(length));
    position_ += length;
    return result;
  }

  /// A number of elements of at least `least_bytes` each.
  [[nodiscard]] std::uint64_t count(std::uint64_t least_bytes, std::string_view elements) {
    const auto result = number<std::uint64_t>();
    if (result > left() / least_bytes) {
      refuse(std::to_string(result) + " " + std::string(elements) + " do not fit into the " + std::to_string(left()) +
             " bytes that are left");
    }
    return result;
  }

  [[noreturn]] void refuse(const std::string& reason) const {
    fail(errc::corrupt_file, source_, ": ", place_, ": ", reason);
  }

 private:
  void require(std::uint64_t bytes) const {
    if (bytes > left()) {
      refuse("expected " + std::to_string(bytes) + " bytes at offset " + std::to_string(position_) + ", got " +
             std::to_string(left()));
    }
  }

  std::span<const std::byte> file_;
  std::string_view source_;
  std::size_t position_ = 0;
  std::string place_;
};

/// Calls visit(T{}) with the C++ type of a plain type. False, and no call, for arrays and numbers that are no type.
template <class Visitor>
bool visit_gguf_type(gguf_type type, Visitor&& visit) {
  switch (type) {
    case gguf_type::u8:
      return visit(std::uint8_t{}), true;
    case gguf_type::i8:
      return visit(std::int8_t{}), true;
    case gguf_type::u16:
      return visit(std::uint16_t{}), true;
    case gguf_type::i16:
      return visit(std::int16_t{}), true;
    case gguf_type::u32:
      return visit(std::uint32_t{}), true;
    case gguf_type::i32:
      return visit(std::int32_t{}), true;
    case gguf_type::f32:
      return visit(float{}), true;
    case gguf_type::boolean:
      return visit(bool{}), true;
    case gguf_type::string:
      return visit(std::string{}), true;
    case gguf_type::u64:
      return visit(std::uint64_t{}), true;
    case gguf_type::i64:
      return visit(std::int64_t{}), true;
    case gguf_type::f64:
      return visit(double{}), true;
    case gguf_type::array:
      return false;
  }
  return false;
}

/// Bytes that a plain value has at least.
template <class T>
inline constexpr std::uint64_t gguf_least_bytes = std::is_same_v<T, std::string> ? 8 : sizeof(T);
static_assert(sizeof(bool) == 1);

template <class T>
[[nodiscard]] T read_plain_gguf_value(gguf_cursor& cursor) {
  if constexpr (std::is_same_v<T, std::string>) {
    return cursor.text(gguf_most_string_bytes);
  } else if constexpr (std::is_same_v<T, bool>) {
    return cursor.number<std::uint8_t>() != 0;
  } else {
    return cursor.number<T>();
  }
}

[[nodiscard]] inline gguf_value read_gguf_value(gguf_cursor& cursor) {
  gguf_value result;
  const auto type = static_cast<gguf_type>(cursor.number<std::int32_t>());
  if (type != gguf_type::array) {
    const bool known = visit_gguf_type(type, [&]<class T>(T) { result = read_plain_gguf_value<T>(cursor); });
    if (!known) cursor.refuse("unknown value " + gguf_type_name(type));
    return result;
  }
  const auto element_type = static_cast<gguf_type>(cursor.number<std::int32_t>());
  const bool known = visit_gguf_type(element_type, [&]<class T>(T) {
    const std::uint64_t count = cursor.count(gguf_least_bytes<T>, "elements");
    if (count > gguf_most_array_elements) cursor.refuse(std::to_string(count) + " elements exceed the limit of 2^30");
    std::vector<T> elements;
    elements.reserve(static_cast<std::size_t>(count));
    for (std::uint64_t i = 0; i < count; ++i) elements.push_back(read_plain_gguf_value<T>(cursor));
    result = gguf_array(std::move(elements));
  });
  if (!known) cursor.refuse("unsupported array of " + gguf_type_name(element_type));
  return result;
}

[[nodiscard]] inline gguf_tensor_info read_gguf_tensor_info(gguf_cursor& cursor, std::string_view source) {
  gguf_tensor_info tensor;
  tensor.name = cursor.text(gguf_most_name_bytes);
  const std::string fault = gguf_name_fault(tensor.name);
  if (!fault.empty()) fail(errc::corrupt_file, source, ": ", fault);
  cursor.enter("tensor " + in_quotes(tensor.name));
  const auto extents = cursor.number<std::uint32_t>();
  if (extents > gguf_most_extents)
    cursor.refuse("the shape has " + std::to_string(extents) + " extents, the limit is 4");
  for (std::uint32_t i = 0; i < extents; ++i) {
    tensor.shape.push_back(static_cast<index>(cursor.number<std::int64_t>()));
  }
  std::reverse(tensor.shape.begin(), tensor.shape.end());
  check_gguf_shape(errc::corrupt_file, source, tensor.name, tensor.shape);
  tensor.type = static_cast<ggml_type>(cursor.number<std::int32_t>());
  tensor.begin = cursor.number<std::uint64_t>();
  return tensor;
}

/// Fills `end` of each tensor and checks that the data follow one another within `data_bytes`.
inline void place_gguf_data(gguf_header& header, std::uint64_t data_bytes, std::string_view source) {
  std::uint64_t expected = 0;        // where the next tensor begins
  gguf_tensor_info* open = nullptr;  // a tensor of unknown type, which ends where the next one begins
  const auto refuse = [&](const gguf_tensor_info& tensor, const auto&... reason) {
    fail(errc::corrupt_file, source, ": tensor ", in_quotes(tensor.name), ": ", reason...);
  };
  const auto close = [&](std::uint64_t end) {
    if (open == nullptr) return;
    if (end < open->begin || (end == open->begin && open->size() > 0)) {
      refuse(*open, "no bytes are left for it between ", open->begin, " and ", end);
    }
    open->end = end;
    open = nullptr;
  };
  for (gguf_tensor_info& tensor : header.tensors) {
    if (open != nullptr) {
      if (tensor.begin % header.alignment != 0) {
        refuse(tensor, "data begin at ", tensor.begin, ", not a multiple of the alignment ", header.alignment);
      }
      close(tensor.begin);
    } else if (tensor.begin != expected) {
      refuse(tensor, "data begin at ", tensor.begin, ", expected ", expected, ", the end of those before it, padded");
    }
    const auto facts = facts_of(tensor.type);
    const std::uint64_t bytes =
        facts ? gguf_tensor_bytes(errc::corrupt_file, source, tensor.name, *facts, tensor.shape) : 0;
    if (tensor.begin > data_bytes || bytes > data_bytes - tensor.begin) {
      refuse(tensor, "expected ", bytes, " bytes of data from ", tensor.begin, ", the file has ", data_bytes,
             " in all");
    }
    tensor.end = tensor.begin + bytes;
    expected = padded(tensor.end, header.alignment);
    if (!facts) open = &tensor;
  }
  close(data_bytes);
}

LUQ_INLINE gguf_header parse_gguf_header(std::span<const std::byte> file, std::string_view source) {
  gguf_cursor cursor(file, source);
  cursor.enter("header");
  gguf_header header;
  for (const char letter : gguf_magic) {
    if (cursor.number<char>() != letter) cursor.refuse("expected a file that begins with 'GGUF'");
  }
  header.version = cursor.number<std::uint32_t>();
  if ((header.version & 0xffffu) == 0 && header.version != 0) {  // of any version that has been or will be
    fail(errc::unsupported, source, ": header: the file is big-endian, expected little-endian");
  }
  if (header.version != 2 && header.version != gguf_version) {
    fail(errc::unsupported, source, ": header: expected version 2 or 3, got ", header.version);
  }
  const std::uint64_t tensors = cursor.count(gguf_least_tensor_bytes, "tensors");
  const std::uint64_t entries = cursor.count(gguf_least_entry_bytes, "keys");

  for (std::uint64_t i = 0; i < entries; ++i) {
    cursor.enter("key " + std::to_string(i));
    gguf_entry& entry = header.entries.emplace_back();
    entry.key = cursor.text(gguf_most_string_bytes);
    const std::string fault = gguf_key_fault(entry.key);
    if (!fault.empty()) fail(errc::corrupt_file, source, ": ", fault);
    cursor.enter("key " + in_quotes(entry.key));
    entry.value = read_gguf_value(cursor);
  }
  header.entries_by_key = positions_by_name(errc::corrupt_file, source, "key", header.entries, &gguf_entry::key);
  const gguf_entry* const alignment =
      find_by_name(header.entries, header.entries_by_key, &gguf_entry::key, gguf_alignment_key);
  if (alignment != nullptr) {
    const std::string fault = gguf_alignment_fault(alignment->value);
    if (!fault.empty()) fail(errc::corrupt_file, source, ": ", fault);
    header.alignment = std::get<std::uint32_t>(alignment->value);
  }

  for (std::uint64_t i = 0; i < tensors; ++i) {
    cursor.enter("tensor " + std::to_string(i));
    header.tensors.push_back(read_gguf_tensor_info(cursor, source));
  }
  header.tensors_by_name =
      positions_by_name(errc::corrupt_file, source, "tensor name", header.tensors, &gguf_tensor_info::name);

  header.data_begin = padded(cursor.position(), header.alignment);
  if (header.data_begin > file.size()) {
    if (!header.tensors.empty()) {
      fail(errc::corrupt_file, source, ": expected data from offset ", header.data_begin, ", the file has ",
           file.size(), " bytes");
    }
    header.data_begin = file.size();  // without data there may be no padding either
  }
  place_gguf_data(header, file.size() - header.data_begin, source);
  return header;
}

}  // namespace luq::detail

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The definitions of luq/io/safetensors/detail/safetensors_header.hpp.
//
// IWYU pragma: private, include "luq/io/safetensors/detail/safetensors_header.hpp"
#pragma once

#include "luq/io/safetensors/detail/safetensors_header.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <tuple>
#include <utility>

#include "luq/core/compiled.hpp"
#include "luq/core/error.hpp"
#include "luq/io/files/detail/json_events.hpp"
#include "luq/io/files/detail/printable.hpp"
#include "luq/io/safetensors/detail/safetensors_rules.hpp"
#include "luq/io/tensors/detail/element_count.hpp"

namespace luq::detail {

/// Takes the entries from the JSON text; does not yet relate them to one another.
class safetensors_header_events final : public json_events {
 public:
  safetensors_header_events(std::string_view source, const safetensors_limits& limits)
      : json_events(source), limits_(limits) {}

  bool start_object(std::size_t elements) override {
    if (place_ == place::document) {
      place_ = place::header;
    } else if (place_ == place::metadata_entry) {
      place_ = place::metadata;
    } else if (place_ == place::tensor_entry) {
      place_ = place::tensor;
      has_dtype_ = has_shape_ = has_offsets_ = false;
    } else {
      return json_events::start_object(elements);
    }
    return true;
  }

  bool key(string_t& name) override {
    if (place_ == place::header) return header_key(name);
    if (place_ == place::metadata) {
      if (header_.metadata.contains(name)) {
        fail(errc::corrupt_file, source(), ": ", safetensors_metadata_key, ": duplicate key ", in_quotes(name));
      }
      metadata_key_ = std::move(name);
      place_ = place::metadata_value;
      return true;
    }
    if (name == "dtype") return tensor_key(has_dtype_, place::dtype, name);
    if (name == "shape") return tensor_key(has_shape_, place::shape, name);
    if (name == "data_offsets") return tensor_key(has_offsets_, place::offsets, name);
    return json_events::key(name);
  }

  bool string(string_t& value) override {
    if (place_ == place::metadata_value) {
      header_.metadata.emplace(std::move(metadata_key_), std::move(value));
      place_ = place::metadata;
    } else if (place_ == place::dtype) {
      current().dtype = parse_dtype(value);
      if (value.empty() || value.size() > 32) refuse("the string " + in_quotes(value));
      current().dtype_label = std::move(value);
      place_ = place::tensor;
    } else {
      return json_events::string(value);
    }
    return true;
  }

  bool start_array(std::size_t elements) override {
    if (place_ == place::shape) {
      place_ = place::shape_elements;
    } else if (place_ == place::offsets) {
      place_ = place::offset_elements;
      offset_count_ = 0;
    } else {
      return json_events::start_array(elements);
    }
    return true;
  }

  bool number_unsigned(number_unsigned_t value) override {
    const bool is_extent = place_ == place::shape_elements;
    if (!is_extent && place_ != place::offset_elements) return json_events::number_unsigned(value);
    if (value > largest_json_integer) refuse(std::to_string(value) + ", beyond 2^53 - 1");
    if (!is_extent) {
      if (offset_count_ == 2) refuse("a third offset");
      (offset_count_ == 0 ? current().begin : current().end) = value;
      ++offset_count_;
      return true;
    }
    if (value > static_cast<std::uint64_t>((std::numeric_limits<index>::max)())) {
      refuse(std::to_string(value) + ", beyond the address space");
    }
    if (current().shape.size() == static_cast<std::size_t>(limits_.rank)) {
      fail(errc::unsupported, source(), ": tensor ", in_quotes(current().name), ": the shape has more than ",
           limits_.rank, " extents");
    }
    current().shape.push_back(static_cast<index>(value));
    return true;
  }

  bool end_array() override {
    if (place_ == place::offset_elements && offset_count_ != 2) refuse("the end of the array");
    place_ = place::tensor;
    return true;
  }

  bool end_object() override {
    if (place_ == place::tensor) {
      const char* const missing = !has_dtype_     ? "dtype"
                                  : !has_shape_   ? "shape"
                                  : !has_offsets_ ? "data_offsets"
                                                  : nullptr;
      if (missing != nullptr) {
        fail(errc::corrupt_file, source(), ": tensor ", in_quotes(current().name), ": ", missing, " is missing");
      }
      if (current().end < current().begin) {
        fail(errc::corrupt_file, source(), ": tensor ", in_quotes(current().name), ": data_offsets [", current().begin,
             ", ", current().end, "] end before they begin");
      }
      place_ = place::header;
    } else if (place_ == place::metadata) {
      place_ = place::header;
    }
    return true;
  }

  [[nodiscard]] safetensors_header take() { return std::move(header_); }

 protected:
  [[nodiscard]] std::string expectation() const override {
    const auto of_tensor = [this](const char* text) {
      return "tensor " + in_quotes(header_.tensors.back().name) + ": expected " + text;
    };
    switch (place_) {
      case place::document:
        return "expected a header that is an object";
      case place::header:
        return "expected the header to end";
      case place::metadata_entry:
        return "__metadata__: expected an object";
      case place::metadata:
      case place::metadata_value:
        return "__metadata__: expected strings as values";
      case place::tensor_entry:
        return of_tensor("an object");
      case place::tensor:
        return of_tensor("only dtype, shape and data_offsets");
      case place::dtype:
        return of_tensor("dtype to be a string of 1 to 32 bytes");
      case place::shape:
        return of_tensor("shape to be an array");
      case place::shape_elements:
        return of_tensor("shape to hold non-negative integers");
      case place::offsets:
        return of_tensor("data_offsets to be an array");
      case place::offset_elements:
        return of_tensor("data_offsets to hold two non-negative integers");
    }
    return {};
  }

 private:
  // Where in the header the next event occurs.
  enum class place {
    document,
    header,
    metadata_entry,
    metadata,
    metadata_value,
    tensor_entry,
    tensor,
    dtype,
    shape,
    shape_elements,
    offsets,
    offset_elements,
  };

  tensor_info& current() { return header_.tensors.back(); }

  bool header_key(string_t& name) {
    if (name == safetensors_metadata_key) {
      if (has_metadata_) fail(errc::corrupt_file, source(), ": duplicate key ", in_quotes(name));
      has_metadata_ = true;
      place_ = place::metadata_entry;
      return true;
    }
    if (header_.tensors.size() == static_cast<std::size_t>(limits_.tensors)) {
      fail(errc::unsupported, source(), ": more than ", limits_.tensors, " tensors");
    }
    const std::string fault = tensor_name_fault(name, limits_.name_bytes);
    if (!fault.empty()) fail(errc::corrupt_file, source(), ": ", fault);
    header_.tensors.emplace_back();
    current().name = std::move(name);
    place_ = place::tensor_entry;
    return true;
  }

  bool tensor_key(bool& seen, place next, const string_t& name) {
    if (seen) {
      fail(errc::corrupt_file, source(), ": tensor ", in_quotes(current().name), ": duplicate key ", in_quotes(name));
    }
    seen = true;
    place_ = next;
    return true;
  }

  safetensors_limits limits_;
  safetensors_header header_;
  place place_ = place::document;
  bool has_metadata_ = false;
  bool has_dtype_ = false;
  bool has_shape_ = false;
  bool has_offsets_ = false;
  int offset_count_ = 0;
  std::string metadata_key_;
};

/// Fills `by_name`, refusing a name that occurs twice.
inline void index_names(safetensors_header& header, std::string_view source) {
  header.by_name.resize(header.tensors.size());
  std::iota(header.by_name.begin(), header.by_name.end(), std::size_t{0});
  const auto name_of = [&](std::size_t position) -> const std::string& { return header.tensors[position].name; };
  std::sort(header.by_name.begin(), header.by_name.end(),
            [&](std::size_t a, std::size_t b) { return name_of(a) < name_of(b); });
  const auto twin = std::adjacent_find(header.by_name.begin(), header.by_name.end(),
                                       [&](std::size_t a, std::size_t b) { return name_of(a) == name_of(b); });
  if (twin != header.by_name.end()) {
    fail(errc::corrupt_file, source, ": duplicate tensor name ", in_quotes(name_of(*twin)));
  }
}

/// Checks that the data of the tensors, in this order, tile [0, data_bytes) and have the sizes that they should have.
inline void check_data(const std::vector<tensor_info>& tensors, std::uint64_t data_bytes, std::string_view source) {
  std::uint64_t position = 0;
  for (const tensor_info& tensor : tensors) {
    if (tensor.begin != position) {
      fail(errc::corrupt_file, source, ": tensor ", in_quotes(tensor.name), ": data begin at ", tensor.begin,
           tensor.begin < position ? " and overlap those that end at " : " and leave a hole after those that end at ",
           position);
    }
    if (tensor.dtype == tensor_dtype::unknown) {
      if (!checked_element_count(tensor.shape)) {
        fail(errc::corrupt_file, source, ": tensor ", in_quotes(tensor.name), ": the size of its shape overflows");
      }
    } else {
      const std::uint64_t expected = tensor_bytes(errc::corrupt_file, source, tensor.name, tensor.dtype, tensor.shape);
      if (tensor.bytes() != expected) {
        fail(errc::corrupt_file, source, ": tensor ", in_quotes(tensor.name), ": expected ", expected, " bytes for ",
             tensor.dtype_label, " ", printable(shape_text(tensor.shape), 160), ", data_offsets give ", tensor.bytes());
      }
    }
    position = tensor.end;
  }
  if (position != data_bytes) {
    fail(errc::corrupt_file, source, ": expected ", position, " bytes of data after the header, got ", data_bytes);
  }
}

LUQ_INLINE safetensors_header parse_safetensors_header(std::span<const std::byte> file, std::string_view source,
                                                       const safetensors_limits& limits) {
  if (file.size() < safetensors_prefix_bytes) {
    fail(errc::corrupt_file, source, ": expected at least 8 bytes, got ", file.size());
  }
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < safetensors_prefix_bytes; ++i) {
    length |= std::to_integer<std::uint64_t>(file[i]) << (8 * i);
  }
  if (length > limits.header_bytes) {
    fail(errc::corrupt_file, source, ": header length ", length, " exceeds the limit of ", limits.header_bytes);
  }
  const std::uint64_t rest = file.size() - safetensors_prefix_bytes;
  if (length > rest) {
    fail(errc::corrupt_file, source, ": header length ", length, " exceeds the ", rest, " bytes that follow it");
  }
  const std::string_view text(reinterpret_cast<const char*>(file.data()) + safetensors_prefix_bytes,
                              static_cast<std::size_t>(length));
  if (!text.starts_with('{')) fail(errc::corrupt_file, source, ": the header does not begin with '{'");

  safetensors_header_events events(source, limits);
  parse_json_events(text, source, events);
  safetensors_header header = events.take();
  header.data_begin = safetensors_prefix_bytes + length;
  std::sort(header.tensors.begin(), header.tensors.end(), [](const tensor_info& a, const tensor_info& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  index_names(header, source);
  check_data(header.tensors, file.size() - header.data_begin, source);
  return header;
}

}  // namespace luq::detail

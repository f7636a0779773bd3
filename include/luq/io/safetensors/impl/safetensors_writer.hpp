// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The definitions of luq/io/safetensors/safetensors_writer.hpp.
//
// IWYU pragma: private, include "luq/io/safetensors/safetensors_writer.hpp"
#pragma once

#include "luq/io/safetensors/safetensors_writer.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "luq/core/compiled.hpp"
#include "luq/core/error.hpp"
#include "luq/core/index.hpp"
#include "luq/io/files/detail/printable.hpp"
#include "luq/io/safetensors/detail/safetensors_rules.hpp"

namespace luq {

namespace detail {

[[nodiscard]] inline std::string json_string(const std::string& text) {
  try {
    return nlohmann::json(text).dump();
  } catch (const nlohmann::json::exception&) {
    fail(errc::invalid_argument, "safetensors header: ", in_quotes(text), " is not UTF-8");
  }
}

/// The entry as JSON, without the name.
[[nodiscard]] inline std::string header_entry(const tensor_info& tensor) {
  std::string shape;
  for (const index extent : tensor.shape) shape += (shape.empty() ? "" : ",") + std::to_string(extent);
  return R"({"dtype":")" + tensor.dtype_label + R"(","shape":[)" + shape + R"(],"data_offsets":[)" +
         std::to_string(tensor.begin) + "," + std::to_string(tensor.end) + "]}";
}

inline void check_declaration(std::string_view source, const tensor_declaration& declaration,
                              const safetensors_limits& limits) {
  const std::string fault = tensor_name_fault(declaration.name, limits.name_bytes);
  if (!fault.empty()) fail(errc::invalid_argument, source, ": ", fault);
  if (declaration.name == safetensors_metadata_key) {
    fail(errc::invalid_argument, source, ": a tensor cannot be named ", safetensors_metadata_key);
  }
  if (declaration.dtype == tensor_dtype::unknown) {
    fail(errc::invalid_argument, source, ": tensor ", in_quotes(declaration.name), ": unknown element type");
  }
  if (declaration.shape.size() > static_cast<std::size_t>(limits.rank)) {
    fail(errc::invalid_argument, source, ": tensor ", in_quotes(declaration.name), ": the shape has ",
         declaration.shape.size(), " extents, the limit is ", limits.rank);
  }
  for (const index extent : declaration.shape) {
    if (extent < 0 || static_cast<std::uint64_t>(extent) > largest_json_integer) {
      fail(errc::invalid_argument, source, ": tensor ", in_quotes(declaration.name), ": the shape ",
           shape_text(declaration.shape), " has an extent outside 0 ... 2^53 - 1");
    }
  }
}

}  // namespace detail

LUQ_INLINE safetensors_layout make_safetensors_layout(std::vector<tensor_declaration> declarations,
                                                      const std::map<std::string, std::string>& metadata,
                                                      const safetensors_limits& limits) {
  constexpr std::string_view source = "safetensors writer";
  if (declarations.size() > static_cast<std::size_t>(limits.tensors)) {
    fail(errc::invalid_argument, source, ": ", declarations.size(), " tensors exceed the limit of ", limits.tensors);
  }
  for (const tensor_declaration& declaration : declarations) {
    detail::check_declaration(source, declaration, limits);
  }
  std::sort(declarations.begin(), declarations.end(), [](const tensor_declaration& a, const tensor_declaration& b) {
    return a.dtype != b.dtype ? a.dtype > b.dtype : a.name < b.name;
  });

  safetensors_layout layout;
  std::string json = "{";
  if (!metadata.empty()) {
    json += detail::json_string(std::string(detail::safetensors_metadata_key)) + ":{";
    for (const auto& [key, value] : metadata) {
      if (json.back() != '{') json += ',';
      json += detail::json_string(key) + ":" + detail::json_string(value);
    }
    json += '}';
  }
  std::uint64_t position = 0;
  for (tensor_declaration& declaration : declarations) {
    tensor_info tensor;
    tensor.dtype = declaration.dtype;
    tensor.dtype_label = dtype_name(declaration.dtype);
    tensor.begin = position;
    tensor.end = position + detail::tensor_bytes(errc::invalid_argument, source, declaration.name, declaration.dtype,
                                                 declaration.shape);
    if (tensor.end < position || tensor.end > detail::largest_json_integer) {
      fail(errc::invalid_argument, source, ": the data exceed 2^53 - 1 bytes");
    }
    position = tensor.end;
    tensor.name = std::move(declaration.name);
    tensor.shape = std::move(declaration.shape);
    if (json.size() > 1) json += ',';
    json += detail::json_string(tensor.name) + ":" + detail::header_entry(tensor);
    layout.tensors.push_back(std::move(tensor));
  }
  json += '}';
  json.resize((json.size() + 7) / 8 * 8, ' ');
  if (json.size() > limits.header_bytes) {
    fail(errc::invalid_argument, source, ": the header has ", json.size(), " bytes, the limit is ",
         limits.header_bytes);
  }

  std::vector<std::string_view> names;
  for (const tensor_info& tensor : layout.tensors) names.push_back(tensor.name);
  std::sort(names.begin(), names.end());
  const auto twin = std::adjacent_find(names.begin(), names.end());
  if (twin != names.end()) fail(errc::invalid_argument, source, ": two tensors are named ", detail::in_quotes(*twin));

  for (std::size_t i = 0; i < detail::safetensors_prefix_bytes; ++i) {
    layout.header += static_cast<char>((json.size() >> (8 * i)) & 0xffu);
  }
  layout.header += json;
  return layout;
}

LUQ_INLINE safetensors_writer::safetensors_writer(const std::filesystem::path& path,
                                                  std::vector<tensor_declaration> declarations,
                                                  const std::map<std::string, std::string>& metadata)
    : layout_(make_safetensors_layout(std::move(declarations), metadata)),
      file_(path),
      pending_(path.string(), layout_.tensors) {
  file_.reserve(layout_.file_bytes());
  file_.write_at(0, std::as_bytes(std::span(layout_.header)));
}

LUQ_INLINE void safetensors_writer::write(std::string_view name, std::span<const std::byte> data) {
  const auto type_of = [](const tensor_info& tensor) { return tensor.dtype_label; };
  const tensor_info& tensor = pending_.find(name, data.size(), type_of);
  file_.write_at(layout_.header.size() + tensor.begin, data);
  pending_.set_written(name);
}

LUQ_INLINE void safetensors_writer::commit() {
  pending_.require_none();
  file_.commit();
}

LUQ_INLINE void write_safetensors(const std::filesystem::path& path, std::span<const tensor_source> tensors,
                                  const std::map<std::string, std::string>& metadata) {
  std::vector<tensor_declaration> declarations;
  declarations.reserve(tensors.size());
  for (const tensor_source& tensor : tensors) declarations.push_back(tensor.declaration);
  safetensors_writer writer(path, std::move(declarations), metadata);
  for (const tensor_source& tensor : tensors) writer.write(tensor.declaration.name, tensor.data);
  writer.commit();
}

}  // namespace luq

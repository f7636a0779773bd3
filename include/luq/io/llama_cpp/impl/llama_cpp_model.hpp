// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The definitions of luq/io/llama_cpp/llama_cpp_model.hpp.
//
// IWYU pragma: private, include "luq/io/llama_cpp/llama_cpp_model.hpp"
#pragma once

#include "luq/io/llama_cpp/llama_cpp_model.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "luq/core/compiled.hpp"
#include "luq/core/error.hpp"
#include "luq/core/index.hpp"
#include "luq/io/exports/export_linter.hpp"
#include "luq/io/exports/export_target.hpp"
#include "luq/io/files/detail/printable.hpp"
#include "luq/io/gguf/ggml_blocks.hpp"
#include "luq/io/gguf/ggml_type.hpp"
#include "luq/io/gguf/gguf_writer.hpp"
#include "luq/io/llama_cpp/detail/gguf_weight_name.hpp"
#include "luq/io/llama_cpp/detail/llama_cpp_linears.hpp"
#include "luq/io/llama_cpp/detail/llama_cpp_rest.hpp"
#include "luq/io/tensors/tensor_info.hpp"

namespace luq {

LUQ_INLINE void require_llama_cpp_model(const plan& p) {
  const std::vector<export_finding> findings = lint_export(p, export_target::llama_cpp);
  if (!findings.empty()) {
    const export_finding& first = findings.front();
    const std::size_t others = first.modules.size() - 1;
    fail(errc::unsupported, "llama.cpp model: ", detail::in_quotes(first.modules.front()),
         others == 0 ? "" : " and " + std::to_string(others) + " other linears", ": ", first.demand, "; ",
         first.remedy);
  }
  for (std::size_t layer = 0; layer < p.shape.size(); ++layer) {
    for (const linear_shape& linear : p.shape[layer]) {
      const std::string fault = ggml_blocks_fault(p.recipes[layer].codec, linear.cols);
      if (!fault.empty()) {
        fail(errc::unsupported, "llama.cpp model: ", detail::in_quotes(linear.name), ": ", fault);
      }
      static_cast<void>(detail::gguf_weight_name(linear.name));
    }
  }
}

namespace detail {

/// The number by which llama.cpp calls what a file's weights mostly are (llama_ftype of llama.h); only shown.
[[nodiscard]] inline std::uint32_t llama_cpp_file_type(const std::vector<gguf_declaration>& tensors) {
  constexpr std::array<std::pair<ggml_type, std::uint32_t>, 7> numbers{{{ggml_type::f32, 0},
                                                                        {ggml_type::f16, 1},
                                                                        {ggml_type::q4_0, 2},
                                                                        {ggml_type::q8_0, 7},
                                                                        {ggml_type::bf16, 32},
                                                                        {ggml_type::tq2_0, 37},
                                                                        {ggml_type::q1_0, 40}}};
  constexpr std::uint32_t guessed = 1024;
  std::map<ggml_type, double> weights;
  for (const gguf_declaration& tensor : tensors) {
    double count = 1;
    for (const index extent : tensor.shape) count *= static_cast<double>(extent);
    weights[tensor.type] += count;
  }
  const auto most = std::max_element(weights.begin(), weights.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  const auto* const number =
      std::find_if(numbers.begin(), numbers.end(), [&](const auto& known) { return known.first == most->first; });
  return number == numbers.end() ? guessed : number->second;
}

/// Keys that every file with quantized tensors has, in place of those that are there.
inline void set_quantization_keys(std::vector<gguf_entry>& metadata, const std::vector<gguf_declaration>& tensors) {
  constexpr std::uint32_t version = 2;  // GGML_QNT_VERSION
  const std::array<gguf_entry, 2> entries{gguf_entry{"general.quantization_version", version},
                                          gguf_entry{"general.file_type", llama_cpp_file_type(tensors)}};
  for (const gguf_entry& entry : entries) {
    std::erase_if(metadata, [&](const gguf_entry& old) { return old.key == entry.key; });
    metadata.push_back(entry);
  }
}

}  // namespace detail

LUQ_INLINE std::uint64_t write_llama_cpp_model(const std::filesystem::path& path, const plan& p,
                                               const packed_layers& weights, const llama_cpp_decoder& decoder,
                                               const checkpoint& tensors) {
  require_llama_cpp_model(p);
  std::vector<gguf_entry> metadata = llama_cpp_decoder_metadata(decoder);
  detail::require_all_linears(p, decoder);
  const auto linears =
      detail::llama_cpp_linears(p, weights, has_rotary_neighbours(decoder.architecture) ? decoder.head_dim : 0);
  const detail::llama_cpp_rest rest(tensors, decoder, linears);
  std::vector<gguf_declaration> declarations;
  rest.declare(declarations);
  for (const detail::llama_cpp_linear& linear : linears) declarations.push_back(linear.declaration());
  detail::set_quantization_keys(metadata, declarations);
  metadata.push_back({std::string(detail::gguf_alignment_key), detail::gguf_default_alignment});

  gguf_writer writer(path, std::move(declarations), metadata);
  rest.write(writer);
  for (const detail::llama_cpp_linear& linear : linears) writer.write(linear.tensor, linear.data());
  writer.commit();
  return writer.layout().file_bytes();
}

namespace detail {

/// How many files a model is split into by llama.cpp's gguf-split. Its --merge leaves the key with 0 in a whole model.
/// @throws luq::error unsupported if the key is no integer
[[nodiscard]] inline index split_count_of(const gguf_reader& like) {
  const gguf_value* const count = like.find_value("split.count");
  if (count == nullptr) return 0;
  return std::visit(
      [&]<class T>(const T& number) -> index {
        if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
          return static_cast<index>(number);
        } else {
          fail(errc::unsupported, like.source(), ": key 'split.count': unexpected type ", gguf_type_name(*count));
        }
      },
      *count);
}

/// Features of a head where a file's rows stand in pairs of neighbours, otherwise 0.
/// @throws luq::error unsupported for another architecture or a part of a model, corrupt_file for sizes that there
///   are none of
[[nodiscard]] inline index rotary_head_dim_of(const gguf_reader& like) {
  const auto& name = like.value<std::string>("general.architecture");
  const auto architecture = parse_llama_cpp_architecture(name);
  if (!architecture) {
    fail(errc::unsupported, like.source(), ": expected a model of llama, qwen2 or qwen2vl, got ", in_quotes(name));
  }
  if (const index files = split_count_of(like); files != 0 && files != 1) {
    fail(errc::unsupported, like.source(), ": one of ", files,
         " files of a model: expected a whole one, which llama.cpp's gguf-split --merge makes of them");
  }
  if (!has_rotary_neighbours(*architecture)) return 0;
  const index hidden_size = like.value<std::uint32_t>(name + ".embedding_length");
  const index heads = like.value<std::uint32_t>(name + ".attention.head_count");
  const std::string length_key = name + ".attention.key_length";
  const bool has_length = like.find_value(length_key) != nullptr;
  const index head_dim = has_length  ? index{like.value<std::uint32_t>(length_key)}
                         : heads < 1 ? 0
                                     : hidden_size / heads;
  if (head_dim < 2 || head_dim % 2 != 0) {
    fail(errc::corrupt_file, like.source(), ": expected heads of an even number of features, got ", heads,
         " heads and ", hidden_size, " features");
  }
  return head_dim;
}

}  // namespace detail

LUQ_INLINE std::uint64_t write_llama_cpp_model_like(const std::filesystem::path& path, const plan& p,
                                                    const packed_layers& weights, const gguf_reader& like) {
  require_llama_cpp_model(p);
  const auto linears = detail::llama_cpp_linears(p, weights, detail::rotary_head_dim_of(like));
  std::map<std::string, const detail::llama_cpp_linear*, std::less<>> by_tensor;
  for (const detail::llama_cpp_linear& linear : linears) {
    const std::vector<index> shape = linear.declaration().shape;
    if (!like.contains(linear.tensor) || like.info(linear.tensor).shape != shape) {
      fail(errc::shape_mismatch, like.source(), ": expected a tensor ", linear.tensor, " ", shape_text(shape), ", got ",
           like.contains(linear.tensor) ? shape_text(like.info(linear.tensor).shape) : "none");
    }
    by_tensor.emplace(linear.tensor, &linear);
  }
  std::vector<gguf_declaration> declarations;
  for (const gguf_tensor_info& tensor : like.tensors()) {
    const auto linear = by_tensor.find(tensor.name);
    declarations.push_back(linear == by_tensor.end() ? gguf_declaration{tensor.name, tensor.type, tensor.shape}
                                                     : linear->second->declaration());
  }
  std::vector<gguf_entry> metadata = like.metadata();
  std::erase_if(metadata, [](const gguf_entry& entry) { return entry.key.starts_with("split."); });
  detail::set_quantization_keys(metadata, declarations);

  gguf_writer writer(path, std::move(declarations), metadata);
  for (const gguf_tensor_info& tensor : like.tensors()) {
    const auto linear = by_tensor.find(tensor.name);
    if (linear == by_tensor.end()) {
      writer.write(tensor.name, like.bytes(tensor.name));
    } else {
      writer.write(tensor.name, linear->second->data());
    }
  }
  writer.commit();
  return writer.layout().file_bytes();
}

}  // namespace luq

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What a decoder has beside its linears, from a Hugging Face checkpoint into a model of llama.cpp: norms and biases as
// F32, embedding and head as they are stored.
//
// A head that is in the checkpoint is in the file, unless it is tied to a table of embeddings with the same content:
// whoever reads a file without a head takes the table for it. Of a tied decoder whose checkpoint holds the head alone,
// the head is the table. Vision towers and projectors are left out, and rotary_emb.inv_freq of old checkpoints, which
// follows from the decoder's numbers. A tensor that is neither that nor a decoder's is an error.
//
// IWYU pragma: private, include "luq/io/llama_cpp/llama_cpp_model.hpp"
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "luq/core/error.hpp"
#include "luq/core/index.hpp"
#include "luq/io/files/detail/printable.hpp"
#include "luq/io/gguf/ggml_type.hpp"
#include "luq/io/gguf/gguf_writer.hpp"
#include "luq/io/llama_cpp/detail/llama_cpp_linears.hpp"
#include "luq/io/llama_cpp/detail/rotary_rows.hpp"
#include "luq/io/llama_cpp/llama_cpp_decoder.hpp"
#include "luq/io/llama_cpp/llama_cpp_names.hpp"
#include "luq/io/safetensors/checkpoint.hpp"
#include "luq/io/tensors/tensor_info.hpp"
#include "luq/models/tensor_place.hpp"

namespace luq::detail {

/// The tensors of a decoder that are no linears, from a checkpoint to a file.
class llama_cpp_rest {
 public:
  /// Finds them and checks that all are there.
  /// @throws luq::error corrupt_file, unsupported
  llama_cpp_rest(const checkpoint& tensors, const llama_cpp_decoder& decoder, std::span<const llama_cpp_linear> linears)
      : tensors_(tensors), decoder_(decoder) {
    std::set<std::string_view> linear_names;
    for (const llama_cpp_linear& linear : linears) linear_names.insert(linear.tensor);
    for (const std::string& name : tensors.names()) {
      if (is_left_out(name)) continue;
      std::string target = target_of(name);
      if (!linear_names.contains(target)) add(name, std::move(target));
    }
    if (decoder.tied_head) tie_head();
    require_all();
  }

  void declare(std::vector<gguf_declaration>& declarations) const {
    for (const tensor& t : found_) declarations.push_back(t.declaration);
  }

  void write(gguf_writer& writer) const {
    for (const tensor& t : found_) {
      if (t.declaration.shape.size() == 2) {
        writer.write(t.declaration.name, tensors_.bytes(t.source));
        continue;
      }
      const std::vector<float> values = tensors_.read_floats(t.source);
      const std::span<const std::byte> bytes = std::as_bytes(std::span(values));
      if (has_rotary_neighbours(decoder_.architecture) && has_rotary_rows(t.declaration.name)) {
        writer.write(t.declaration.name,
                     rows_by_neighbours(bytes, static_cast<index>(values.size()), decoder_.head_dim));
      } else {
        writer.write(t.declaration.name, bytes);
      }
    }
  }

 private:
  struct tensor {
    std::string source;
    gguf_declaration declaration;
  };
  static constexpr std::string_view table_name = "token_embd.weight";
  static constexpr std::string_view head_name = "output.weight";

  [[nodiscard]] bool is_left_out(const std::string& name) const {
    const auto place = find_tensor_place(name, tensors_.shape(name).size());
    const bool is_encoder = place && (place->part == model_part::vision || place->part == model_part::projector);
    return is_encoder || name.ends_with(".rotary_emb.inv_freq");
  }

  /// The name in the file; throws for a tensor without one.
  [[nodiscard]] static std::string target_of(const std::string& name) {
    const std::size_t dot = name.rfind('.');
    const std::string ending = dot == std::string::npos ? "" : name.substr(dot);
    const auto module = gguf_module_name(std::string_view(name).substr(0, dot));
    if (!module || (ending != ".weight" && ending != ".bias")) {
      fail(errc::unsupported, "llama.cpp model: tensor ", in_quotes(name), ": no name is known for it there");
    }
    return *module + ending;
  }

  [[nodiscard]] std::vector<tensor>::iterator find(std::string_view name) {
    return std::find_if(found_.begin(), found_.end(), [&](const tensor& t) { return t.declaration.name == name; });
  }

  /// Leaves the table alone of a head and a table with the same content, or of a head without a table.
  void tie_head() {
    const auto head = find(head_name);
    const auto table = find(table_name);
    if (head == found_.end()) return;
    if (table == found_.end()) {
      head->declaration.name = table_name;
    } else if (head->declaration.type == table->declaration.type &&
               std::ranges::equal(tensors_.bytes(head->source), tensors_.bytes(table->source))) {
      found_.erase(head);
    }
  }

  void add(const std::string& source, std::string name) {
    const tensor_info& info = tensors_.info(source);
    if (info.shape != shape_of(name)) {
      fail(errc::shape_mismatch, "llama.cpp model: tensor ", in_quotes(source), ": expected ",
           shape_text(shape_of(name)), " by the decoder's sizes, got ", shape_text(info.shape));
    }
    found_.push_back({source, {std::move(name), type_of(info), info.shape}});
  }

  /// By the sizes of the decoder; {} for a tensor that it does not have.
  [[nodiscard]] std::vector<index> shape_of(std::string_view name) const {
    if (name == table_name || name == head_name) return {decoder_.vocabulary, decoder_.hidden_size};
    if (name.ends_with(".attn_q.bias")) return {decoder_.heads * decoder_.head_dim};
    if (name.ends_with(".attn_k.bias") || name.ends_with(".attn_v.bias")) {
      return {decoder_.key_value_heads * decoder_.head_dim};
    }
    if (name.ends_with(".ffn_gate.bias") || name.ends_with(".ffn_up.bias")) return {decoder_.intermediate_size};
    if (name.ends_with("_norm.weight") || name.ends_with(".bias")) return {decoder_.hidden_size};
    return {};
  }

  [[nodiscard]] static ggml_type type_of(const tensor_info& info) {
    if (info.shape.size() == 1 || info.dtype == tensor_dtype::f32) return ggml_type::f32;
    if (info.dtype == tensor_dtype::f16) return ggml_type::f16;
    if (info.dtype == tensor_dtype::bf16) return ggml_type::bf16;
    fail(errc::unsupported, "llama.cpp model: tensor ", in_quotes(info.name), ": expected F32, F16 or BF16, got ",
         info.dtype_label);
  }

  void require_all() const {
    std::vector<std::string> names{std::string(table_name), "output_norm.weight"};
    if (!decoder_.tied_head) names.emplace_back(head_name);
    for (index layer = 0; layer < decoder_.layers; ++layer) {
      const std::string prefix = "blk." + std::to_string(layer);
      names.push_back(prefix + ".attn_norm.weight");
      names.push_back(prefix + ".ffn_norm.weight");
      if (decoder_.architecture == llama_cpp_architecture::llama) continue;
      for (const char* const kind : {".attn_q.bias", ".attn_k.bias", ".attn_v.bias"}) names.push_back(prefix + kind);
    }
    for (const std::string& name : names) {
      const bool is_there =
          std::any_of(found_.begin(), found_.end(), [&](const tensor& t) { return t.declaration.name == name; });
      if (!is_there) fail(errc::corrupt_file, "llama.cpp model: no tensor of the checkpoint becomes ", name);
    }
  }

  const checkpoint& tensors_;
  const llama_cpp_decoder& decoder_;
  std::vector<tensor> found_;
};

}  // namespace luq::detail

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A plan for llama.cpp to carry out: which type each weight gets, as text for its quantizer, and what the inputs of
// each weight look like, as an importance matrix. The quantizer then encodes from float weights by its own searches, so
// it may use types that luq has no codec for (iq1_m); the codes are not those that luq would choose.
//
//   llama-quantize --pure --imatrix imatrix.gguf --tensor-type-file types.txt model-f16.gguf model.gguf q4_k
//
// With --pure, tensors without a line have the type at the end, exactly. A line of types.txt is PATTERN=TYPE, where
// PATTERN is lower-cased and searched for in the tensor's name as an ECMAScript regular expression; the first line that
// matches decides (a version of 2025 let the last one decide). Lines here are anchored and lower case, and each matches
// its own tensor only, so their order means nothing:
//
//   ^blk\.7\.ffn_down\.weight$=q1_0
//
// The importance matrix is the GGUF file of llama-imatrix: for each weight of `in` columns two tensors of f32,
//
//   NAME.in_sum2 [in] = sum of x_i^2 over tokens          NAME.counts [1] = tokens
//
// of which the quantizer takes the quotient. A Hessian of luq has the quotient in its diagonal, H_ii = 2 mean(x_i^2),
// over image tokens too. Not a model: vision towers and projectors are other files of llama.cpp, and have no lines.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "luq/codecs/any_codec.hpp"
#include "luq/core/assert.hpp"
#include "luq/core/error.hpp"
#include "luq/core/is_finite.hpp"
#include "luq/core/matrix_view.hpp"
#include "luq/io/files/detail/printable.hpp"
#include "luq/io/gguf/ggml_type.hpp"
#include "luq/io/gguf/gguf_writer.hpp"
#include "luq/policy/plan.hpp"

namespace luq {

/// The name that llama.cpp gives a module of a decoder, "blk.7.ffn_down" for "model.layers.7.mlp.down_proj"; its weight
/// has ".weight" appended. Takes names of text models (model.layers...), of multimodal ones as stored
/// (language_model.model.layers...) and as transformers names them since 4.52 (model.language_model.layers...).
/// Nothing for whatever else there is, such as vision towers.
[[nodiscard]] inline std::optional<std::string> gguf_module_name(std::string_view module) {
  using renaming = std::pair<std::string_view, std::string_view>;
  constexpr std::array<std::string_view, 3> prefixes{"language_model.model.", "model.language_model.", "model."};
  constexpr std::array<renaming, 9> of_layer{{{"input_layernorm", "attn_norm"},
                                              {"self_attn.q_proj", "attn_q"},
                                              {"self_attn.k_proj", "attn_k"},
                                              {"self_attn.v_proj", "attn_v"},
                                              {"self_attn.o_proj", "attn_output"},
                                              {"post_attention_layernorm", "ffn_norm"},
                                              {"mlp.gate_proj", "ffn_gate"},
                                              {"mlp.up_proj", "ffn_up"},
                                              {"mlp.down_proj", "ffn_down"}}};
  if (module == "lm_head" || module == "language_model.lm_head") return "output";
  const auto prefix = std::find_if(prefixes.begin(), prefixes.end(),
                                   [&](std::string_view candidate) { return module.starts_with(candidate); });
  if (prefix == prefixes.end()) return std::nullopt;
  module.remove_prefix(prefix->size());
  if (module == "embed_tokens") return "token_embd";
  if (module == "norm") return "output_norm";
  constexpr std::string_view layers = "layers.";
  if (!module.starts_with(layers)) return std::nullopt;
  module.remove_prefix(layers.size());
  const std::string_view number = module.substr(0, module.find('.'));
  const bool is_number =
      !number.empty() && std::all_of(number.begin(), number.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!is_number || (number.size() > 1 && number.front() == '0') || number.size() == module.size()) return std::nullopt;
  module.remove_prefix(number.size() + 1);
  for (const auto& [name, gguf_name] : of_layer) {
    if (module == name) return "blk." + std::string(number) + "." + std::string(gguf_name);
  }
  return std::nullopt;
}

/// The type that stands for each codec, both as text, such as {{"ternary:g256", "tq2_0"}}. Codecs that are not in it
/// have the type that holds what they hold, for sign:g128 q1_0 and for symmetric int4 q4_0, or none.
using llama_cpp_types = std::map<std::string, std::string, std::less<>>;

/// One weight of a plan under llama.cpp's names.
struct llama_cpp_choice {
  std::string tensor;  ///< "blk.7.ffn_down.weight"
  std::string type;    ///< "q1_0"
};

namespace detail {

/// The name of a module's weight, which must have one.
[[nodiscard]] inline std::string gguf_weight_name(std::string_view module) {
  const auto name = gguf_module_name(module);
  if (!name) {
    fail(errc::unsupported, "llama.cpp export: no name is known for ", in_quotes(module),
         ", expected a linear layer such as model.layers.7.mlp.down_proj");
  }
  return *name + ".weight";
}

/// The type for a codec, in lower case, or nothing.
[[nodiscard]] inline std::optional<std::string> llama_cpp_type(const any_codec& codec, const llama_cpp_types& types) {
  if (const auto given = types.find(codec_name(codec)); given != types.end()) {
    const auto known = parse_ggml_type(given->second);
    return known ? ggml_type_name(*known) : given->second;
  }
  if (codec == any_codec(sign_codec{.group = 128})) return "q1_0";
  const auto* const int4 = std::get_if<int_codec<4>>(&codec);
  if (int4 != nullptr && int4->symmetric) return "q4_0";
  return std::nullopt;
}

/// llama-quantize gives up on rows of broken blocks, or takes another type without being asked.
inline void require_whole_blocks(const linear_shape& linear, std::string_view type) {
  const auto known = parse_ggml_type(type);
  if (!known) return;  // of a fork
  const auto block = static_cast<index>(facts_of(*known)->block_weights);
  if (linear.cols % block != 0) {
    fail(errc::unsupported, "llama.cpp export: linear ", in_quotes(linear.name), ": ", linear.cols,
         " columns are not a multiple of ", block, ", the block of ", type);
  }
}

/// "^blk\.7\.ffn_down\.weight$", which matches that name alone.
[[nodiscard]] inline std::string anchored_pattern(std::string_view tensor) {
  std::string pattern = "^";
  for (const char character : tensor) {
    if (character == '.') pattern += '\\';
    pattern += character;
  }
  return pattern + "$";
}

}  // namespace detail

/// The type of every linear of a plan, by layer and in the order of its shape.
/// @throws luq::error invalid_argument naming the codecs without a type; unsupported naming a linear that has no name
///   in llama.cpp, or columns that are not whole blocks of its type; as require_consistent()
[[nodiscard]] inline std::vector<llama_cpp_choice> llama_cpp_choices(const plan& p, const llama_cpp_types& types = {}) {
  require_consistent(p);
  std::set<std::string> without_type;
  for (const any_codec& codec : p.codecs) {
    if (!detail::llama_cpp_type(codec, types)) without_type.insert(codec_name(codec));
  }
  if (!without_type.empty()) {
    std::string names;
    for (const std::string& name : without_type) names += (names.empty() ? "" : ", ") + name;
    fail(errc::invalid_argument, "llama.cpp export: no ggml type is given for ", names);
  }
  std::vector<llama_cpp_choice> result;
  std::set<std::string> tensors;
  for (std::size_t layer = 0; layer < p.shape.size(); ++layer) {
    const std::string type = *detail::llama_cpp_type(p.codecs[layer], types);
    for (const linear_shape& linear : p.shape[layer]) {
      detail::require_whole_blocks(linear, type);
      result.push_back({detail::gguf_weight_name(linear.name), type});
      if (!tensors.insert(result.back().tensor).second) {
        fail(errc::invalid_argument, "llama.cpp export: linear ", detail::in_quotes(linear.name),
             ": another one has the same name there, ", result.back().tensor);
      }
    }
  }
  return result;
}

/// The content of a file for llama-quantize --tensor-type-file.
/// @throws luq::error as llama_cpp_choices(); invalid_argument for a type that ggml does not have
[[nodiscard]] inline std::string llama_cpp_tensor_type_file(const plan& p, const llama_cpp_types& types = {}) {
  std::string text;
  for (const llama_cpp_choice& choice : llama_cpp_choices(p, types)) {
    if (!parse_ggml_type(choice.type)) {
      fail(errc::invalid_argument, "llama.cpp export: ", detail::in_quotes(choice.type), " is no type of ggml");
    }
    text += detail::anchored_pattern(choice.tensor) + "=" + choice.type + "\n";
  }
  return text;
}

/// The argument for the --custom-q of ik_llama.cpp's llama-quantize, which separates the same by commas. Its types are
/// not checked, for it has more than ggml. A shell wants the argument in single quotes.
/// @throws luq::error as llama_cpp_choices(); invalid_argument for a type that is not lower-case letters, digits and _
[[nodiscard]] inline std::string ik_llama_cpp_custom_q(const plan& p, const llama_cpp_types& types = {}) {
  std::string text;
  for (const llama_cpp_choice& choice : llama_cpp_choices(p, types)) {
    constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyz0123456789_";
    if (choice.type.empty() || choice.type.find_first_not_of(allowed) != std::string::npos) {
      fail(errc::invalid_argument, "llama.cpp export: ", detail::in_quotes(choice.type), " is no name of a type");
    }
    if (!text.empty()) text += ',';
    text += detail::anchored_pattern(choice.tensor) + "=" + choice.type;
  }
  return text;
}

/// What an importance matrix knows of one weight.
struct imatrix_entry {
  std::string tensor;          ///< "blk.7.ffn_down.weight"
  std::vector<float> in_sum2;  ///< [in] sum of x_i^2 over tokens, finite and >= 0
  index tokens = 0;            ///< >= 1
};

/// The entry of a linear from its Hessian. Linears with the same input, such as query, key and value, need one each.
/// With weighted tokens in_sum2 is the weighted mean of x_i^2 times the number of tokens, for the quantizer rounds
/// counts to integers.
/// @param H       [in x in], as luq::hessian::matrix() gives it; only the diagonal is read
/// @param tokens  as luq::hessian::tokens()
/// @throws luq::error unsupported if the module has no name in llama.cpp
[[nodiscard]] inline imatrix_entry make_imatrix_entry(std::string_view module, const matrix_view& H, index tokens) {
  LUQ_ASSERT(H.rows() == H.cols());
  imatrix_entry entry{detail::gguf_weight_name(module), {}, tokens};
  for (index i = 0; i < H.rows(); ++i) {
    entry.in_sum2.push_back(static_cast<float>(0.5 * static_cast<double>(H(i, i)) * static_cast<double>(tokens)));
  }
  return entry;
}

/// Where the tokens of an importance matrix come from; llama.cpp only shows it.
struct imatrix_origin {
  std::vector<std::string> datasets;  ///< names of files or sets, at least one by custom
  std::uint32_t chunk_count = 1;      ///< sequences
  std::uint32_t chunk_size = 512;     ///< tokens of a sequence; 512 is llama-imatrix's default
};

/// Writes an importance matrix that llama-quantize --imatrix reads, by ascending names as llama-imatrix does.
/// @throws luq::error invalid_argument without entries, for a negative sum or a tensor named twice; insufficient_data
///   for an entry without tokens; non_finite; io_failure
inline void write_imatrix(const std::filesystem::path& path, std::vector<imatrix_entry> entries,
                          const imatrix_origin& origin) {
  if (entries.empty()) fail(errc::invalid_argument, "imatrix: expected at least one entry");
  std::sort(entries.begin(), entries.end(),
            [](const imatrix_entry& a, const imatrix_entry& b) { return a.tensor < b.tensor; });
  std::vector<gguf_source> tensors;
  std::vector<float> counts;
  counts.reserve(entries.size());  // sources point into it
  for (const imatrix_entry& entry : entries) {
    if (entry.tokens < 1) fail(errc::insufficient_data, "imatrix: ", detail::in_quotes(entry.tensor), " has no tokens");
    for (const float sum : entry.in_sum2) {
      if (!is_finite(sum))
        fail(errc::non_finite, "imatrix: ", detail::in_quotes(entry.tensor), ": in_sum2 holds ", sum);
      if (sum < 0) fail(errc::invalid_argument, "imatrix: ", detail::in_quotes(entry.tensor), ": in_sum2 holds ", sum);
    }
    counts.push_back(static_cast<float>(entry.tokens));
    tensors.push_back({{entry.tensor + ".in_sum2", ggml_type::f32, {static_cast<index>(entry.in_sum2.size())}},
                       std::as_bytes(std::span(entry.in_sum2))});
    tensors.push_back({{entry.tensor + ".counts", ggml_type::f32, {1}}, std::as_bytes(std::span(&counts.back(), 1))});
  }
  write_gguf(path, tensors,
             {{"general.type", "imatrix"},
              {"imatrix.datasets", gguf_array(origin.datasets)},
              {"imatrix.chunk_count", origin.chunk_count},
              {"imatrix.chunk_size", origin.chunk_size}});
}

}  // namespace luq

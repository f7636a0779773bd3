// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Text and size of a recipe.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <type_traits>
#include <variant>

#include "luq/codecs/detail/codec_text.hpp"
#include "luq/codecs/recipe.hpp"
#include "luq/codecs/transform_bytes.hpp"
#include "luq/core/error.hpp"

namespace luq {
namespace detail {

inline constexpr std::array<std::string_view, 4> transform_methods{"", "hadamard", "awq", "rowcol"};
inline constexpr std::array<std::string_view, 5> code_searches{"rtn", "gptq", "gptaq", "billm", "beam"};

[[nodiscard]] LUQ_INLINE bool has_sequence_codes(const any_codec& codec) {
  return std::visit([](const auto& c) { return SequenceCodec<std::remove_cvref_t<decltype(c)>>; }, codec);
}

/// The place of a word in a list; the list's size if it is not there.
template <std::size_t Count>
[[nodiscard]] std::size_t place_of(std::string_view word, const std::array<std::string_view, Count>& list) {
  return static_cast<std::size_t>(std::find(list.begin(), list.end(), word) - list.begin());
}

[[noreturn]] inline void refuse_recipe(std::string_view text, std::string_view reason) {
  fail(errc::invalid_argument, "recipe \"", one_line(text), "\": ", reason);
}

/// Reads [qep+]SEARCH[+refine].
LUQ_INLINE void read_search(std::string_view text, std::string_view steps, recipe& r) {
  constexpr std::string_view before = "qep+";
  constexpr std::string_view after = "+refine";
  r.propagates_error = steps.starts_with(before);
  if (r.propagates_error) steps.remove_prefix(before.size());
  r.refines = steps.ends_with(after);
  if (r.refines) steps.remove_suffix(after.size());
  const std::size_t search = place_of(steps, code_searches);
  if (search == code_searches.size()) {
    refuse_recipe(text, "expected a search [qep+]SEARCH[+refine] of rtn, gptq, gptaq, billm and beam");
  }
  r.search = static_cast<code_search>(search);
}

}  // namespace detail

LUQ_INLINE recipe recipe::best_for(const any_codec& codec) {
  const bool is_sequence = detail::has_sequence_codes(codec);
  return {transform_method::none, codec, is_sequence ? code_search::beam : code_search::gptq, !is_sequence};
}

LUQ_INLINE std::string recipe_name(const recipe& r) {
  std::string text(detail::transform_methods[static_cast<std::size_t>(r.transform)]);
  if (!text.empty()) text += '/';
  text += codec_name(r.codec);
  text += r.propagates_error ? "/qep+" : "/";
  text += detail::code_searches[static_cast<std::size_t>(r.search)];
  if (r.refines) text += "+refine";
  return text;
}

LUQ_INLINE recipe parse_recipe(std::string_view text) {
  std::string_view rest = text;
  const std::size_t method = detail::place_of(rest.substr(0, rest.find('/')), detail::transform_methods);
  const bool is_transformed = method > 0 && method < detail::transform_methods.size();
  if (is_transformed && rest.find('/') == rest.npos)
    detail::refuse_recipe(text, "expected a codec after the transform");
  if (is_transformed) rest.remove_prefix(rest.find('/') + 1);
  const std::size_t codec_end = (std::min)(rest.find('/'), rest.size());
  recipe result = parse_codec(rest.substr(0, codec_end));
  if (is_transformed) result.transform = static_cast<transform_method>(method);
  if (codec_end < rest.size()) detail::read_search(text, rest.substr(codec_end + 1), result);
  require_valid(result);
  return result;
}

LUQ_INLINE void require_valid(const recipe& r) {
  const bool needs_memoryless = r.search == code_search::gptq || r.search == code_search::gptaq || r.refines;
  if (needs_memoryless && detail::has_sequence_codes(r.codec)) {
    detail::refuse_recipe(recipe_name(r), "expected beam, rtn or billm, without refine: codes depend on one another");
  }
  if (r.propagates_error && r.search == code_search::gptaq) {
    detail::refuse_recipe(recipe_name(r), "expected qep or gptaq: both answer the drift of the inputs");
  }
}

LUQ_INLINE bool needs_inputs(const recipe& r) {
  return r.search != code_search::rtn || r.refines || needs_drift(r) || r.transform == transform_method::awq;
}

LUQ_INLINE bool needs_drift(const recipe& r) {
  return r.propagates_error || r.search == code_search::gptaq;
}

LUQ_INLINE std::string_view stored_transform(const recipe& r) {
  if (r.transform == transform_method::none) return {};
  return r.transform == transform_method::hadamard ? "hadamard" : "scaling";
}

LUQ_INLINE std::string stored_name(const recipe& r) {
  return stored_name(stored_transform(r), r.codec);
}

LUQ_INLINE index packed_bytes(const recipe& r, index rows, index cols) {
  return packed_bytes(r.codec, rows, cols) + transform_bytes(stored_transform(r), cols);
}

LUQ_INLINE double bits_per_weight(const recipe& r, index rows, index cols) {
  return 8.0 * static_cast<double>(packed_bytes(r, rows, cols)) /
         (static_cast<double>(rows) * static_cast<double>(cols));
}

}  // namespace luq

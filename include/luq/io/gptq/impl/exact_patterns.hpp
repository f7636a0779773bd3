// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The definitions of luq/io/gptq/detail/exact_patterns.hpp.
//
// IWYU pragma: private, include "luq/io/gptq/detail/exact_patterns.hpp"
#pragma once

#include "luq/io/gptq/detail/exact_patterns.hpp"

#include <algorithm>
#include <utility>

#include "luq/core/compiled.hpp"
#include "luq/core/text.hpp"

namespace luq::detail {

LUQ_INLINE std::string escape_pattern(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (std::string_view(R"(\.^$*+?()[]{}|)").find(c) != std::string_view::npos) result += '\\';
    result += c;
  }
  return result;
}

/// "(?:a|b)" of the escaped texts, or "a" of one; several such where one would exceed `limit` bytes by far.
[[nodiscard]] inline std::vector<std::string> alternations(const std::vector<std::string>& texts, std::size_t limit) {
  std::vector<std::string> results;
  for (std::size_t next = 0; next < texts.size();) {
    std::string result = escape_pattern(texts[next++]);
    if (next < texts.size() && result.size() < limit) {
      result = "(?:" + result;
      while (next < texts.size() && result.size() < limit) (result += '|') += escape_pattern(texts[next++]);
      result += ")";
    }
    results.push_back(std::move(result));
  }
  return results;
}

LUQ_INLINE std::vector<std::string> exact_patterns(const std::vector<std::string>& names, std::size_t limit) {
  /// Names prefix + number + ending, for all of some numbers and endings; without a number the ending is the name.
  struct family {
    std::string prefix;
    std::vector<std::string> numbers;
    std::vector<std::string> endings;
  };
  std::vector<family> families;
  for (const std::string& name : names) {
    std::string prefix;
    std::string number;
    std::string ending = name;
    for (std::size_t begin = name.find('.'); begin != std::string::npos; begin = name.find('.', begin + 1)) {
      const std::size_t end = name.find('.', begin + 1);
      if (end == std::string::npos || end == begin + 1) continue;
      const std::string_view component = std::string_view(name).substr(begin + 1, end - begin - 1);
      if (component.find_first_not_of("0123456789") != std::string_view::npos) continue;
      prefix = name.substr(0, begin + 1);
      number = component;
      ending = name.substr(end);
      break;
    }
    // The linears of a layer come one after the other, so the family sought is among the last.
    const auto same = std::find_if(families.rbegin(), families.rend(),
                                   [&](const family& f) { return f.prefix == prefix && f.numbers.front() == number; });
    if (same != families.rend()) {
      same->endings.push_back(std::move(ending));
    } else {
      families.push_back({std::move(prefix), {std::move(number)}, {std::move(ending)}});
    }
  }
  std::vector<family> merged;
  for (family& f : families) {
    const auto same = std::find_if(merged.begin(), merged.end(),
                                   [&](const family& m) { return m.prefix == f.prefix && m.endings == f.endings; });
    if (same != merged.end()) {
      same->numbers.push_back(std::move(f.numbers.front()));
    } else {
      merged.push_back(std::move(f));
    }
  }
  std::vector<std::string> patterns;
  for (const family& f : merged) {
    for (const std::string& number : alternations(f.numbers, limit)) {
      for (const std::string& ending : alternations(f.endings, limit)) {
        patterns.push_back(text_of('^', escape_pattern(f.prefix), number, ending, '$'));
      }
    }
  }
  return patterns;
}

}  // namespace luq::detail

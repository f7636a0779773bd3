// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A small strict reader of the markup that reports are made of: tags that balance, quoted attributes, no reserved
// character in text. It knows no HTML beyond the elements without an end tag.
#pragma once

#include <doctest/doctest.h>

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace vlm_test {

struct element {
  std::string name;
  std::map<std::string, std::string> attributes;
  std::string text;                 ///< directly in it, with entities replaced
  std::vector<std::string> within;  ///< names of the elements around it, outermost first
};

/// Reads markup into its elements, in the order of their begin tags. What is wrong ends the test.
class markup_reader {
 public:
  static std::vector<element> read(const std::string& text) { return markup_reader(text).read_all(); }

 private:
  explicit markup_reader(const std::string& text) : text_(text) {}

  std::vector<element> read_all() {
    while (position_ < text_.size()) {
      if (text_[position_] == '<') {
        read_tag();
      } else {
        read_text();
      }
    }
    INFO("an element without end tag: ", open_.empty() ? "" : elements_[open_.back()].name);
    REQUIRE(open_.empty());
    return elements_;
  }

  void read_tag() {
    const std::size_t end = text_.find('>', position_);
    const std::string tag = text_.substr(position_, end - position_ + 1);
    CAPTURE(tag);
    REQUIRE(end != std::string::npos);
    position_ = end + 1;
    if (tag == "<!doctype html>") {
      REQUIRE(elements_.empty());
    } else if (tag.starts_with("</")) {
      REQUIRE(!open_.empty());
      REQUIRE(tag == "</" + elements_[open_.back()].name + ">");
      open_.pop_back();
    } else {
      begin_element(tag.substr(1, tag.size() - 2));
    }
  }

  /// @param content  of the tag, without its brackets
  void begin_element(std::string content) {
    static const std::set<std::string> without_end{"meta", "br", "hr"};
    const bool closed = content.ends_with('/');
    if (closed) content.pop_back();
    std::size_t at = content.find_first_of(" \n");
    element result;
    result.name = content.substr(0, at);
    REQUIRE(!result.name.empty());
    while (at < content.size()) {
      at = content.find_first_not_of(" \n", at);
      if (at == std::string::npos) break;
      const std::size_t equals = content.find("=\"", at);
      REQUIRE(equals != std::string::npos);
      const std::size_t end = content.find('"', equals + 2);
      REQUIRE(end != std::string::npos);
      const std::string key = content.substr(at, equals - at);
      REQUIRE(key.find_first_not_of("abcdefghijklmnopqrstuvwxyz-0123456789B") == std::string::npos);
      REQUIRE(result.attributes.emplace(key, plain(content.substr(equals + 2, end - equals - 2))).second);
      at = end + 1;
      REQUIRE((at == content.size() || content[at] == ' ' || content[at] == '\n'));
    }
    for (const std::size_t outer : open_) result.within.push_back(elements_[outer].name);
    elements_.push_back(result);
    if (!closed && !without_end.contains(result.name)) open_.push_back(elements_.size() - 1);
  }

  void read_text() {
    const std::size_t end = std::min(text_.find('<', position_), text_.size());
    const std::string text = text_.substr(position_, end - position_);
    position_ = end;
    if (open_.empty()) {
      REQUIRE(text.find_first_not_of(" \n") == std::string::npos);
    } else if (elements_[open_.back()].name == "style") {
      elements_[open_.back()].text += text;
    } else {
      elements_[open_.back()].text += plain(text);
    }
  }

  /// Text with its entities replaced; reserved characters that are none are an error.
  static std::string plain(const std::string& text) {
    static const std::map<std::string, char> entities{{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}};
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
      CAPTURE(text);
      REQUIRE(text[i] != '<');
      REQUIRE(text[i] != '>');
      if (text[i] != '&') {
        result += text[i];
        continue;
      }
      const std::size_t end = text.find(';', i);
      REQUIRE(end != std::string::npos);
      const auto entity = entities.find(text.substr(i + 1, end - i - 1));
      REQUIRE(entity != entities.end());
      result += entity->second;
      i = end;
    }
    return result;
  }

  const std::string& text_;
  std::size_t position_ = 0;
  std::vector<element> elements_;
  std::vector<std::size_t> open_;  // positions of elements that have begun and not ended
};

/// Elements of one name.
[[nodiscard]] inline std::vector<element> elements_of(const std::vector<element>& all, const std::string& name) {
  std::vector<element> result;
  for (const element& e : all) {
    if (e.name == name) result.push_back(e);
  }
  return result;
}

}  // namespace vlm_test

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "document.hpp"

#include <charconv>

namespace vlm {

namespace {

// Colours were chosen to stay apart for colour-blind readers on both backgrounds (after Okabe and Ito); lines are told
// apart by dashes and markers as well.
constexpr const char* style = R"css(
:root { color-scheme: light dark;
  --page: #ffffff; --ink: #1c2024; --muted: #60686f; --rule: #d9dee2; --panel: #f6f8f9;
  --series-0: #0066aa; --series-1: #c2410c; --series-2: #00805c; --series-3: #8a3f8f; --series-4: #7a6a00; --series-5: #5b6670; }
@media (prefers-color-scheme: dark) { :root {
  --page: #14181b; --ink: #e6e9ec; --muted: #9aa4ac; --rule: #333b41; --panel: #1b2125;
  --series-0: #5cb3f2; --series-1: #f79256; --series-2: #45c79b; --series-3: #d593da; --series-4: #d9c74f; --series-5: #a9b4bd; } }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 60rem; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.25; } h2 { font-size: 1.25rem; margin-top: 2.5rem; }
p { max-width: 46rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.92rem; margin: 1rem 0; }
th, td { padding: 0.3rem 0.8rem 0.3rem 0; border-bottom: 1px solid var(--rule); text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; } th { color: var(--muted); font-weight: 600; }
pre { background: var(--panel); padding: 0.8rem 1rem; overflow-x: auto; border-radius: 6px; }
figure { margin: 1.5rem 0; } svg { width: 100%; height: auto; display: block; }
svg text { fill: var(--ink); font: 12px system-ui, sans-serif; } svg .muted { fill: var(--muted); }
svg .title { font-size: 14px; font-weight: 600; } svg .grid { stroke: var(--rule); stroke-width: 1; }
)css";

struct html_renderer {
  std::string operator()(const heading& part) const { return "<h2>" + escape_html(part.text) + "</h2>\n"; }
  std::string operator()(const paragraph& part) const { return "<p>" + escape_html(part.text) + "</p>\n"; }
  std::string operator()(const preformatted& part) const { return "<pre>" + escape_html(part.text) + "</pre>\n"; }
  std::string operator()(const chart& part) const { return "<figure>" + render_svg(part) + "</figure>\n"; }
  std::string operator()(const table& part) const {
    std::string html = "<div class=\"scroll\"><table><thead>" + row("th", part.header) + "</thead><tbody>\n";
    for (const auto& cells : part.rows) html += row("td", cells) + "\n";
    return html + "</tbody></table></div>\n";
  }

  static std::string row(const std::string& tag, const std::vector<std::string>& cells) {
    std::string html = "<tr>";
    for (const auto& cell : cells) html += "<" + tag + ">" + escape_html(cell) + "</" + tag + ">";
    return html + "</tr>";
  }
};

struct markdown_renderer {
  std::string operator()(const heading& part) const { return "## " + part.text + "\n\n"; }
  std::string operator()(const paragraph& part) const { return part.text + "\n\n"; }
  std::string operator()(const preformatted& part) const { return "```\n" + part.text + "\n```\n\n"; }
  std::string operator()(const chart&) const { return ""; }
  std::string operator()(const table& part) const {
    std::string text = row(part.header) + "|";
    for (std::size_t column = 0; column < part.header.size(); ++column) text += column == 0 ? "---|" : "---:|";
    text += '\n';
    for (const auto& cells : part.rows) text += row(cells);
    return text + "\n";
  }

  static std::string row(const std::vector<std::string>& cells) {
    std::string text = "|";
    for (const auto& cell : cells) (text += ' ') += escape_cell(cell) + " |";
    return text + "\n";
  }

  /// A bar would end the cell.
  static std::string escape_cell(const std::string& cell) {
    std::string escaped;
    for (const char character : cell) escaped += character == '|' ? "\\|" : std::string(1, character);
    return escaped;
  }
};

}  // namespace

std::string render_html(const document& report) {
  std::string html =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>" +
      escape_html(report.title) + "</title><style>" + style + "</style></head><body>\n<h1>" +
      escape_html(report.title) + "</h1>\n";
  for (const auto& part : report.parts) html += std::visit(html_renderer{}, part);
  return html + "</body></html>\n";
}

std::string render_markdown(const document& report) {
  std::string text = "# " + report.title + "\n\n";
  for (const auto& part : report.parts) text += std::visit(markdown_renderer{}, part);
  text.pop_back();  // the blank line after the last part
  return text;
}

std::string escape_html(const std::string& text) {
  std::string escaped;
  for (const char character : text) {
    switch (character) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped += character;
    }
  }
  return escaped;
}

std::string fixed(double value, int decimals) {
  constexpr std::size_t largest = 312;  // sign, digits of the largest double, point
  std::string text(largest + static_cast<std::size_t>(decimals), '\0');
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed, decimals).ptr;
  text.resize(static_cast<std::size_t>(end - text.data()));
  if (text.front() == '-' && text.find_first_not_of("-0.") == std::string::npos) text.erase(0, 1);
  return text;
}

}  // namespace vlm

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "report/document.hpp"

#include <algorithm>
#include <limits>

#include "foreign_locale.hpp"
#include "markup_test_support.hpp"

using vlm_test::element;
using vlm_test::elements_of;
using vlm_test::markup_reader;

namespace {

const std::string reserved = "a < b & \"c\" > d";

/// One part of each kind, every text with all reserved characters.
vlm::document full_document() {
  vlm::chart figure{reserved, reserved, reserved, vlm::chart_kind::line, {{reserved, {0, 1}, {2, 3}}}, false};
  return {reserved,
          {vlm::heading{reserved}, vlm::paragraph{reserved}, vlm::preformatted{reserved},
           vlm::table{{"name", reserved}, {{reserved, "1"}, {"x", "2"}}}, figure}};
}

}  // namespace

TEST_CASE("a page is well formed, whatever its texts are") {
  const std::string html = vlm::render_html(full_document());
  CHECK(html.starts_with("<!doctype html>\n"));
  const std::vector<element> elements = markup_reader::read(html);
  CHECK(elements.front().name == "html");
  // What was put in comes out, so nothing of it became markup.
  REQUIRE(elements_of(elements, "h1").size() == 1);
  CHECK(elements_of(elements, "h1")[0].text == reserved);
  CHECK(elements_of(elements, "h2")[0].text == reserved);
  CHECK(elements_of(elements, "p")[0].text == reserved);
  CHECK(elements_of(elements, "pre")[0].text == reserved);
  CHECK(elements_of(elements, "title")[0].text == reserved);
  CHECK(elements_of(elements, "svg")[0].attributes.at("aria-label") == reserved);
  CHECK(std::ranges::count_if(elements_of(elements, "text"), [](const auto& e) { return e.text == reserved; }) == 4);

  const auto cells = elements_of(elements, "td");
  REQUIRE(cells.size() == 4);
  CHECK(cells[0].text == reserved);
  CHECK(cells[1].text == "1");
  CHECK(cells[3].text == "2");
  CHECK(cells[0].within == std::vector<std::string>{"html", "body", "div", "table", "tbody", "tr"});
  const auto header = elements_of(elements, "th");
  REQUIRE(header.size() == 2);
  CHECK(header[1].text == reserved);
  CHECK(header[0].within.at(4) == "thead");
}

TEST_CASE("parts stay in their order") {
  vlm::document report{"title", {vlm::paragraph{"1"}, vlm::heading{"2"}, vlm::preformatted{"3"}, vlm::paragraph{"4"}}};
  std::string order;
  for (const element& e : markup_reader::read(vlm::render_html(report))) {
    if (e.name == "p" || e.name == "h2" || e.name == "pre") order += e.text;
  }
  CHECK(order == "1234");
}

TEST_CASE("a page refers to nothing outside itself") {
  const std::string html = vlm::render_html(full_document());
  for (const char* reference : {"http", "//", "src=", "href", "@import", "url(", "<script", "<link", "<iframe"}) {
    CAPTURE(reference);
    CHECK(html.find(reference) == std::string::npos);
  }
}

TEST_CASE("every colour that a page uses has a light and a dark value") {
  vlm::document report = full_document();
  vlm::chart& figure = std::get<vlm::chart>(report.parts.back());
  for (int i = 0; i < 8; ++i) figure.series.push_back({std::to_string(i), {0, 1}, {2, 3}});
  const std::string html = vlm::render_html(report);
  const std::string style = elements_of(markup_reader::read(html), "style").at(0).text;
  const std::size_t dark = style.find("@media (prefers-color-scheme: dark) {");
  REQUIRE(dark != std::string::npos);
  const std::string dark_part = style.substr(dark, style.find("} }", dark) - dark);
  const std::string light_part = style.substr(0, dark);
  CHECK(light_part.find("color-scheme: light dark;") != std::string::npos);

  std::set<std::string> used;
  for (std::size_t at = html.find("var("); at != std::string::npos; at = html.find("var(", at + 1)) {
    used.insert(html.substr(at + 4, html.find(')', at) - at - 4));
  }
  CHECK(used.size() >= 10);  // page, ink, rule ... and the six of the series
  CHECK(used.contains("--series-5"));
  const auto value_in = [](const std::string& part, const std::string& variable) {
    const std::size_t at = part.find(variable + ": #");
    return at == std::string::npos ? std::string() : part.substr(at + variable.size() + 2, 7);
  };
  for (const std::string& variable : used) {
    CAPTURE(variable);
    CHECK(value_in(light_part, variable).size() == 7);
    CHECK(value_in(dark_part, variable).size() == 7);
    CHECK(value_in(light_part, variable) != value_in(dark_part, variable));
  }
}

TEST_CASE("Markdown") {
  const vlm::document report{
      "Title",
      {vlm::heading{"Part"}, vlm::paragraph{"Text."},
       vlm::table{{"name", "n", "m"}, {{"a|b", "1", "2"}, {"", "3", ""}}}, vlm::preformatted{"run | it"},
       vlm::chart{"unseen", "x", "y", vlm::chart_kind::line, {}, false}}};
  CHECK(vlm::render_markdown(report) ==
        "# Title\n\n"
        "## Part\n\n"
        "Text.\n\n"
        "| name | n | m |\n"
        "|---|---:|---:|\n"
        "| a\\|b | 1 | 2 |\n"
        "|  | 3 |  |\n\n"
        "```\nrun | it\n```\n");
  CHECK(vlm::render_markdown({"Only", {}}) == "# Only\n");
}

TEST_CASE("reserved characters of HTML are replaced, others stay") {
  CHECK(vlm::escape_html("<a href=\"x\">&amp;</a>") == "&lt;a href=&quot;x&quot;&gt;&amp;amp;&lt;/a&gt;");
  CHECK(vlm::escape_html("3×3 – plain 'text'; ok") == "3×3 – plain 'text'; ok");
  CHECK(vlm::escape_html("").empty());
}

TEST_CASE("numbers with a fixed count of decimals") {
  CHECK(vlm::fixed(3.14159, 2) == "3.14");
  CHECK(vlm::fixed(2.0, 0) == "2");
  CHECK(vlm::fixed(1234567.891, 1) == "1234567.9");
  CHECK(vlm::fixed(-0.26, 1) == "-0.3");
  CHECK(vlm::fixed(0.0, 3) == "0.000");
  CHECK(vlm::fixed(-0.0, 1) == "0.0");
  CHECK(vlm::fixed(-0.04, 1) == "0.0");
  CHECK(vlm::fixed(-0.4, 0) == "0");
  CHECK(vlm::fixed(1e-7, 8) == "0.00000010");
  const std::string largest = vlm::fixed(-std::numeric_limits<double>::max(), 6);
  CHECK(largest.size() == 1 + 309 + 1 + 6);
  CHECK(largest.starts_with("-17976931348623157"));
}

TEST_CASE("numbers do not depend on the locale") {
  const vlm::chart figure{"", "", "", vlm::chart_kind::line, {{"", {0.25, 12345}, {1.5, 67890}}}, false};
  const vlm::document page{"page", {vlm::table{{"name", "value"}, {{"a", vlm::fixed(1234.5, 1)}}}, figure}};
  const std::string svg = vlm::render_svg(figure);
  const std::string html = vlm::render_html(page);
  const luq_test::foreign_locale locale;
  CHECK(vlm::fixed(1234567.125, 2) == "1234567.12");
  CHECK(vlm::render_svg(figure) == svg);
  CHECK(vlm::render_html(page) == html);
}

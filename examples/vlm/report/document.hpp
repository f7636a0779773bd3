// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A report as a value: headings, paragraphs, tables and charts in order, rendered as one self-contained HTML page
// (charts are inline SVG, no script, no font, no network) or as Markdown (without the charts, whose numbers stand in
// the tables).
#pragma once

#include <string>
#include <variant>
#include <vector>

namespace vlm {

/// One line or one set of bars of a chart. y[i] belongs to x[i]; low and high, if given, are the ends of an interval
/// around y[i]. A point of which any of these is no finite number is left out.
struct chart_series {
  std::string name;
  std::vector<double> x;
  std::vector<double> y;
  std::vector<double> low = {};
  std::vector<double> high = {};
  bool emphasized = false;  ///< drawn thicker and on top: the series the chart is about
};

enum class chart_kind { line, bar };

struct chart {
  std::string title;
  std::string x_label;
  std::string y_label;
  chart_kind kind = chart_kind::line;
  std::vector<chart_series> series;
  bool y_from_zero = false;  ///< for quantities whose size matters (bytes); otherwise the range of the data
};

struct heading {
  std::string text;
};

struct paragraph {
  std::string text;
};

/// Cells are plain text; columns after the first are numbers and aligned right.
struct table {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
};

/// Text of fixed width, shown as it is: a command.
struct preformatted {
  std::string text;
};

using document_part = std::variant<heading, paragraph, table, preformatted, chart>;

struct document {
  std::string title;
  std::vector<document_part> parts;
};

[[nodiscard]] std::string render_html(const document& report);
[[nodiscard]] std::string render_markdown(const document& report);

/// A chart as an SVG element; colours come from the CSS variables of the page, which follow its light or dark scheme.
[[nodiscard]] std::string render_svg(const chart& figure);

/// `text` with the characters that HTML reserves replaced.
[[nodiscard]] std::string escape_html(const std::string& text);

/// A number with a fixed count of decimals, independent of the locale; what rounds to zero has no sign.
/// @param decimals  >= 0
[[nodiscard]] std::string fixed(double value, int decimals);

}  // namespace vlm

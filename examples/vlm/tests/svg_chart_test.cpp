// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Charts: every coordinate is a finite number within the view box, and marks stand where their values say.
#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>

#include "markup_test_support.hpp"
#include "report/document.hpp"

using vlm::chart;
using vlm::chart_kind;
using vlm::chart_series;
using vlm_test::element;
using vlm_test::elements_of;
using vlm_test::markup_reader;

namespace {

constexpr double pixel = 0.11;  // coordinates have one decimal

double number(const std::string& text) {
  std::size_t used = 0;
  CAPTURE(text);
  REQUIRE(text.find_first_not_of("-0123456789.") == std::string::npos);
  const double value = std::stod(text, &used);
  REQUIRE(used == text.size());
  return value;
}

double attribute(const element& e, const char* name) {
  CAPTURE(e.name);
  CAPTURE(name);
  REQUIRE(e.attributes.contains(name));
  return number(e.attributes.at(name));
}

struct point {
  double x;
  double y;
};

std::vector<point> points_of(const element& polyline) {
  std::vector<point> points;
  std::istringstream stream(polyline.attributes.at("points"));
  for (std::string pair; stream >> pair;) {
    const std::size_t comma = pair.find(',');
    REQUIRE(comma != std::string::npos);
    points.push_back({number(pair.substr(0, comma)), number(pair.substr(comma + 1))});
  }
  return points;
}

/// A chart that was rendered and looked through.
struct drawing {
  std::string svg;
  std::vector<element> elements;
  double width = 0;
  double height = 0;

  explicit drawing(const chart& figure) : svg(vlm::render_svg(figure)), elements(markup_reader::read(svg)) {
    const element& root = elements.front();
    REQUIRE(root.name == "svg");
    std::istringstream box(root.attributes.at("viewBox"));
    double left = -1;
    double top = -1;
    box >> left >> top >> width >> height;
    REQUIRE(!box.fail());
    CHECK(left == 0);
    CHECK(top == 0);
    CHECK(svg.find("nan") == std::string::npos);
    CHECK(svg.find("inf") == std::string::npos);
    for (const element& e : elements) check_within(e);
  }

  [[nodiscard]] std::vector<element> all(const std::string& name) const { return elements_of(elements, name); }

  /// Positions of the horizontal lines of the grid, upwards.
  [[nodiscard]] std::vector<double> grid() const {
    std::vector<double> lines;
    for (const element& line : all("line")) {
      if (line.attributes.contains("class")) lines.push_back(attribute(line, "y1"));
    }
    return lines;
  }

  /// Numbers at the vertical axis, upwards: one for each line of the grid.
  [[nodiscard]] std::vector<double> y_ticks() const {
    std::vector<double> ticks;
    for (const element& text : all("text")) {
      if (text.attributes.at("text-anchor") == "end") ticks.push_back(number(text.text));
    }
    return ticks;
  }

  /// Texts at the horizontal axis.
  [[nodiscard]] std::vector<std::string> x_ticks() const {
    std::vector<std::string> ticks;
    for (const element& text : all("text")) {
      if (text.attributes.at("text-anchor") == "middle" && text.attributes.contains("x")) ticks.push_back(text.text);
    }
    ticks.pop_back();  // the label of the axis comes last
    return ticks;
  }

  /// Where the vertical axis has a value.
  [[nodiscard]] double y_of(double value) const {
    const std::vector<double> lines = grid();
    const std::vector<double> ticks = y_ticks();
    REQUIRE(lines.size() == ticks.size());
    REQUIRE(lines.size() >= 2);
    const double share = (value - ticks.front()) / (ticks.back() - ticks.front());
    return lines.front() + share * (lines.back() - lines.front());
  }

  [[nodiscard]] std::vector<element> intervals() const {
    std::vector<element> lines = all("line");
    std::erase_if(lines, [](const element& line) {
      return !line.attributes.contains("stroke-width") || line.attributes.at("stroke-width") != "1.2";
    });
    return lines;
  }

 private:
  void check_within(const element& e) const {
    CAPTURE(e.name);
    const auto check_x = [&](double x) { CHECK((x >= 0 && x <= width)); };
    const auto check_y = [&](double y) { CHECK((y >= 0 && y <= height)); };
    for (const auto& entry : e.attributes) {
      const std::string& key = entry.first;
      const std::string& value = entry.second;
      CAPTURE(key);
      if (key == "x" || key == "x1" || key == "x2" || key == "cx") check_x(number(value));
      if (key == "y" || key == "y1" || key == "y2" || key == "cy") check_y(number(value));
    }
    if (e.name == "rect") {
      CHECK(attribute(e, "width") > 0);
      CHECK(attribute(e, "height") >= 0);
      check_x(attribute(e, "x") + attribute(e, "width"));
      check_y(attribute(e, "y") + attribute(e, "height"));
    }
    if (e.name == "polyline") {
      for (const point& p : points_of(e)) {
        check_x(p.x);
        check_y(p.y);
      }
    }
  }
};

chart line_chart(std::vector<chart_series> series) {
  return {"title", "x axis", "y axis", chart_kind::line, std::move(series), false};
}

chart bar_chart(std::vector<chart_series> series) {
  return {"title", "x axis", "y axis", chart_kind::bar, std::move(series), true};
}

}  // namespace

TEST_CASE("points of a line stand where their values say") {
  const std::vector<double> y{5.25, 5.75, 4.5, 6.0};
  const drawing drawn(line_chart({{"series", {0, 1, 2, 4}, y}}));
  const auto circles = drawn.all("circle");
  const auto points = points_of(drawn.all("polyline").at(0));
  REQUIRE(circles.size() == 4);
  REQUIRE(points.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(std::abs(attribute(circles[i], "cy") - drawn.y_of(y[i])) < pixel);
    CHECK(points[i].x == attribute(circles[i], "cx"));
    CHECK(points[i].y == attribute(circles[i], "cy"));
  }
  const double unit = points[1].x - points[0].x;
  CHECK(unit > 100);
  CHECK(std::abs(points[3].x - points[0].x - 4 * unit) < 5 * pixel);
  CHECK(drawn.y_ticks().front() <= 4.5);
  CHECK(drawn.y_ticks().back() >= 6.0);
  const auto titles = drawn.all("title");
  CHECK(std::ranges::any_of(titles, [](const element& e) { return e.text == "series: 4, 6.00"; }));
}

TEST_CASE("title and labels") {
  const drawing drawn(line_chart({{"first", {0, 1}, {0, 1}}, {"second", {0, 1}, {1, 0}}}));
  for (const char* text : {"title", "x axis", "y axis", "first", "second"}) {
    CAPTURE(text);
    CHECK(std::ranges::count_if(drawn.all("text"), [&](const element& e) { return e.text == text; }) == 1);
  }
}

TEST_CASE("one point") {
  for (const double y : {0.0, 0.93, -7.5, 123456789.0, 1e17}) {
    CAPTURE(y);
    const drawing drawn(line_chart({{"series", {3}, {y}}}));
    REQUIRE(drawn.all("circle").size() == 1);
    const double at = attribute(drawn.all("circle")[0], "cy");
    CHECK(at < drawn.grid().front());
    CHECK(at > drawn.grid().back());
  }
}

TEST_CASE("equal values, and values that differ by rounding only") {
  const double next = std::nextafter(0.9, 1.0);
  for (const auto& y : {std::vector<double>{0.9, 0.9, 0.9}, std::vector<double>{0.9, next, 0.9}}) {
    const drawing drawn(line_chart({{"series", {0, 1, 2}, y}}));
    CHECK(drawn.grid().size() < 20);
    for (const element& circle : drawn.all("circle")) {
      CHECK(std::abs(attribute(circle, "cy") - drawn.y_of(0.9)) < pixel);
    }
  }
  const drawing same_x(line_chart({{"series", {0.9, next}, {1, 2}}}));
  CHECK(same_x.all("circle").size() == 2);
  CHECK(same_x.x_ticks().size() < 20);
}

TEST_CASE("ranges of any size") {
  for (const double scale : {1e-9, 1e-3, 1.0, 1e6, 1e12}) {
    CAPTURE(scale);
    const drawing drawn(line_chart({{"series", {0, 0.3 * scale, scale}, {-scale, 0.2 * scale, 0.7 * scale}}}));
    CHECK(drawn.grid().size() >= 4);
    CHECK(drawn.grid().size() <= 12);
    CHECK(drawn.x_ticks().size() >= 6);
    CHECK(drawn.x_ticks().size() <= 16);
    for (std::size_t i = 1; i < drawn.grid().size(); ++i) CHECK(drawn.grid()[i] < drawn.grid()[i - 1]);
  }
}

TEST_CASE("zero at an axis has no sign") {
  const drawing drawn(line_chart({{"series", {0, 1}, {-0.3, 0.3}}}));
  for (const element& text : drawn.all("text")) CHECK(text.text != "-0.0");
}

TEST_CASE("numbers of layers are ticks, halves of them are not") {
  const drawing drawn(line_chart({{"series", {0, 1, 2}, {1, 2, 3}}}));
  CHECK(drawn.x_ticks() == std::vector<std::string>{"0", "1", "2"});
  CHECK(drawing(bar_chart({{"series", {0}, {1}}})).x_ticks() == std::vector<std::string>{"0"});
  const drawing shares(line_chart({{"series", {0, 0.25, 0.5, 0.75, 1}, {1, 2, 3, 2, 1}}}));
  CHECK(shares.x_ticks().front() == "0.0");
  CHECK(shares.x_ticks().back() == "1.0");
}

TEST_CASE("intervals stand at their points and count for the range") {
  const drawing drawn(line_chart({{"series", {0, 1}, {2, 3}, {1.5, 0.25}, {2.25, 7.5}}}));
  const auto lines = drawn.intervals();
  const auto circles = drawn.all("circle");
  REQUIRE(lines.size() == 2);
  const double low[] = {1.5, 0.25};
  const double high[] = {2.25, 7.5};
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(attribute(lines[i], "x1") == attribute(circles[i], "cx"));
    CHECK(attribute(lines[i], "x2") == attribute(circles[i], "cx"));
    CHECK(std::abs(attribute(lines[i], "y1") - drawn.y_of(low[i])) < pixel);
    CHECK(std::abs(attribute(lines[i], "y2") - drawn.y_of(high[i])) < pixel);
  }
  CHECK(drawing(bar_chart({{"series", {0, 1}, {2, 3}, {1, 1}, {5, 6}}})).intervals().size() == 2);
}

TEST_CASE("bars rise from zero in proportion to their values") {
  const drawing drawn(bar_chart({{"low", {0, 1, 2}, {40, 10, 0}}, {"high", {0, 1, 2}, {100, 100, 100}}}));
  const auto bars = drawn.all("rect");
  REQUIRE(bars.size() == 6);
  CHECK(drawn.y_ticks().front() == 0);
  const double values[] = {40, 10, 0, 100, 100, 100};
  for (std::size_t i = 0; i < 6; ++i) {
    CAPTURE(i);
    CHECK(std::abs(attribute(bars[i], "y") - drawn.y_of(values[i])) < pixel);
    CHECK(std::abs(attribute(bars[i], "y") + attribute(bars[i], "height") - drawn.y_of(0)) < 2 * pixel);
  }
  // Side by side, and clear of the next group.
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(attribute(bars[i], "x") + attribute(bars[i], "width") <= attribute(bars[i + 3], "x"));
    if (i < 2) CHECK(attribute(bars[i + 3], "x") + attribute(bars[i + 3], "width") < attribute(bars[i + 1], "x"));
  }
}

TEST_CASE("bars of nothing, and below zero") {
  const drawing nothing(bar_chart({{"series", {0, 1}, {0, 0}}}));
  CHECK(nothing.y_ticks().front() == 0);
  REQUIRE(nothing.all("rect").size() == 2);
  for (const element& bar : nothing.all("rect")) CHECK(attribute(bar, "height") == 0);
  const drawing drawn(bar_chart({{"series", {0, 1}, {-20, 30}}}));
  const auto bars = drawn.all("rect");
  CHECK(std::abs(attribute(bars[0], "y") - drawn.y_of(0)) < pixel);
  CHECK(std::abs(attribute(bars[0], "y") + attribute(bars[0], "height") - drawn.y_of(-20)) < 2 * pixel);
  CHECK(std::abs(attribute(bars[1], "y") - drawn.y_of(30)) < pixel);
}

TEST_CASE("many groups of many bars") {
  std::vector<chart_series> series;
  std::vector<double> layers;
  for (int layer = 0; layer < 80; ++layer) layers.push_back(layer);
  for (int s = 0; s < 6; ++s) series.push_back({std::to_string(s), layers, layers});
  CHECK(drawing(bar_chart(series)).all("rect").size() == 480);
}

TEST_CASE("many series: the legend takes the rows it needs, above the plot") {
  std::vector<chart_series> series;
  for (int s = 0; s < 24; ++s) {
    series.push_back({"a random order, number " + std::to_string(s), {0, 1}, {1.0 * s, 2.0 * s}});
  }
  const drawing few(line_chart({series[0]}));
  const drawing many(line_chart(series));
  CHECK(many.all("polyline").size() == 24);
  CHECK(many.height > few.height);
  CHECK(many.grid().front() - many.grid().back() == doctest::Approx(few.grid().front() - few.grid().back()));

  std::vector<point> places;
  for (const element& text : many.all("text")) {
    if (text.text.starts_with("a random")) places.push_back({attribute(text, "x"), attribute(text, "y")});
  }
  REQUIRE(places.size() == 24);
  for (std::size_t i = 0; i < places.size(); ++i) {
    CHECK(places[i].x + 6.0 * 24 < many.width);  // room for its letters
    CHECK(places[i].y < many.grid().back());
    if (i == 0) continue;
    const bool same_row = places[i].y == places[i - 1].y;
    CHECK((same_row ? places[i].x - places[i - 1].x > 6.0 * 24 : places[i].y - places[i - 1].y >= 14));
  }
}

TEST_CASE("the emphasized series is thicker and on top") {
  chart figure = line_chart({{"main", {0, 1}, {0, 1}}, {"other", {0, 1}, {1, 0}}});
  figure.series[0].emphasized = true;
  const auto lines = drawing(figure).all("polyline");
  REQUIRE(lines.size() == 2);
  CHECK(lines[1].attributes.at("stroke") == "var(--series-0)");
  CHECK(attribute(lines[1], "stroke-width") > attribute(lines[0], "stroke-width"));
  CHECK(lines[0].attributes.at("stroke") == "var(--series-1)");
}

TEST_CASE("points without a place are left out") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  const drawing drawn(line_chart({{"a", {0, 1, 2, nan}, {1, nan, 3, 4}},
                                  {"b", {0, 1, 2}, {1, infinity, 2}},
                                  {"c", {0, 1, 2}, {1, 2, 3}, {0, nan, 2}, {2, 3, infinity}}}));
  CHECK(drawn.all("circle").size() == 2 + 2 + 1);
  CHECK(drawn.intervals().size() == 1);
  CHECK(drawing(bar_chart({{"a", {0, 1}, {nan, 3}}})).all("rect").size() == 1);
}

TEST_CASE("series without points, and no series at all") {
  const drawing partly(line_chart({{"none", {}, {}}, {"some", {0, 1}, {1, 2}}}));
  CHECK(partly.all("circle").size() == 2);
  CHECK(partly.all("polyline").size() == 2);
  for (const chart& figure :
       {line_chart({{"none", {}, {}}}), line_chart({}), bar_chart({{"none", {}, {}}}), bar_chart({})}) {
    const drawing drawn(figure);
    CHECK(drawn.all("circle").empty());
    CHECK(drawn.all("rect").empty());
  }
}

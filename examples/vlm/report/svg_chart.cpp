// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <luq/core/is_finite.hpp>
#include <string>
#include <utility>
#include <vector>

#include "document.hpp"

namespace vlm {

namespace {

// Sizes with a legend of one row; every further row moves what is below it.
constexpr double width = 860;
constexpr double height = 400;
constexpr double left = 64;
constexpr double right = 836;
constexpr double legend_top = 40;
constexpr double legend_row = 18;
constexpr double top = 62;
constexpr double bottom = 344;
constexpr std::array<const char*, 6> dashes{"", "7 4", "2 3", "9 3 2 3", "4 2", "1 4"};

struct axis {
  double low = 0;
  double high = 1;
  double step = 1;

  [[nodiscard]] int decimals() const { return std::clamp(static_cast<int>(std::ceil(-std::log10(step) - 1e-9)), 0, 6); }
};

/// Ends on multiples of a round step (1, 2 or 5 times a power of ten) that gives about `ticks` of them.
axis make_axis(double low, double high, int ticks) {
  // Values that differ by rounding only count as one: a step finer than the spacing of doubles would never advance.
  const double size = std::max(std::abs(low), std::abs(high));
  if (!(high - low > 1e-9 * size)) {
    const double margin = std::max(0.5, 1e-6 * size);
    low -= margin;
    high += margin;
  }
  const double raw = (high - low) / ticks;
  const double power = std::pow(10.0, std::floor(std::log10(raw)));
  const double mantissa = raw / power;
  axis result;
  result.step = power * (mantissa < 1.5 ? 1 : mantissa < 3.5 ? 2 : mantissa < 7.5 ? 5 : 10);
  result.low = std::floor(low / result.step + 1e-9) * result.step;
  result.high = std::ceil(high / result.step - 1e-9) * result.step;
  return result;
}

std::string number(double value) {
  return fixed(value, 1);
}

std::string text_at(double x, double y, const std::string& anchor, const std::string& text,
                    const std::string& css_class = "muted") {
  return "<text class=\"" + css_class + "\" x=\"" + number(x) + "\" y=\"" + number(y) + "\" text-anchor=\"" + anchor +
         "\">" + escape_html(text) + "</text>";
}

std::string color(std::size_t series) {
  return "var(--series-" + std::to_string(series % dashes.size()) + ")";
}

/// `figure` without the points that have no place.
chart with_finite_points(const chart& figure) {
  chart result = figure;
  for (chart_series& series : result.series) {
    const chart_series all = std::exchange(series, {series.name, {}, {}, {}, {}, series.emphasized});
    const bool has_interval = !all.low.empty();
    for (std::size_t i = 0; i < all.y.size(); ++i) {
      const double ends = has_interval ? all.low[i] + all.high[i] : 0.0;
      if (!luq::is_finite(all.x[i]) || !luq::is_finite(all.y[i]) || !luq::is_finite(ends)) continue;
      series.x.push_back(all.x[i]);
      series.y.push_back(all.y[i]);
      if (!has_interval) continue;
      series.low.push_back(all.low[i]);
      series.high.push_back(all.high[i]);
    }
  }
  return result;
}

class plot {
 public:
  explicit plot(const chart& figure) : figure_(with_finite_points(figure)), legend_(lay_out_legend(figure_)) {
    double x_low = std::numeric_limits<double>::infinity();
    double x_high = -x_low;
    double y_low = figure.y_from_zero ? 0.0 : x_low;
    double y_high = -std::numeric_limits<double>::infinity();
    bool whole = true;  // numbers of layers and the like: 0.5 is no tick
    for (const auto& series : figure_.series) {
      for (const double x : series.x) {
        widen(x, x_low, x_high);
        whole = whole && x == std::floor(x);
      }
      for (const auto* values : {&series.y, &series.low, &series.high}) {
        for (const double y : *values) widen(y, y_low, y_high);
      }
    }
    const double margin = figure.kind == chart_kind::bar ? 0.5 : 0.0;
    x_ = make_axis(x_low, x_high, 12);
    if (whole) x_.step = std::max(x_.step, 1.0);
    x_.low = x_low - margin;
    x_.high = x_high > x_low || margin > 0 ? x_high + margin : x_low + 1;
    if (figure.y_from_zero && !(y_high > y_low)) y_high = y_low + 1;
    y_ = make_axis(y_low, y_high, 6);
  }

  [[nodiscard]] std::string render() const {
    std::string svg = "<svg viewBox=\"0 0 " + number(width) + " " + number(height + shift()) +
                      "\" role=\"img\" aria-label=\"" + escape_html(figure_.title) + "\">" +
                      text_at(left, 20, "start", figure_.title, "title");
    svg += frame() + legend();
    for (const bool emphasized : {false, true}) {
      for (std::size_t i = 0; i < figure_.series.size(); ++i) {
        if (figure_.series[i].emphasized == emphasized) svg += figure_.kind == chart_kind::bar ? bars(i) : line(i);
      }
    }
    return svg + "</svg>";
  }

 private:
  struct legend_place {
    double x;
    double y;
  };

  /// Entries side by side, in as many rows as they need.
  static std::vector<legend_place> lay_out_legend(const chart& figure) {
    std::vector<legend_place> places;
    double x = left;
    double y = legend_top;
    for (const auto& series : figure.series) {
      const double entry = 30 + 6.6 * static_cast<double>(series.name.size());
      if (x > left && x + entry > right) {
        x = left;
        y += legend_row;
      }
      places.push_back({x, y});
      x += entry + 18;
    }
    return places;
  }

  /// How far everything below the legend moves down.
  [[nodiscard]] double shift() const { return legend_.empty() ? 0.0 : legend_.back().y - legend_top; }

  static void widen(double value, double& low, double& high) {
    low = std::min(low, value);
    high = std::max(high, value);
  }

  [[nodiscard]] double x_of(double value) const {
    return left + (value - x_.low) / (x_.high - x_.low) * (right - left);
  }
  [[nodiscard]] double y_of(double value) const {
    return shift() + bottom - (value - y_.low) / (y_.high - y_.low) * (bottom - top);
  }

  [[nodiscard]] std::string frame() const {
    std::string svg;
    for (double y = y_.low; y <= y_.high + y_.step / 2; y += y_.step) {
      svg += "<line class=\"grid\" x1=\"" + number(left) + "\" x2=\"" + number(right) + "\" y1=\"" + number(y_of(y)) +
             "\" y2=\"" + number(y_of(y)) + "\"/>" + text_at(left - 8, y_of(y) + 4, "end", fixed(y, y_.decimals()));
    }
    for (double x = std::ceil(x_.low / x_.step - 1e-9) * x_.step; x <= x_.high + 1e-9 * x_.step; x += x_.step) {
      svg += text_at(x_of(x), shift() + bottom + 20, "middle", fixed(x, x_.decimals()));
    }
    svg += text_at((left + right) / 2, shift() + height - 14, "middle", figure_.x_label);
    svg += "<text class=\"muted\" text-anchor=\"middle\" transform=\"translate(16 " +
           number(shift() + (top + bottom) / 2) + ") rotate(-90)\">" + escape_html(figure_.y_label) + "</text>";
    return svg;
  }

  [[nodiscard]] std::string legend() const {
    std::string svg;
    for (std::size_t i = 0; i < legend_.size(); ++i) {
      const auto [x, y] = legend_[i];
      svg += "<line x1=\"" + number(x) + "\" x2=\"" + number(x + 24) + "\" y1=\"" + number(y) + "\" y2=\"" + number(y) +
             "\" " + stroke(i) + "/>" + text_at(x + 30, y + 4, "start", figure_.series[i].name, "label");
    }
    return svg;
  }

  [[nodiscard]] std::string stroke(std::size_t i) const {
    if (figure_.kind == chart_kind::bar) return "stroke=\"" + color(i) + "\" stroke-width=\"9\"";
    return "fill=\"none\" stroke=\"" + color(i) + "\" stroke-width=\"" + (figure_.series[i].emphasized ? "3" : "1.6") +
           "\" stroke-dasharray=\"" + dashes[i % dashes.size()] + "\"";
  }

  [[nodiscard]] std::string label(const chart_series& series, std::size_t i) const {
    return "<title>" + escape_html(series.name) + ": " + fixed(series.x[i], x_.decimals()) + ", " +
           fixed(series.y[i], y_.decimals() + 1) + "</title>";
  }

  [[nodiscard]] std::string interval(const chart_series& series, std::size_t i, double x, std::size_t color_of) const {
    if (series.low.empty()) return "";
    return "<line x1=\"" + number(x) + "\" x2=\"" + number(x) + "\" y1=\"" + number(y_of(series.low[i])) + "\" y2=\"" +
           number(y_of(series.high[i])) + "\" stroke=\"" + color(color_of) + "\" stroke-width=\"1.2\"/>";
  }

  [[nodiscard]] std::string line(std::size_t index) const {
    const chart_series& series = figure_.series[index];
    std::string points;
    std::string marks;
    for (std::size_t i = 0; i < series.y.size(); ++i) {
      const double x = x_of(series.x[i]);
      const double y = y_of(series.y[i]);
      points += number(x) + "," + number(y) + " ";
      marks += interval(series, i, x, index) + "<circle cx=\"" + number(x) + "\" cy=\"" + number(y) + "\" r=\"" +
               (series.emphasized ? "4" : "2.8") + "\" fill=\"" + color(index) + "\">" + label(series, i) + "</circle>";
    }
    return "<polyline points=\"" + points + "\" " + stroke(index) + "/>" + marks;
  }

  [[nodiscard]] std::string bars(std::size_t index) const {
    const chart_series& series = figure_.series[index];
    const double slot = (right - left) / (x_.high - x_.low);
    const double bar_width = 0.8 * slot / static_cast<double>(figure_.series.size());
    const double base = y_of(std::clamp(0.0, y_.low, y_.high));
    std::string svg;
    for (std::size_t i = 0; i < series.y.size(); ++i) {
      const double x = x_of(series.x[i]) - 0.4 * slot + bar_width * static_cast<double>(index);
      const double y = y_of(series.y[i]);
      svg += "<rect x=\"" + number(x) + "\" y=\"" + number(std::min(base, y)) + "\" width=\"" +
             number(0.9 * bar_width) + "\" height=\"" + number(std::abs(base - y)) + "\" fill=\"" + color(index) +
             "\">" + label(series, i) + "</rect>" + interval(series, i, x + bar_width / 2, index);
    }
    return svg;
  }

  chart figure_;
  std::vector<legend_place> legend_;  // of each series
  axis x_;
  axis y_;
};

}  // namespace

std::string render_svg(const chart& figure) {
  return plot(figure).render();
}

}  // namespace vlm

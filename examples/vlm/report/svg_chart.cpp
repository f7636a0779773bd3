// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>

#include "document.hpp"

namespace vlm {

namespace {

constexpr double width = 860;
constexpr double height = 400;
constexpr double left = 64;
constexpr double right = 836;
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
  if (!(high > low)) {
    low -= 0.5;
    high += 0.5;
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

class plot {
 public:
  explicit plot(const chart& figure) : figure_(figure) {
    double x_low = std::numeric_limits<double>::infinity();
    double x_high = -x_low;
    double y_low = figure.y_from_zero ? 0.0 : x_low;
    double y_high = -std::numeric_limits<double>::infinity();
    for (const auto& series : figure.series) {
      for (const double x : series.x) widen(x, x_low, x_high);
      for (const auto* values : {&series.y, &series.low, &series.high}) {
        for (const double y : *values) widen(y, y_low, y_high);
      }
    }
    const double margin = figure.kind == chart_kind::bar ? 0.5 : 0.0;
    x_ = make_axis(x_low, x_high, 12);
    x_.low = x_low - margin;
    x_.high = x_high > x_low || margin > 0 ? x_high + margin : x_low + 1;
    y_ = make_axis(y_low, y_high, 6);
  }

  [[nodiscard]] std::string render() const {
    std::string svg = "<svg viewBox=\"0 0 " + number(width) + " " + number(height) + "\" role=\"img\" aria-label=\"" +
                      escape_html(figure_.title) + "\">" + text_at(left, 20, "start", figure_.title, "title");
    svg += frame() + legend();
    for (const bool emphasized : {false, true}) {
      for (std::size_t i = 0; i < figure_.series.size(); ++i) {
        if (figure_.series[i].emphasized == emphasized) svg += figure_.kind == chart_kind::bar ? bars(i) : line(i);
      }
    }
    return svg + "</svg>";
  }

 private:
  static void widen(double value, double& low, double& high) {
    low = std::min(low, value);
    high = std::max(high, value);
  }

  [[nodiscard]] double x_of(double value) const {
    return left + (value - x_.low) / (x_.high - x_.low) * (right - left);
  }
  [[nodiscard]] double y_of(double value) const {
    return bottom - (value - y_.low) / (y_.high - y_.low) * (bottom - top);
  }

  [[nodiscard]] std::string frame() const {
    std::string svg;
    for (double y = y_.low; y <= y_.high + y_.step / 2; y += y_.step) {
      svg += "<line class=\"grid\" x1=\"" + number(left) + "\" x2=\"" + number(right) + "\" y1=\"" + number(y_of(y)) +
             "\" y2=\"" + number(y_of(y)) + "\"/>" + text_at(left - 8, y_of(y) + 4, "end", fixed(y, y_.decimals()));
    }
    for (double x = std::ceil(x_.low / x_.step) * x_.step; x <= x_.high + 1e-9; x += x_.step) {
      svg += text_at(x_of(x), bottom + 20, "middle", fixed(x, x_.decimals()));
    }
    svg += text_at((left + right) / 2, height - 14, "middle", figure_.x_label);
    svg += "<text class=\"muted\" text-anchor=\"middle\" transform=\"translate(16 " + number((top + bottom) / 2) +
           ") rotate(-90)\">" + escape_html(figure_.y_label) + "</text>";
    return svg;
  }

  [[nodiscard]] std::string legend() const {
    std::string svg;
    double x = left;
    for (std::size_t i = 0; i < figure_.series.size(); ++i) {
      svg += "<line x1=\"" + number(x) + "\" x2=\"" + number(x + 24) + "\" y1=\"40\" y2=\"40\" " + stroke(i) + "/>" +
             text_at(x + 30, 44, "start", figure_.series[i].name, "label");
      x += 48 + 6.6 * static_cast<double>(figure_.series[i].name.size());
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
    std::string svg;
    for (std::size_t i = 0; i < series.y.size(); ++i) {
      const double x = x_of(series.x[i]) - 0.4 * slot + bar_width * static_cast<double>(index);
      const double y = y_of(series.y[i]);
      svg += "<rect x=\"" + number(x) + "\" y=\"" + number(y) + "\" width=\"" + number(bar_width - 1) + "\" height=\"" +
             number(y_of(y_.low) - y) + "\" fill=\"" + color(index) + "\">" + label(series, i) + "</rect>" +
             interval(series, i, x + bar_width / 2, index);
    }
    return svg;
  }

  const chart& figure_;
  axis x_;
  axis y_;
};

}  // namespace

std::string render_svg(const chart& figure) {
  return plot(figure).render();
}

}  // namespace vlm

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The least that a codec has, to ask of a quantizer whether it takes such (quantizer.hpp).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "luq/codecs/weight_codec.hpp"
#include "luq/core/half.hpp"

namespace luq::detail {

/// Codes that do not depend on one another.
struct memoryless_archetype {
  index group = whole_row;
  static constexpr std::string_view family = "archetype";
  static constexpr double nominal_bits = 1;
  static constexpr std::array<std::uint16_t, 1> planes{2};
  void fit_row(std::span<const float>, std::span<const float>, float*) const {}
  [[nodiscard]] static code encode(float, const float*, int) noexcept { return 0; }
  [[nodiscard]] static constexpr int component(code q, int) noexcept { return q; }
  template <class Visitor>
  constexpr void read_parameters(Visitor&& visitor) const {
    visitor.template scales<half>(1);
  }
  friend bool operator==(const memoryless_archetype&, const memoryless_archetype&) = default;
};

/// Codes that do.
struct sequence_archetype {
  index group = whole_row;
  static constexpr std::string_view family = "archetype";
  static constexpr double nominal_bits = 1;
  static constexpr std::array<std::uint16_t, 1> planes{2};
  static constexpr int window = 1;
  static constexpr int code_count = 2;
  [[nodiscard]] static constexpr code next(code, int symbol) noexcept { return static_cast<code>(symbol); }
  void fit_row(std::span<const float>, std::span<const float>, float*) const {}
  void code_row(std::span<const float>, std::span<const float>, float*, code*) const {}
  [[nodiscard]] static constexpr int component(code q, int) noexcept { return q; }
  template <class Visitor>
  constexpr void read_parameters(Visitor&& visitor) const {
    visitor.template scales<half>(1);
  }
  friend bool operator==(const sequence_archetype&, const sequence_archetype&) = default;
};

static_assert(MemorylessCodec<memoryless_archetype> && SequenceCodec<sequence_archetype>);

}  // namespace luq::detail

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Tables of sums entry by entry, and products by table against those of the symbols that tile_layout.hpp locates, on
// instruction sets that have the lookup.
#include "luq/kernels/cpu/planes/plane_lookups.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/arch_list.hpp"
#include "kernels/random_plane.hpp"
#include "luq/core/random_matrix.hpp"

using luq::detail::table_bytes;
using luq::detail::table_columns;
using luq::detail::word_source;
using luq_test::random_plane;

namespace {

/// Calls check(arch) for each instruction set with a lookup in 64 bytes.
template <class Check>
void for_each_arch_with_tables(Check&& check) {
  luq_test::for_each_arch([&](auto arch) {
    if constexpr (luq::detail::integer_lanes<decltype(arch)>::has_table_of_64) check(arch);
  });
}

/// Bytes aligned to a cache line, with others around them that must not change.
class framed_bytes {
 public:
  explicit framed_bytes(luq::index size) : bytes_(static_cast<std::size_t>(size + 2 * frame), 0xa5), size_(size) {
    const auto address = reinterpret_cast<std::uintptr_t>(bytes_.data());
    offset_ = static_cast<luq::index>(-address % frame);
  }

  [[nodiscard]] std::uint8_t* data() { return bytes_.data() + offset_; }
  [[nodiscard]] std::uint8_t operator[](luq::index i) const { return bytes_[static_cast<std::size_t>(offset_ + i)]; }
  [[nodiscard]] bool frame_is_whole() const {
    const auto is_untouched = [](std::uint8_t byte) { return byte == 0xa5; };
    const auto first = bytes_.begin() + static_cast<std::ptrdiff_t>(offset_);
    return std::all_of(bytes_.begin(), first, is_untouched) &&
           std::all_of(first + static_cast<std::ptrdiff_t>(size_), bytes_.end(), is_untouched);
  }

 private:
  static constexpr luq::index frame = 64;
  std::vector<std::uint8_t> bytes_;
  luq::index size_;
  luq::index offset_ = 0;
};

/// Sum over j of weight(bit j of n) x[first + 4 j + b].
template <class Weight>
float sum_of_four(const std::vector<float>& x, luq::index first, int b, int n, Weight&& weight) {
  float sum = 0;
  for (int j = 0; j < 4; ++j) sum += weight((n >> j) & 1) * x[static_cast<std::size_t>(first + 4 * j + b)];
  return sum;
}

/// What a bit counts.
[[maybe_unused]] constexpr auto sign = [](int symbol) { return symbol == 1 ? 1.0f : -1.0f; };

}  // namespace

TEST_CASE("tables hold signed sums in steps of the greatest / 127") {
  for_each_arch_with_tables([](auto arch) {
    for (const float size : {1.0f, 1e-30f, 1e30f}) {
      CAPTURE(size);
      const luq::index columns = 96;
      const luq::matrix values = luq::random_normal_matrix(1, columns, luq::counter_rng(2)) * size;
      const std::vector<float> x(values.data(), values.data() + columns);
      framed_bytes tables(luq::detail::tables_bytes(columns));
      const float step = luq::detail::tabulate_sums<decltype(arch)>(x.data(), columns, tables.data());
      double greatest = 0;
      luq::index wrong = 0;
      for (luq::index c = 0; c < columns; c += table_columns) {
        for (int b = 0; b < 4; ++b) {
          for (int n = 0; n < 16; ++n) {
            const auto sum = static_cast<double>(sum_of_four(x, c, b, n, sign));
            greatest = std::max(greatest, sum);
            const auto entry = static_cast<std::int8_t>(tables[c / table_columns * table_bytes + 16 * b + n]);
            if (!(std::abs(entry * static_cast<double>(step) - sum) <= 0.5001 * static_cast<double>(step))) ++wrong;
          }
        }
      }
      CHECK(wrong == 0);
      CHECK(static_cast<double>(step) == doctest::Approx(greatest / 127).epsilon(1e-6));
      CHECK(tables.frame_is_whole());
    }
  });
}

TEST_CASE("activations that are zero, or so small that their step has no inverse, have tables of zeros") {
  for_each_arch_with_tables([](auto arch) {
    for (const float value : {0.0f, std::numeric_limits<float>::denorm_min()}) {
      CAPTURE(value);
      const std::vector<float> x(32, value);
      framed_bytes tables(luq::detail::tables_bytes(32));
      const float step = luq::detail::tabulate_sums<decltype(arch)>(x.data(), 32, tables.data());
      CHECK(step >= 0.0f);
      CHECK(step <= 4 * value);
      luq::index others = 0;
      for (luq::index i = 0; i < 2 * table_bytes; ++i) others += tables[i] != 0;
      CHECK(others == 0);
    }
  });
}

TEST_CASE("lookups add the entries that the bits name, of one plane or of the conjunction of two") {
  for_each_arch_with_tables([](auto arch) {
    const auto check = [&](auto source) {
      for (luq::index words = 0; words <= 9; ++words) {
        CAPTURE(words);
        const luq::index columns = 32 * words;
        const random_plane<2> plane(columns, static_cast<std::uint64_t>(words));
        const random_plane<2> other(columns, static_cast<std::uint64_t>(words) + 100);
        const auto symbol = luq_test::symbols_of<source()>(plane, other);
        const luq::matrix x = luq::random_normal_matrix(1, columns, luq::counter_rng(4));
        framed_bytes tables(luq::detail::tables_bytes(columns));
        (void)luq::detail::tabulate_sums<decltype(arch)>(x.data(), columns, tables.data());
        std::vector<std::int32_t> expected = luq_test::sums_before();
        for (luq::index r = 0; r < luq_test::rows; ++r) {
          for (luq::index c = 0; c < columns; c += table_columns) {
            for (int b = 0; b < 4; ++b) {
              int n = 0;
              for (int j = 0; j < 4; ++j) n |= symbol(r, c + 4 * j + b) << j;
              expected[static_cast<std::size_t>(r)] +=
                  static_cast<std::int8_t>(tables[c / table_columns * table_bytes + 16 * b + n]);
            }
          }
        }
        luq_test::held_sums<decltype(arch)> sums(luq_test::sums_before());
        luq::detail::add_plane_lookups<decltype(arch), source()>(plane.bytes.data(), other.bytes.data(), words,
                                                                 tables.data(), sums.of_token[0]);
        CHECK(sums.values() == expected);
      }
    };
    check(std::integral_constant<word_source, word_source::plane>());
    check(std::integral_constant<word_source, word_source::conjunction>());
  });
}

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Tables of sums entry by entry, and products by table against those of the symbols that tile_layout.hpp locates, on
// instruction sets that have the lookup.
#include "luq/kernels/plane_lookups.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "arch_list.hpp"
#include "random_plane.hpp"

using luq::detail::table_bytes;
using luq::detail::table_columns;
using luq::detail::table_kind;
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
template <class Number, class Weight>
auto sum_of_four(const std::vector<Number>& x, luq::index first, int b, int n, Weight&& weight) {
  decltype(weight(0) * x[0]) sum{};
  for (int j = 0; j < 4; ++j) sum += weight((n >> j) & 1) * x[static_cast<std::size_t>(first + 4 * j + b)];
  return sum;
}

/// What a bit counts in exact tables, and in rounded ones.
[[maybe_unused]] constexpr auto bit = [](int symbol) { return symbol; };
[[maybe_unused]] constexpr auto sign = [](int symbol) { return symbol == 1 ? 1.0f : -1.0f; };

}  // namespace

TEST_CASE("exact tables hold the sum of every choice of four activations") {
  for_each_arch_with_tables([](auto arch) {
    for (const luq::index columns : {0, 16, 32, 112}) {
      CAPTURE(columns);
      std::vector<std::int8_t> x = luq_test::random_activations(0, columns, columns, 1);
      if (columns >= 16) std::fill_n(x.begin(), 16, std::int8_t{127});
      if (columns >= 32) std::fill_n(x.begin() + 16, 16, std::int8_t{-127});
      framed_bytes tables(luq::detail::tables_bytes(columns, table_kind::exact));
      luq::detail::tabulate_sums<decltype(arch)>(x.data(), columns, tables.data());
      luq::index wrong = 0;
      for (luq::index c = 0; c < columns; c += table_columns) {
        for (int b = 0; b < 4; ++b) {
          for (int n = 0; n < 16; ++n) {
            const luq::index entry = c / table_columns * 2 * table_bytes + 16 * b + n;
            const int value = tables[entry] + 256 * static_cast<std::int8_t>(tables[entry + table_bytes]);
            if (value != sum_of_four(x, c, b, n, bit)) ++wrong;
          }
        }
      }
      CHECK(wrong == 0);
      CHECK(tables.frame_is_whole());
    }
  });
}

TEST_CASE("rounded tables hold signed sums in steps of the greatest / 127") {
  for_each_arch_with_tables([](auto arch) {
    for (const float size : {1.0f, 1e-30f, 1e30f}) {
      CAPTURE(size);
      const luq::index columns = 96;
      const luq::matrix values = luq::random_normal_matrix(1, columns, luq::counter_rng(2)) * size;
      const std::vector<float> x(values.data(), values.data() + columns);
      framed_bytes tables(luq::detail::tables_bytes(columns, table_kind::rounded));
      const float step = luq::detail::tabulate_rounded_sums<decltype(arch)>(x.data(), columns, tables.data());
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
      framed_bytes tables(luq::detail::tables_bytes(32, table_kind::rounded));
      const float step = luq::detail::tabulate_rounded_sums<decltype(arch)>(x.data(), 32, tables.data());
      CHECK(step >= 0.0f);
      CHECK(step <= 4 * value);
      luq::index others = 0;
      for (luq::index i = 0; i < 2 * table_bytes; ++i) others += tables[i] != 0;
      CHECK(others == 0);
    }
  });
}

TEST_CASE("exact lookups are dot products with bits, for every number of words up to 9") {
  for_each_arch_with_tables([](auto arch) {
    const auto check = [&](auto source) {
      for (luq::index words = 0; words <= 9; ++words) {
        CAPTURE(words);
        const luq::index columns = 32 * words;
        const auto seed = static_cast<std::uint64_t>(words);
        const random_plane plane(columns, 2, 2 * seed);
        const random_plane other(columns, 2, 2 * seed + 1);
        const auto x = luq_test::random_activations(0, columns, columns, seed);
        framed_bytes tables(luq::detail::tables_bytes(columns, table_kind::exact));
        luq::detail::tabulate_sums<decltype(arch)>(x.data(), columns, tables.data());
        std::vector<std::int32_t> sums = luq_test::sums_before();
        luq::detail::add_plane_lookups<decltype(arch), table_kind::exact, source()>(
            plane.bytes.data(), other.bytes.data(), words, tables.data(), sums.data());
        CHECK(sums == luq_test::expected_sums(0, columns, x, luq_test::symbols_of<source()>(plane, other)));
      }
    };
    check(std::integral_constant<word_source, word_source::plane>());
    check(std::integral_constant<word_source, word_source::conjunction>());
  });
}

TEST_CASE("rounded lookups add the entries that the bits name") {
  for_each_arch_with_tables([](auto arch) {
    for (luq::index words = 0; words <= 9; ++words) {
      CAPTURE(words);
      const luq::index columns = 32 * words;
      const random_plane plane(columns, 2, static_cast<std::uint64_t>(words));
      const luq::matrix x = luq::random_normal_matrix(1, columns, luq::counter_rng(4));
      framed_bytes tables(luq::detail::tables_bytes(columns, table_kind::rounded));
      (void)luq::detail::tabulate_rounded_sums<decltype(arch)>(x.data(), columns, tables.data());
      std::vector<std::int32_t> expected = luq_test::sums_before();
      for (luq::index r = 0; r < luq_test::rows; ++r) {
        for (luq::index c = 0; c < columns; c += table_columns) {
          for (int b = 0; b < 4; ++b) {
            int n = 0;
            for (int j = 0; j < 4; ++j) n |= plane.symbol(r, c + 4 * j + b) << j;
            expected[static_cast<std::size_t>(r)] +=
                static_cast<std::int8_t>(tables[c / table_columns * table_bytes + 16 * b + n]);
          }
        }
      }
      std::vector<std::int32_t> sums = luq_test::sums_before();
      luq::detail::add_plane_lookups<decltype(arch), table_kind::rounded>(plane.bytes.data(), nullptr, words,
                                                                         tables.data(), sums.data());
      CHECK(sums == expected);
    }
  });
}

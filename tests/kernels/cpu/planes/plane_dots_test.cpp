// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Sums of symbols times activations against those of the symbols that tile_layout.hpp locates, on every instruction
// set. Planes and activations are buffers of just their size.
#include "luq/kernels/cpu/planes/plane_dots.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "codecs/base_five.hpp"
#include "kernels/arch_list.hpp"
#include "kernels/random_plane.hpp"

using luq::detail::word_source;
using luq_test::expected_sums;
using luq_test::for_each_arch;
using luq_test::held_sums;
using luq_test::interleaved_quads;
using luq_test::random_activations;
using luq_test::random_plane;
using luq_test::rows;
using luq_test::sums_before;
using luq_test::symbols_of;

namespace {

/// Calls check(radix, source) for each radix of a plane, and for pairs of sign planes.
template <class Check>
void for_each_source(Check&& check) {
  const auto call = [&](auto radix, auto source) {
    CAPTURE(radix());
    CAPTURE(static_cast<int>(source()));
    check(radix, source);
  };
  using one_plane = std::integral_constant<word_source, word_source::plane>;
  call(std::integral_constant<int, 2>(), one_plane());
  call(std::integral_constant<int, 3>(), one_plane());
  call(std::integral_constant<int, 4>(), one_plane());
  call(std::integral_constant<int, 5>(), one_plane());
  call(std::integral_constant<int, 8>(), one_plane());
  call(std::integral_constant<int, 16>(), one_plane());
  call(std::integral_constant<int, 256>(), one_plane());
  call(std::integral_constant<int, 2>(), std::integral_constant<word_source, word_source::conjunction>());
}

}  // namespace

TEST_CASE("words of every number of columns up to 200, and their tails, for one to four tokens") {
  for_each_arch([](auto arch) {
    using arch_type = decltype(arch);
    const auto check_tokens = [](auto radix, auto source, auto tokens) {
      CAPTURE(tokens());
      for (luq::index k = 1; k <= 200; k += k < 70 ? 1 : 13) {
        CAPTURE(k);
        const auto seed = static_cast<std::uint64_t>(k);
        const random_plane<radix()> plane(k, 2 * seed);
        const random_plane<radix()> other(k, 2 * seed + 1);
        const auto symbol = symbols_of<source()>(plane, other);
        const auto activations = [&](luq::index first, luq::index end, luq::index columns) {
          std::vector<std::vector<std::int8_t>> x;
          for (std::uint64_t t = 0; t < tokens(); ++t)
            x.push_back(random_activations(first, end, columns, seed + 7 * t));
          return x;
        };
        const auto are_expected = [&](const auto& sums, luq::index first, luq::index end, const auto& x) {
          bool all = true;
          for (luq::index t = 0; t < tokens(); ++t) {
            all = all && sums.values(t) == expected_sums(first, end, x[static_cast<std::size_t>(t)], symbol);
          }
          return all;
        };

        const luq::index end_of_words = std::min(k, plane.columns_of_words());
        // The last word may have slots without columns.
        const auto x = activations(0, end_of_words, plane.columns_of_words());
        held_sums<arch_type, tokens()> sums(sums_before());
        luq::detail::add_plane_dots<arch_type, radix(), source()>(
            plane.bytes.data(), other.bytes.data(), plane.view().words, interleaved_quads(x).data(), sums.of_token);
        CHECK(are_expected(sums, 0, end_of_words, x));

        const luq::index slots_of_tail = plane.view().tail_bytes * luq::radix_traits<radix()>::symbols_per_byte;
        const auto x_of_tail = activations(end_of_words, k, (slots_of_tail + 3) / 4 * 4);
        held_sums<arch_type, tokens()> sums_of_tail(sums_before());
        luq::detail::add_tail_dots<arch_type, radix(), source()>(
            plane.view(), other.view(), interleaved_quads(x_of_tail).data(), sums_of_tail.of_token);
        CHECK(are_expected(sums_of_tail, end_of_words, k, x_of_tail));
      }
    };
    for_each_source([&](auto radix, auto source) {
      check_tokens(radix, source, std::integral_constant<luq::index, 1>());
      check_tokens(radix, source, std::integral_constant<luq::index, 4>());
      if constexpr (radix() == 2) {
        check_tokens(radix, source, std::integral_constant<luq::index, 2>());
        check_tokens(radix, source, std::integral_constant<luq::index, 3>());
      }
    });
  });
}

TEST_CASE("words from the middle of a plane") {
  for_each_arch([](auto arch) {
    for_each_source([&](auto radix, auto source) {
      constexpr luq::index columns_of_word = 4 * luq::radix_traits<radix()>::symbols_per_byte;
      const random_plane<radix()> plane(6 * columns_of_word, 1);
      const random_plane<radix()> other(6 * columns_of_word, 2);
      const luq::index first = 2 * columns_of_word;
      const luq::index end = 5 * columns_of_word;
      const std::vector<std::int8_t> x = random_activations(first, end, end - first, 3);
      held_sums<decltype(arch)> sums(sums_before());
      const luq::index offset = 2 * 4 * rows;
      luq::detail::add_plane_dots<decltype(arch), radix(), source()>(
          plane.bytes.data() + offset, other.bytes.data() + offset, 3, x.data(), sums.of_token);
      CHECK(sums.values() == expected_sums(first, end, x, symbols_of<source()>(plane, other)));
    });
  });
}

TEST_CASE("the greatest symbols and activations of a whole run are added without saturation") {
  for_each_arch([](auto arch) {
    for_each_source([&](auto radix, auto source) {
      constexpr luq::index k = 240;  // whole words of every radix but 2, which has 2 bytes of tail
      random_plane<radix()> plane(k, 1);
      std::vector<std::uint8_t> greatest(std::size_t{luq::radix_traits<radix()>::symbols_per_byte}, radix() - 1);
      std::fill(plane.bytes.begin(), plane.bytes.end(),
                static_cast<std::byte>(luq::radix_traits<radix()>::combine(greatest)));
      for (const int value : {-127, 127}) {
        std::vector<std::int8_t> x(std::size_t{k}, static_cast<std::int8_t>(value));
        held_sums<decltype(arch)> sums(std::vector<std::int32_t>(std::size_t{rows}, 0));
        const luq::index first_of_tail = plane.columns_of_words();
        luq::detail::add_plane_dots<decltype(arch), radix(), source()>(plane.bytes.data(), plane.bytes.data(),
                                                                       plane.view().words, x.data(), sums.of_token);
        luq::detail::add_tail_dots<decltype(arch), radix(), source()>(plane.view(), plane.view(),
                                                                      x.data() + first_of_tail, sums.of_token);
        const std::int32_t expected = (radix() - 1) * value * std::int32_t{k};
        CHECK(sums.values() == std::vector<std::int32_t>(std::size_t{rows}, expected));
      }
    });
  });
}

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/kernels/cpu/stages/activations.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "kernels/arch_list.hpp"
#include "kernels/packed_product.hpp"
#include "luq/core/random_matrix.hpp"

using luq::matrix;
using luq::detail::activation_run;
using luq::detail::activation_view;
using luq::detail::quantized_activations;
using luq_test::for_each_arch;
using luq_test::quantized_on;

namespace {

/// The elements of a view, for comparison.
template <class T>
std::vector<std::remove_const_t<T>> elements(std::span<T> view) {
  return {view.begin(), view.end()};
}

/// Codecs of every unit of columns, and one with column classes.
template <class Check>
void for_each_kind_of_tokens(luq::index group, Check&& check) {
  check(luq::int_codec<8>{.group = group});
  check(luq::int_codec<4>{.group = group});
  check(luq::int_codec<2>{.group = group});
  check(luq::ternary_codec{.group = group});
  check(luq::sign_codec{.group = group});
  check(luq::billm_codec{.group = group});
}

template <class Codec>
luq::packed_matrix<Codec> random_packed(const Codec& codec, luq::index cols, std::uint64_t seed) {
  return luq::pack(luq_test::random_coded_matrix(codec, 2, cols, seed));
}

/// A packed matrix of one row whose first `salient` columns in each group are of class 1.
luq::packed_matrix<luq::billm_codec> packed_with_salient(luq::index group, luq::index cols, luq::index salient) {
  luq::coded_matrix<luq::billm_codec> coded(luq::billm_codec{.group = group}, 1, cols);
  for (std::size_t g = 0; g < coded.groups.size(); ++g) {
    coded.groups[g].values = matrix::Zero(1, 7);
    const luq::index columns = std::min(group, cols - static_cast<luq::index>(g) * group);
    for (luq::index c = 0; c < columns; ++c) coded.groups[g].column_class.push_back(c < salient ? 1 : 0);
  }
  return luq::pack(coded);
}

/// A run as text: group, columns, unit, quads, class.
std::string text_of(const activation_run& run) {
  return std::to_string(run.group) + ": " + std::to_string(run.first) + ".." + std::to_string(run.end) + " from " +
         std::to_string(run.unit_first) + ", " + std::to_string(run.quads) + " quads after " +
         std::to_string(run.quad_offset) + ", class " + std::to_string(run.column_class);
}

template <class Codec>
std::vector<std::string> runs_as_text(const luq::packed_matrix<Codec>& W) {
  std::vector<std::string> result;
  for (const activation_run& run : quantized_activations<>(W, 0).runs) result.push_back(text_of(run));
  return result;
}

using texts = std::vector<std::string>;

/// Scale of a run by definition.
float scale_of(const std::vector<float>& x) {
  float magnitude = 0;
  for (const float value : x) magnitude = std::max(magnitude, std::abs(value));
  return magnitude / 127.0f;
}

/// Integers of a run of finite activations against their definition. Returns their sum.
std::int32_t check_integers(const std::vector<float>& x, const std::vector<int>& q, float scale) {
  CHECK(scale == scale_of(x));
  // Dividing takes two roundings, of 1 / scale and of the product with it, before the rounding to an integer; two
  // more are allowed to quotients of as much as 127.
  constexpr double half_step = 0.5 + 127 * 4 * 0x1p-24;
  const float magnitude = 127.0f * scale;
  int wrong = 0;
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    wrong += q[i] < -127 || q[i] > 127;
    const double error = static_cast<double>(x[i]) - static_cast<double>(scale) * q[i];
    wrong += !(std::abs(error) <= half_step * static_cast<double>(scale));
    wrong += std::abs(x[i]) == magnitude && magnitude > 0 && q[i] != (x[i] > 0 ? 127 : -127);
    sum += q[i];
  }
  CHECK(wrong == 0);
  return sum;
}

/// Where a byte lies, by the picture in the header.
std::size_t byte_at(const activation_view& x, luq::index token, const activation_run& run, luq::index place) {
  const luq::index block = token / 4;
  const luq::index tokens_of_block = std::min<luq::index>(4, x.tokens - 4 * block);
  const luq::index quad = (place - run.unit_first) / 4;
  const luq::index bytes_before = 16 * block * x.quads + 4 * run.quad_offset * tokens_of_block;
  return static_cast<std::size_t>(bytes_before + 4 * (quad * tokens_of_block + token % 4) +
                                  (place - run.unit_first) % 4);
}

/// All of the quantized form of X for W against its definition.
template <class Codec>
void check_quantized(const luq::packed_matrix<Codec>& W, const matrix& X, const activation_view& quantized) {
  REQUIRE(quantized.tokens == X.rows());
  REQUIRE(quantized.bytes.size() == static_cast<std::size_t>(4 * quantized.quads * X.rows()));
  std::vector<bool> is_column(quantized.bytes.size(), false);
  for (luq::index i = 0; i < quantized.run_count(); ++i) {
    const activation_run& run = quantized.runs[static_cast<std::size_t>(i)];
    const auto order = luq_test::stored_order(W.column_classes(run.group), W.layout().columns_of(run.group));
    for (luq::index t = 0; t < X.rows(); ++t) {
      std::vector<float> x;
      std::vector<int> q;
      for (luq::index place = run.first; place < run.end; ++place) {
        x.push_back(X(t, W.layout().first_column(run.group) + order[static_cast<std::size_t>(place)]));
        const std::size_t at = byte_at(quantized, t, run, place);
        is_column[at] = true;
        q.push_back(quantized.bytes[at]);
        CHECK(quantized.value(t, run, place) == q.back());
      }
      CHECK(check_integers(x, q, quantized.scale(t, i)) == quantized.sum(t, i));
    }
  }
  CHECK(std::count(is_column.begin(), is_column.end(), true) == X.size());
  int not_zero = 0;
  for (std::size_t i = 0; i < is_column.size(); ++i) not_zero += !is_column[i] && quantized.bytes[i] != 0;
  CHECK(not_zero == 0);
}

/// X quantized in memory that held other numbers before.
template <class Arch, class Codec>
quantized_activations<> quantized_over_dirt(const luq::packed_matrix<Codec>& W, const luq::matrix_view& X) {
  quantized_activations<> result(W, X.rows());
  std::fill(result.bytes.begin(), result.bytes.end(), std::int8_t{0x55});
  std::fill(result.scales.begin(), result.scales.end(), luq_test::not_a_number);
  std::fill(result.sums.begin(), result.sums.end(), -1);
  for (luq::index block = 0; block < result.blocks(); ++block) {
    luq::detail::quantize_block<Arch>(X.data(), X.outerStride(), block, result);
  }
  return result;
}

bool are_same(const activation_view& a, const activation_view& b) {
  return std::ranges::equal(a.bytes, b.bytes) && std::ranges::equal(a.sums, b.sums) &&
         std::ranges::equal(a.scales, b.scales);
}

}  // namespace

TEST_CASE("runs are whole units of words, at most 256 columns, and cut where the column class changes") {
  CHECK(runs_as_text(random_packed(luq::sign_codec{.group = 0}, 600, 1)) ==
        texts{"0: 0..256 from 0, 64 quads after 0, class 0", "0: 256..512 from 256, 64 quads after 64, class 0",
              "0: 512..600 from 512, 24 quads after 128, class 0"});
  CHECK(runs_as_text(random_packed(luq::ternary_codec{.group = 0}, 600, 1)) ==
        texts{"0: 0..240 from 0, 60 quads after 0, class 0", "0: 240..480 from 240, 60 quads after 60, class 0",
              "0: 480..600 from 480, 30 quads after 120, class 0"});
  CHECK(runs_as_text(random_packed(luq::int_codec<4>{.group = 9}, 20, 1)) ==
        texts{"0: 0..9 from 0, 4 quads after 0, class 0", "1: 0..9 from 0, 4 quads after 4, class 0",
              "2: 0..2 from 0, 2 quads after 8, class 0"});
  CHECK(runs_as_text(packed_with_salient(40, 50, 5)) ==
        texts{"0: 0..5 from 0, 8 quads after 0, class 1", "0: 5..40 from 0, 16 quads after 8, class 0",
              "1: 0..5 from 0, 8 quads after 24, class 1", "1: 5..10 from 0, 8 quads after 32, class 0"});
  // The unit of columns 64 ... 95 belongs to both runs; the second has 256 columns from there on.
  CHECK(runs_as_text(packed_with_salient(400, 400, 70)) == texts{"0: 0..70 from 0, 24 quads after 0, class 1",
                                                                 "0: 70..320 from 64, 64 quads after 24, class 0",
                                                                 "0: 320..400 from 320, 24 quads after 88, class 0"});
  CHECK(runs_as_text(packed_with_salient(3, 3, 3)) == texts{"0: 0..3 from 0, 8 quads after 0, class 1"});
}

TEST_CASE("runs cover each stored column once, in order, and none could be longer") {
  for (const luq::index group : {1, 7, 32, 255, 256, 257, 300, 0}) {
    luq_test::for_each_codec(group, [](const auto& codec) {
      using Codec = std::decay_t<decltype(codec)>;
      constexpr luq::index unit = luq::detail::unit_columns<Codec>;
      CAPTURE(luq::codec_name(codec));
      for (const luq::index cols : {1, 40, 256, 257, 700}) {
        CAPTURE(cols);
        const auto W = random_packed(codec, cols, 2);
        const quantized_activations<> no_tokens(W, 0);
        const auto runs = no_tokens.runs;
        std::size_t next_run = 0;
        luq::index quads = 0;
        int wrong = 0;
        for (luq::index g = 0; g < W.layout().groups(); ++g) {
          const std::vector<std::uint8_t> classes = W.column_classes(g);
          const auto order = luq_test::stored_order(classes, W.layout().columns_of(g));
          const auto class_at = [&](luq::index place) {
            return classes.empty() ? 0 : classes[static_cast<std::size_t>(order[static_cast<std::size_t>(place)])];
          };
          for (luq::index place = 0; place < W.layout().columns_of(g); ++next_run) {
            REQUIRE(next_run < runs.size());
            const activation_run& run = runs[next_run];
            REQUIRE(run.end > place);
            wrong += run.group != g || run.first != place || run.unit_first != place - place % unit;
            wrong += run.quad_offset != quads || run.column_class != class_at(place);
            wrong += class_at(run.end - 1) != run.column_class;
            wrong += run.end - run.unit_first > luq::detail::longest_run;
            const bool ends_with_class = run.end == W.layout().columns_of(g) || class_at(run.end) != run.column_class;
            wrong += !ends_with_class && run.end - run.unit_first <= luq::detail::longest_run - unit;
            wrong += !ends_with_class && run.end % unit != 0;
            wrong += run.quads * 4 % unit != 0 || run.quads * 4 < run.end - run.unit_first ||
                     run.quads * 4 >= run.end - run.unit_first + unit;
            quads += run.quads;
            place = run.end;
          }
        }
        wrong += next_run != runs.size();
        CHECK(wrong == 0);
        const quantized_activations<> quantized(W, 3);
        CHECK(quantized.run_count() == static_cast<luq::index>(runs.size()));
        CHECK(quantized.quads == quads);
        CHECK(quantized.group == luq::group_size(codec, cols));
      }
    });
  }
}

TEST_CASE("salient columns of a group come first, in their natural order") {
  luq::coded_matrix<luq::billm_codec> source(luq::billm_codec{.group = 4}, 1, 6);
  for (auto& group : source.groups) group.values = matrix::Zero(1, 7);
  source.groups[0].column_class = {0, 1, 0, 1};
  source.groups[1].column_class = {0, 1};
  matrix X(1, 6);
  X << 10, 11, 12, 13, 254, 127;
  const auto W = luq::pack(source);
  const auto quantized = quantized_on<luq_test::one_by_one>(W, X);
  CHECK(elements(quantized.stored_columns) == std::vector<luq::index>{1, 3, 0, 2, 5, 4});
  REQUIRE(quantized.run_count() == 4);
  const auto values = [&](std::size_t run) {
    std::vector<int> result;
    for (luq::index place = quantized.runs[run].first; place < quantized.runs[run].end; ++place) {
      result.push_back(quantized.value(0, quantized.runs[run], place));
    }
    return result;
  };
  CHECK(values(0) == std::vector<int>{107, 127});  // 127/13 of 11 and 13
  CHECK(quantized.scale(0, 0) == 13.0f / 127.0f);
  CHECK(quantized.sum(0, 0) == 234);
  CHECK(values(1) == std::vector<int>{106, 127});  // 127/12 of 10 and 12
  CHECK(values(2) == std::vector<int>{127});
  CHECK(values(3) == std::vector<int>{127});
  CHECK(quantized.scale(0, 3) == 2.0f);
}

TEST_CASE("without column classes columns are stored as they are") {
  CHECK(quantized_activations<>(random_packed(luq::sign_codec{.group = 8}, 20, 3), 1).stored_columns.empty());
}

TEST_CASE("bytes of a block by hand") {
  // Five tokens of three columns of int8, a quad for each: four tokens, then one.
  const auto W = random_packed(luq::int_codec<8>{.group = 0}, 3, 4);
  matrix X(5, 3);
  X << 127, 1, 2, 3, -127, 4, 5, 6, 127, 127, 7, 8, 9, 10, 127;
  for_each_arch([&](auto arch) {
    const auto quantized = quantized_on<decltype(arch)>(W, X);
    const std::vector<int> bytes(quantized.bytes.begin(), quantized.bytes.end());
    CHECK(bytes == std::vector<int>{127, 1, 2, 0, 3, -127, 4, 0, 5, 6, 127, 0, 127, 7, 8, 0, 9, 10, 127, 0});
    CHECK(elements(quantized.sums) == std::vector<std::int32_t>{130, -120, 138, 142, 146});
    CHECK(elements(quantized.scales) == std::vector<float>(5, 1.0f));
    CHECK(quantized.blocks() == 2);
    CHECK(quantized.tokens_in_block(0) == 4);
    CHECK(quantized.tokens_in_block(1) == 1);
    CHECK(quantized.block_quads(1, quantized.runs[0]) == quantized.bytes.data() + 16);
  });
}

TEST_CASE("integers, scales and sums are as defined and lie in their places, for every number of tokens up to 9") {
  for (const luq::index group : {7, 300, 0}) {
    for_each_kind_of_tokens(group, [](const auto& codec) {
      CAPTURE(luq::codec_name(codec));
      for (const luq::index cols : {1, 45, 330}) {
        CAPTURE(cols);
        const auto W = random_packed(codec, cols, 5);
        for (luq::index tokens = 1; tokens <= 9; ++tokens) {
          CAPTURE(tokens);
          matrix X = luq::random_normal_matrix(tokens, cols, luq::counter_rng(6));
          for (luq::index t = 0; t < tokens; ++t) X.row(t) *= std::pow(10.0f, static_cast<float>(t));
          check_quantized(W, X, quantized_over_dirt<luq::default_arch>(W, X));
        }
      }
    });
  }
}

TEST_CASE("every instruction set gives the same bytes, sums and scales, for every number of columns up to 80") {
  for (luq::index cols = 1; cols <= 80; ++cols) {
    CAPTURE(cols);
    const auto W = random_packed(luq::billm_codec{.group = 0}, cols, static_cast<std::uint64_t>(cols));
    matrix X = luq::random_normal_matrix(2, cols, luq::counter_rng(7, static_cast<std::uint64_t>(cols)));
    X.row(1) = (2 * X.row(1).array()).round();  // 127/2 x for |x| <= 2: ties
    const auto expected = quantized_on<luq_test::one_by_one>(W, X);
    for_each_arch([&](auto arch) {
      const auto quantized = quantized_over_dirt<decltype(arch)>(W, X);
      check_quantized(W, X, quantized);
      CHECK(are_same(quantized, expected));
    });
  }
}

TEST_CASE("integers halfway between two are rounded to the even one") {
  const auto W = random_packed(luq::int_codec<8>{.group = 0}, 40, 8);
  matrix X(1, 40);
  for (luq::index c = 0; c < 40; ++c) X(0, c) = static_cast<float>(c - 20) + 0.5f;
  X(0, 39) = 127.0f;
  for_each_arch([&](auto arch) {
    const auto quantized = quantized_on<decltype(arch)>(W, X);
    for (luq::index c = 0; c < 39; ++c) {
      const int below = static_cast<int>(c) - 20;
      CHECK(quantized.value(0, quantized.runs[0], c) == (below % 2 == 0 ? below : below + 1));
    }
  });
}

TEST_CASE("the greatest activation is 127 steps over the whole range of float") {
  const auto W = random_packed(luq::int_codec<4>{.group = 19}, 40, 9);
  matrix X = luq::random_normal_matrix(7, 40, luq::counter_rng(10));
  constexpr std::array<float, 7> sizes{1e-35f, 1e-30f, 1e-3f, 1.0f, 1e20f, 1e37f, 1.0f};
  for (luq::index t = 0; t < 7; ++t) X.row(t) *= sizes[static_cast<std::size_t>(t)];
  X.row(6).setConstant(std::numeric_limits<float>::max());
  X(6, 3) = -std::numeric_limits<float>::max();
  for_each_arch([&](auto arch) { check_quantized(W, X, quantized_on<decltype(arch)>(W, X)); });
}

TEST_CASE("zeros have scale zero, and activations whose scale has no finite inverse are zeros") {
  const auto W = random_packed(luq::int_codec<8>{.group = 0}, 40, 11);
  for (const float size : {0.0f, std::numeric_limits<float>::denorm_min(), 1e-42f, 1e-38f}) {
    CAPTURE(size);
    matrix X = matrix::Constant(1, 40, size);
    X(0, 1) = -size;
    X(0, 2) = -0.0f;
    for_each_arch([&](auto arch) {
      const auto quantized = quantized_over_dirt<decltype(arch)>(W, X);
      CHECK(quantized.scale(0, 0) == size / 127.0f);
      CHECK(quantized.sum(0, 0) == 0);
      CHECK(std::count(quantized.bytes.begin(), quantized.bytes.end(), std::int8_t{0}) == 40);
    });
  }
}

TEST_CASE("a NaN or an infinity poisons the scale of its run and token, and nothing else") {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  for_each_kind_of_tokens(33, [&](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    const auto W = random_packed(codec, 50, 12);
    const matrix X = luq::random_normal_matrix(6, 50, luq::counter_rng(13));
    for_each_arch([&](auto arch) {
      const auto clean = quantized_on<decltype(arch)>(W, X);
      for (const float bad : {luq_test::not_a_number, infinity, -infinity}) {
        for (luq::index c = 0; c < 50; ++c) {
          CAPTURE(c);
          matrix spoilt = X;
          spoilt(1, c) = bad;
          const auto quantized = quantized_over_dirt<decltype(arch)>(W, spoilt);
          int poisoned = 0;
          int wrong = 0;
          for (luq::index i = 0; i < quantized.run_count(); ++i) {
            const activation_run& run = quantized.runs[static_cast<std::size_t>(i)];
            const auto order = luq_test::stored_order(W.column_classes(run.group), W.layout().columns_of(run.group));
            const auto first = order.begin() + run.first;
            const luq::index column = c - W.layout().first_column(run.group);
            const bool holds_column = std::find(first, order.begin() + run.end, column) != order.begin() + run.end;
            poisoned += std::isnan(quantized.scale(1, i));
            wrong += std::isnan(quantized.scale(1, i)) != holds_column;
            for (luq::index t = 0; t < 6; ++t) {
              for (luq::index place = run.first; place < run.end; ++place) {
                const int expected = t == 1 && holds_column ? 0 : clean.value(t, run, place);
                wrong += quantized.value(t, run, place) != expected;
              }
              if (t == 1 && holds_column) continue;
              wrong += quantized.scale(t, i) != clean.scale(t, i) || quantized.sum(t, i) != clean.sum(t, i);
            }
          }
          CHECK(poisoned == 1);
          CHECK(wrong == 0);
        }
      }
    });
  });
}

TEST_CASE("activations are read at any stride and alignment, and nothing beside them is") {
  for_each_kind_of_tokens(16, [](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    const auto W = random_packed(codec, 50, 14);
    const matrix X = luq::random_normal_matrix(9, 50, luq::counter_rng(15));
    const auto expected = quantized_on<luq::default_arch>(W, X);
    for (const luq::index offset : {0, 1, 11}) {
      matrix wide = matrix::Constant(9, 61, luq_test::not_a_number);
      wide.middleCols(offset, 50) = X;
      const auto quantized = quantized_on<luq::default_arch>(W, wide.middleCols(offset, 50));
      CHECK(are_same(quantized, expected));
    }
  });
}

TEST_CASE("no tokens and no columns") {
  luq_test::for_each_codec(luq::whole_row, [](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    const quantized_activations<> no_tokens(random_packed(codec, 9, 1), 0);
    CHECK(no_tokens.blocks() == 0);
    CHECK(no_tokens.bytes.empty());
    const auto no_columns = quantized_on<luq::default_arch>(random_packed(codec, 0, 1), matrix(3, 0));
    CHECK(no_columns.run_count() == 0);
    CHECK(no_columns.bytes.empty());
  });
}

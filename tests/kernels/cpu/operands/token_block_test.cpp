// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/kernels/cpu/operands/token_block.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "kernels/arch_list.hpp"
#include "luq/core/random.hpp"

using luq::tile_rows;
using luq_test::for_each_arch;

namespace {

constexpr luq::index stride = 3;  // from token to token in the arrays of scales and sums

/// Arguments of a product of some quads, in memory of just their size.
struct block_problem {
  luq::index quads;
  luq::index tokens;
  std::vector<std::uint8_t> operands;  // [quads][tile_rows][4]
  std::vector<std::int8_t> x;          // [quads][tokens][4]
  std::vector<float> coefficient;
  std::vector<float> constant;
  std::int32_t offset = 0;
  std::vector<float> scales;         // of the tokens, NaN between
  std::vector<std::int32_t> x_sums;  // of the tokens, other numbers between
  std::vector<float> before;         // [tokens][tile_rows]

  block_problem(luq::index quads_, luq::index tokens_)
      : quads(quads_),
        tokens(tokens_),
        operands(static_cast<std::size_t>(quads * tile_rows * 4)),
        x(static_cast<std::size_t>(quads * tokens * 4)),
        coefficient(std::size_t{tile_rows}, 1.0f),
        constant(std::size_t{tile_rows}, 0.0f),
        scales(static_cast<std::size_t>((tokens - 1) * stride + 1), std::numeric_limits<float>::quiet_NaN()),
        x_sums(scales.size(), 1 << 20),
        before(static_cast<std::size_t>(tokens * tile_rows), 0.0f) {
    for (luq::index t = 0; t < tokens; ++t) {
      scales[static_cast<std::size_t>(t * stride)] = 1.0f;
      x_sums[static_cast<std::size_t>(t * stride)] = 0;
    }
  }

  void fill_activations(std::int8_t value) {
    std::fill(x.begin(), x.end(), value);
    add_sums();
  }

  void randomize(int widest_operand, std::uint64_t seed) {
    const luq::counter_rng rng(seed);
    for (std::size_t i = 0; i < operands.size(); ++i) {
      operands[i] = static_cast<std::uint8_t>(rng.below(i, static_cast<std::uint64_t>(widest_operand) + 1));
    }
    const luq::counter_rng x_rng(seed, 1);
    for (std::size_t i = 0; i < x.size(); ++i) {
      x[i] = static_cast<std::int8_t>(static_cast<int>(x_rng.below(i, 255)) - 127);
    }
    add_sums();
  }

  void add_sums() {
    for (luq::index t = 0; t < tokens; ++t) {
      std::int32_t sum = 0;
      for (luq::index i = 0; i < 4 * quads; ++i) sum += activation(t, i);
      x_sums[static_cast<std::size_t>(t * stride)] = sum;
    }
  }

  [[nodiscard]] int activation(luq::index t, luq::index column) const {
    return x[static_cast<std::size_t>((column / 4 * tokens + t) * 4 + column % 4)];
  }
  [[nodiscard]] std::int64_t dot(luq::index t, luq::index r) const {
    std::int64_t sum = 0;
    for (luq::index c = 0; c < 4 * quads; ++c) {
      sum += std::int64_t{operands[static_cast<std::size_t>((c / 4 * tile_rows + r) * 4 + c % 4)]} * activation(t, c);
    }
    return sum;
  }

  template <class Arch, int Tokens, bool InParts>
  [[nodiscard]] std::vector<float> multiplied() const {
    std::vector<float> sums = before;
    luq::detail::multiply_token_block<Arch, Tokens, InParts>(operands.data(), x.data(), quads,
                                                             {coefficient.data(), constant.data(), offset},
                                                             scales.data(), x_sums.data(), stride, sums.data());
    return sums;
  }

  /// Sums that are off by more than the rounding of the five terms and factors that each is made of.
  [[nodiscard]] int count_wrong(const std::vector<float>& sums) const {
    int wrong = 0;
    for (luq::index t = 0; t < tokens; ++t) {
      const auto scale = static_cast<double>(scales[static_cast<std::size_t>(t * stride)]);
      const auto x_sum = static_cast<double>(x_sums[static_cast<std::size_t>(t * stride)]);
      for (luq::index r = 0; r < tile_rows; ++r) {
        const auto row = static_cast<std::size_t>(r);
        const auto i = static_cast<std::size_t>(t * tile_rows + r);
        const double products =
            scale * static_cast<double>(coefficient[row]) * (static_cast<double>(dot(t, r)) - offset * x_sum);
        const double constants = scale * static_cast<double>(constant[row]) * x_sum;
        const double magnitudes = std::abs(static_cast<double>(before[i])) + std::abs(products) + std::abs(constants);
        const double error = static_cast<double>(sums[i]) - static_cast<double>(before[i]) - products - constants;
        wrong += !(std::abs(error) <= 0x1p-21 * magnitudes);
      }
    }
    return wrong;
  }
};

/// Calls check(tokens, in_parts, widest operand) for all that multiply_token_block() can be.
template <class Arch, class Check>
void for_each_kind_of_block(Check&& check) {
  const auto with_tokens = [&](auto tokens) {
    CAPTURE(tokens());
    check(tokens, std::false_type(), luq::detail::integer_lanes<Arch>::widest_operand);
    check(tokens, std::true_type(), 255);
  };
  with_tokens(std::integral_constant<int, 1>());
  with_tokens(std::integral_constant<int, 2>());
  with_tokens(std::integral_constant<int, 3>());
  with_tokens(std::integral_constant<int, 4>());
}

}  // namespace

TEST_CASE("products of every number of quads up to 66 are exact where float is") {
  for_each_arch([](auto arch) {
    using Arch = decltype(arch);
    for_each_kind_of_block<Arch>([](auto tokens, auto in_parts, int widest) {
      for (luq::index quads = 1; quads <= 66; quads += quads < 10 ? 1 : 7) {
        CAPTURE(quads);
        block_problem problem(quads, tokens());
        problem.randomize(widest, static_cast<std::uint64_t>(quads));
        problem.offset = 3;
        const auto sums = problem.template multiplied<Arch, tokens(), in_parts()>();
        int wrong = 0;
        for (luq::index t = 0; t < tokens(); ++t) {
          const std::int64_t offset = 3 * std::int64_t{problem.x_sums[static_cast<std::size_t>(t * stride)]};
          for (luq::index r = 0; r < tile_rows; ++r) {
            const std::int64_t expected = problem.dot(t, r) - offset;  // below 2^24
            wrong +=
                static_cast<double>(sums[static_cast<std::size_t>(t * tile_rows + r)]) != static_cast<double>(expected);
          }
        }
        CHECK(wrong == 0);
      }
    });
  });
}

TEST_CASE("each row has its coefficient and constant, each token its scale, and sums are added to") {
  for_each_arch([](auto arch) {
    using Arch = decltype(arch);
    for_each_kind_of_block<Arch>([](auto tokens, auto in_parts, int widest) {
      block_problem problem(20, tokens());
      problem.randomize(widest, 7);
      const luq::counter_rng rng(8);
      std::uint64_t position = 0;
      for (float& a : problem.coefficient) a = static_cast<float>(rng.normal(position++));
      for (float& a : problem.constant) a = static_cast<float>(rng.normal(position++)) * 100.0f;
      for (float& sum : problem.before) sum = static_cast<float>(rng.normal(position++)) * 1000.0f;
      for (luq::index t = 0; t < tokens(); ++t) {
        problem.scales[static_cast<std::size_t>(t * stride)] = static_cast<float>(rng.normal(position++));
      }
      for (const std::int32_t offset : {0, 128, -5}) {
        CAPTURE(offset);
        problem.offset = offset;
        CHECK(problem.count_wrong(problem.template multiplied<Arch, tokens(), in_parts()>()) == 0);
      }
      problem.scales[0] = std::numeric_limits<float>::quiet_NaN();
      CHECK(problem.count_wrong(problem.template multiplied<Arch, tokens(), in_parts()>()) == tile_rows);
    });
  });
}

TEST_CASE("the greatest operands and activations of a whole run") {
  for_each_arch([](auto arch) {
    using Arch = decltype(arch);
    for_each_kind_of_block<Arch>([](auto tokens, auto in_parts, int widest) {
      for (const int value : {-127, 127}) {
        block_problem problem(64, tokens());
        std::fill(problem.operands.begin(), problem.operands.end(), static_cast<std::uint8_t>(widest));
        problem.fill_activations(static_cast<std::int8_t>(value));
        const auto sums = problem.template multiplied<Arch, tokens(), in_parts()>();
        CHECK(sums == std::vector<float>(sums.size(), static_cast<float>(256 * widest * value)));
      }
    });
  });
}

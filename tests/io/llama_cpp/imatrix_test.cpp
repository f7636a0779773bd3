// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/io/llama_cpp/imatrix.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/gguf/gguf_reference.hpp"
#include "io/io_test_support.hpp"
#include "luq/core/random_matrix.hpp"
#include "luq/estimators/hessian.hpp"
#include "luq/io/gguf/gguf.hpp"

using luq::errc;
using luq_test::check_fails;

namespace {

TEST_CASE("an importance matrix holds the sums of squares that the inputs have") {
  const luq_test::scratch_directory scratch;
  constexpr luq::index tokens = 300;
  const luq::matrix X = luq::random_normal_matrix(tokens, 24, luq::counter_rng(1));
  luq::hessian H(24);
  H.add(X);
  luq::write_imatrix(scratch / "imatrix.gguf",
                     {luq::make_imatrix_entry("model.layers.1.mlp.up_proj", H.matrix(), H.tokens()),
                      luq::make_imatrix_entry("model.layers.0.self_attn.q_proj", H.matrix(), H.tokens())},
                     {.datasets = {"images", "text.txt"}, .chunk_count = 3, .chunk_size = 100});

  const luq::gguf_reader reader(scratch / "imatrix.gguf");
  CHECK(reader.metadata().size() == 4);
  CHECK(reader.value<std::string>("general.type") == "imatrix");
  CHECK(reader.value<std::vector<std::string>>("imatrix.datasets") == std::vector<std::string>{"images", "text.txt"});
  CHECK(reader.value<std::uint32_t>("imatrix.chunk_count") == 3);
  CHECK(reader.value<std::uint32_t>("imatrix.chunk_size") == 100);
  REQUIRE(reader.tensors().size() == 4);
  const char* const names[] = {"blk.0.attn_q.weight.in_sum2", "blk.0.attn_q.weight.counts",
                               "blk.1.ffn_up.weight.in_sum2", "blk.1.ffn_up.weight.counts"};
  for (std::size_t i = 0; i < 4; ++i) {
    const luq::gguf_tensor_info& info = reader.tensors()[i];
    CHECK(info.name == names[i]);
    CHECK((info.type == luq::ggml_type::f32));
    CHECK(info.shape == std::vector<luq::index>{i % 2 == 0 ? 24 : 1});
    const std::span<const std::byte> bytes = reader.bytes(info.name);
    for (luq::index c = 0; c < info.size(); ++c) {
      float value = 0;
      std::memcpy(&value, bytes.data() + 4 * c, 4);
      if (i % 2 == 1) {
        CHECK(value == 300.0f);
      } else {
        const double sum = X.col(c).cast<double>().squaredNorm();
        CHECK(std::abs(static_cast<double>(value) - sum) < 1e-5 * sum);
      }
    }
  }
}

TEST_CASE("weighted tokens leave the mean as it is and the count an integer") {
  const luq::matrix X = luq::random_normal_matrix(4, 8, luq::counter_rng(2));
  const std::vector<float> lambda = {0.5f, 0.0f, 2.0f, 1.0f};
  luq::hessian H(8);
  H.add(X, lambda);
  const luq::imatrix_entry entry = luq::make_imatrix_entry("model.layers.0.mlp.up_proj", H.matrix(), H.tokens());
  CHECK(entry.tokens == 3);
  for (luq::index c = 0; c < 8; ++c) {
    double mean = 0;
    for (luq::index t = 0; t < 4; ++t) {
      mean +=
          static_cast<double>(lambda[static_cast<std::size_t>(t)]) * std::pow(static_cast<double>(X(t, c)), 2) / 3.5;
    }
    CHECK(static_cast<double>(entry.in_sum2[static_cast<std::size_t>(c)]) / 3 == doctest::Approx(mean).epsilon(1e-5));
  }
}

TEST_CASE("the bytes of an importance matrix, spelled by hand") {
  const luq_test::scratch_directory scratch;
  luq::write_imatrix(scratch / "a", {{"blk.0.ffn_up.weight", {1.5f, 0.0f, 2.0f}, 16777216}}, {.datasets = {"d"}});
  luq_test::gguf_spelling file;
  file.begin(2, 4);
  file.key("general.type", 8).text("imatrix");
  file.key("imatrix.datasets", 9).number(std::int32_t{8}).number(std::uint64_t{1}).text("d");
  file.key("imatrix.chunk_count", 4).number(std::uint32_t{1});
  file.key("imatrix.chunk_size", 4).number(std::uint32_t{512});
  file.tensor("blk.0.ffn_up.weight.in_sum2", {3}, 0, 0).tensor("blk.0.ffn_up.weight.counts", {1}, 0, 32).pad();
  file.number(1.5f).number(0.0f).number(2.0f).pad().number(16777216.0f).pad();
  CHECK(luq_test::read_text(scratch / "a") == file.bytes());
}

TEST_CASE("importance matrices that are none") {
  const luq_test::scratch_directory scratch;
  const auto check = [&](errc code, std::string_view fragment, const std::vector<luq::imatrix_entry>& entries) {
    check_fails(code, fragment, [&] { luq::write_imatrix(scratch / "a", entries, {}); });
  };
  constexpr float infinity = std::numeric_limits<float>::infinity();
  check(errc::invalid_argument, "imatrix: expected at least one entry", {});
  check(errc::insufficient_data, "imatrix: 'b' has no tokens", {{"a", {1.0f}, 1}, {"b", {1.0f}, 0}});
  check(errc::non_finite, "imatrix: 'a': in_sum2 holds inf", {{"a", {1.0f, infinity}, 1}});
  check(errc::non_finite, "imatrix: 'a': in_sum2 holds", {{"a", {std::numeric_limits<float>::quiet_NaN()}, 1}});
  check(errc::invalid_argument, "imatrix: 'a': in_sum2 holds -1", {{"a", {-1.0f}, 1}});
  check(errc::invalid_argument, "duplicate tensor name 'a.counts'", {{"a", {1.0f}, 1}, {"a", {2.0f}, 1}});
  CHECK(scratch.size() == 0);
  check_fails(errc::unsupported, "no name is known for 'lm'",
              [&] { static_cast<void>(luq::make_imatrix_entry("lm", luq::matrix::Identity(2, 2), 1)); });
}

}  // namespace

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What activations are after they were arranged is tested by the products that read them; here, how much memory they
// take, and what is refused.
#include <doctest/doctest.h>

#include <limits>
#include <luq/codecs/int_codec.hpp>
#include <luq/codecs/sign_codec.hpp>
#include <luq/kernels/cuda/detail/activations/activation_layout.cuh>
#include <string>

#include "estimators/error_of.hpp"

namespace {

using luq::cuda::activation_bits;
using luq::cuda::detail::arithmetic;

template <class Codec, activation_bits Bits, arithmetic Arithmetic>
void check_size(int chunks, int tokens, int tiles, int words_of_tile) {
  CAPTURE(tokens);
  const auto size = luq::cuda::detail::size_of_arranged<Codec, Bits, Arithmetic>(chunks, tokens);
  CHECK(size.tiles == tiles);
  CHECK(size.words == static_cast<std::size_t>(chunks) * static_cast<std::size_t>(tiles * words_of_tile));
  CHECK(size.factors == static_cast<std::size_t>(chunks * tokens * 2));
}

}  // namespace

TEST_CASE("memory of arranged activations: bytes for whole blocks of tokens, bits for each token") {
  // A tile of bytes has 8 columns, 8 tokens of 8 bits or 4 of 16, and of int4 lanes have 8 slots.
  check_size<luq::int_codec<4>, activation_bits::eight, arithmetic::bytes>(5, 0, 0, 256);
  check_size<luq::int_codec<4>, activation_bits::eight, arithmetic::bytes>(5, 1, 16, 256);
  check_size<luq::int_codec<4>, activation_bits::sixteen, arithmetic::bytes>(5, 128, 32, 256);
  check_size<luq::int_codec<4>, activation_bits::sixteen, arithmetic::bytes>(5, 129, 64, 256);
  check_size<luq::sign_codec, activation_bits::eight, arithmetic::bit_serial>(3, 2, 2, 32);
  check_size<luq::sign_codec, activation_bits::sixteen, arithmetic::bit_serial>(3, 2, 4, 32);
}

TEST_CASE("more activations than kernels can count are refused before memory is asked for") {
  constexpr auto size =
      luq::cuda::detail::size_of_arranged<luq::int_codec<4>, activation_bits::sixteen, arithmetic::bytes>;
  CHECK(size(1, luq::cuda::detail::most_tokens).tiles == 65536);
  const auto refused = [&](int chunks, int tokens) {
    const luq::error error = luq_test::error_of([&] { (void)size(chunks, tokens); });
    CHECK(error.code() == luq::errc::unsupported);
    return std::string(error.what());
  };
  CHECK(refused(1, luq::cuda::detail::most_tokens + 1).find("at most 262140 tokens") != std::string::npos);
  CHECK(refused(1, std::numeric_limits<int>::max()).find("2147483647 tokens in 1 chunks") != std::string::npos);
  // 2^16 tiles of 2^8 words: 127 chunks are below 2^31 words, 128 are not.
  CHECK(size(127, luq::cuda::detail::most_tokens).words == std::size_t{127} << 24);
  CHECK(refused(128, luq::cuda::detail::most_tokens).find("in 128 chunks") != std::string::npos);
}

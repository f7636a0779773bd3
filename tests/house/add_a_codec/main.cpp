// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A codec outside of luq is one header: one line tests it, searches find codes for it, it is packed, saved and
// multiplied.
#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <luq/io/safetensors/safetensors.hpp>
#include <luq/io/safetensors/safetensors_writer.hpp>
#include <luq/luq.hpp>
#include <luq/templates.hpp>
#include <string>

#include "five_level_codec.hpp"

using example::five_level_codec;

TEST_CASE("a codec that luq does not know has the properties of a codec") {
  luq::check_codec(five_level_codec{});
  luq::check_codec(five_level_codec{.group = luq::whole_row});
  CHECK(luq::codec_name(five_level_codec{.group = 64}) == "five-levels:g64");
}

TEST_CASE("every search finds codes for it, in three bits and a scale") {
  const luq::matrix W = luq::random_normal_matrix(70, 256, luq::counter_rng(1));
  luq::matrix X = luq::random_normal_matrix(512, 256, luq::counter_rng(2));
  for (luq::index c = 1; c < X.cols(); ++c) X.col(c) = 0.8f * X.col(c - 1) + 0.6f * X.col(c);
  luq::linear_inputs inputs(256);
  inputs.add(X);
  const auto error = [&](const auto& search) {
    const auto packed = luq::quantize({W, inputs}, five_level_codec{}, search).packed;
    CHECK(packed.bits_per_weight() == 3.125);
    CHECK(packed.unpack().codes.maxCoeff() < five_level_codec::used_codes);
    return luq::relative_output_error(W, packed.unpack().decode(), inputs.H());
  };
  const double nearest = error(luq::round_to_nearest{});
  const double feedback = error(luq::gptq{});
  CHECK(feedback < nearest);
  CHECK(error(luq::refined<luq::gptq>{}) < feedback);
  CHECK(error(luq::beam_search{.beams = 8}) < feedback);
}

TEST_CASE("its bytes are known before it exists; they are saved as a tensor, and loaded, with its transform") {
  const five_level_codec codec{.group = 64};
  const luq::matrix W = luq::random_normal_matrix(70, 300, luq::counter_rng(5));
  const auto packed = luq::quantize(W, luq::hadamard{}, codec, luq::round_to_nearest{}, {.seed = 6}).packed;
  const luq::index planned = luq::packed_bytes(codec, 70, 300) + luq::transform_bytes("hadamard", 300);
  CHECK(static_cast<luq::index>(packed.bytes().size()) == planned);
  const auto path = std::filesystem::temp_directory_path() / ("luq-five-levels-" + std::to_string(::getpid()));
  luq::safetensors_writer writer(path, {{"w", luq::tensor_dtype::u8, {planned}}}, {{"w", luq::codec_name(codec)}});
  writer.write("w", packed.bytes());
  writer.commit();
  {
    const luq::safetensors_reader file(path);
    const auto bytes = file.bytes("w");
    const auto behind = bytes.subspan(static_cast<std::size_t>(luq::packed_bytes(codec, 70, 300)));
    const luq::packed_matrix loaded(codec, 70, 300, {bytes.begin(), bytes.end()},
                                    luq::read_transform("hadamard", 300, behind));
    CHECK(loaded.unpack().decode() == packed.unpack().decode());
    CHECK(luq::relative_output_error(W, loaded.unpack().decode(), luq::matrix::Identity(300, 300)) < 0.15);
  }
  std::filesystem::remove(path);
}

TEST_CASE("kernels multiply it, also a single token straight from its packed words") {
  static_assert(luq::kernel_path_of<five_level_codec> == luq::kernel_path::affine_planes);
  const luq::matrix W = luq::random_normal_matrix(70, 300, luq::counter_rng(3));
  const auto packed = luq::quantize(W, five_level_codec{}, luq::round_to_nearest{}).packed;
  const luq::matrix Q = packed.unpack().decode();
  for (const luq::index tokens : {1, 7}) {
    const luq::matrix X = luq::random_normal_matrix(tokens, 300, luq::counter_rng(4));
    const luq::matrix exact = X * Q.transpose();
    luq::matrix Y(tokens, 70);
    luq::matmul(packed, X, Y);
    CHECK((Y - exact).norm() < 1e-5f * exact.norm());
    luq::matmul(packed, X, Y, {.activations = luq::activation_mode::int8});
    CHECK((Y - exact).norm() < 0.02f * exact.norm());
  }
}

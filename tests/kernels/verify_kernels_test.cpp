// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/kernels/verify_kernels.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

#include "luq/kernels/templates/verify_kernels.hpp"

using luq::activation_mode;
using luq::int_codec;
using luq::dispatch::implementation;

namespace {

/// The kernels under test that a faulty one calls, for a function pointer carries nothing.
const implementation* sound = nullptr;

template <class Codec>
const luq::detail::codec_stages<Codec>& sound_stages() {
  return *sound->stages;
}

/// A product of the sound kernels with what Change(W, Y, first, end) makes of its output and row tiles; it returns what
/// is to be done afterwards.
template <class Codec, class Operand, class Multiply, class Change>
void multiply_changed(const luq::detail::packed_view<Codec>& W, const Operand& X, luq::detail::product_output Y,
                      std::byte* scratch, luq::index first, luq::index end, Multiply multiply, Change change) {
  const auto afterwards = change(W, Y, first, end);
  multiply(W, X, Y, scratch, first, end);
  afterwards();
}

/// The best kernels, but for one codec and stage.
template <class Codec, auto Change>
implementation with_integer_product() {
  sound = &luq::dispatch::implementations().front();
  static luq::detail::stage_table spoilt = *sound->stages;
  static_cast<luq::detail::codec_stages<Codec>&>(spoilt).multiply_integers =
      [](const auto& W, const auto& X, const auto& Y, std::byte* scratch, luq::index first, luq::index end) {
        multiply_changed(W, X, Y, scratch, first, end, sound_stages<Codec>().multiply_integers, Change);
      };
  return {"spoilt", &spoilt};
}
template <class Codec, auto Change>
implementation with_float_product() {
  sound = &luq::dispatch::implementations().front();
  static luq::detail::stage_table spoilt = *sound->stages;
  static_cast<luq::detail::codec_stages<Codec>&>(spoilt).multiply_floats =
      [](const auto& W, const auto& X, const auto& Y, std::byte* scratch, luq::index first, luq::index end) {
        multiply_changed(W, X, Y, scratch, first, end, sound_stages<Codec>().multiply_floats, Change);
      };
  return {"spoilt", &spoilt};
}
template <class Codec, auto Change>
implementation with_quantization() {
  sound = &luq::dispatch::implementations().front();
  static luq::detail::stage_table spoilt = *sound->stages;
  static_cast<luq::detail::codec_stages<Codec>&>(spoilt).quantize = [](const float* X, luq::index stride,
                                                                       luq::index first, luq::index end,
                                                                       const luq::detail::activation_view& quantized) {
    sound_stages<Codec>().quantize(X, stride, first, end, quantized);
    Change(quantized);
  };
  return {"spoilt", &spoilt};
}

/// The message with which kernels are refused; empty if they are not.
std::string refusal_of(const implementation& kernels) {
  try {
    (void)luq::verify_kernels(std::span(&kernels, 1));
  } catch (const luq::error& refusal) {
    CHECK(refusal.code() == luq::errc::faulty_kernel);
    return refusal.what();
  }
  return "";
}

/// The message names kernels, codec and mode.
void check_refused(const implementation& kernels, const std::string& codec, const std::string& mode) {
  const std::string message = refusal_of(kernels);
  CAPTURE(message);
  CHECK(message.starts_with("kernels spoilt, codec " + codec + ":g"));
  CHECK(message.find(" activations in " + mode + ": ") != std::string::npos);
}

void check_report(const std::vector<luq::kernel_check>& done, const std::set<std::string>& kernels) {
  std::set<std::string> names;
  std::set<std::string> codecs;
  std::size_t lookups = 0;
  for (const luq::kernel_check& check : done) {
    names.insert(check.kernels);
    codecs.insert(check.codec);
    lookups += check.activations == activation_mode::lookup;
    CHECK(check.rows > 0);
    CHECK(check.cols > 0);
    CHECK(check.tokens > 0);
    CHECK(check.error >= 0);
    CHECK(check.error <= 1);
  }
  constexpr std::size_t groups = 2;
  CHECK(names == kernels);
  CHECK(codecs.size() == groups * (std::variant_size_v<luq::any_codec> + 1));
  CHECK(done.size() == kernels.size() * codecs.size() * 5);
  CHECK(lookups == kernels.size() * codecs.size());
  // Bounds are not so wide that anything would pass them: rounding alone comes near to some.
  CHECK(std::any_of(done.begin(), done.end(), [](const auto& check) { return check.error > 0.02; }));
}

}  // namespace

TEST_CASE("the kernels that this machine can run are right") {
  std::set<std::string> names;
  for (const implementation& kernels : luq::dispatch::implementations()) names.emplace(kernels.name);
  check_report(luq::verify_kernels(), names);
}

TEST_CASE("some of the kernels") {
  const implementation& last = luq::dispatch::implementations().back();
  check_report(luq::verify_kernels(std::span(&last, 1)), {std::string(last.name)});
  CHECK(luq::verify_kernels(std::span<const implementation>()).empty());
}

TEST_CASE("the included kernels are right") {
  check_report(luq::verify_kernels<luq::default_arch>(), {luq::default_arch::name()});
}

TEST_CASE("a product that leaves out the last row tile is refused") {
  constexpr auto without_last = [](const auto&, const auto&, luq::index first, luq::index& end) {
    end = std::max(first + 1, end - 1);
    return [] {};
  };
  check_refused(with_integer_product<luq::sign_codec, without_last>(), "sign", "int8");
}

TEST_CASE("one row that is off by some parts in ten thousand is refused") {
  constexpr auto off = [](const auto&, const auto& Y, luq::index, luq::index) {
    return [&Y] { Y.data[1] *= 1.0005f; };
  };
  check_refused(with_float_product<int_codec<3>, off>(), "int3", "float32");
}

TEST_CASE("a product that ignores the bias, or overwrites what it should add to, is refused") {
  constexpr auto without_bias = [](const auto&, luq::detail::product_output& Y, luq::index, luq::index) {
    Y.bias = nullptr;
    return [] {};
  };
  constexpr auto overwriting = [](const auto&, luq::detail::product_output& Y, luq::index, luq::index) {
    Y.accumulate = false;
    return [] {};
  };
  check_refused(with_float_product<luq::trellis_codec<2>, without_bias>(), "trellis1", "float32");
  check_refused(with_integer_product<luq::trellis_codec<2>, overwriting>(), "trellis1", "int8");
}

TEST_CASE("a product that writes one row too many is refused") {
  constexpr auto one_more = [](const auto& W, const auto& Y, luq::index, luq::index end) {
    return [&, end] {
      if (end == W.layout().row_tiles()) Y.data[(end - 1) * luq::tile_rows + W.layout().rows_of(end - 1)] = 0;
    };
  };
  check_refused(with_float_product<luq::binary_coding_codec, one_more>(), "bcq2", "float32");
}

TEST_CASE("one activation that is one step off is refused") {
  constexpr auto off = [](const luq::detail::activation_view& quantized) {
    quantized.bytes[8] = static_cast<std::int8_t>(quantized.bytes[8] ^ 1);
  };
  const implementation kernels = with_quantization<int_codec<8>, off>();
  check_refused(kernels, "int8", "int8");
  CHECK(refusal_of(kernels).find(" is rounded to ") != std::string::npos);
}

TEST_CASE("a sum of activations that is one off, or a scale that is not the greatest / 127, is refused") {
  constexpr auto sum_off = [](const luq::detail::activation_view& quantized) {
    quantized.sums[quantized.sums.size() - 1] += 1;
  };
  constexpr auto scale_off = [](const luq::detail::activation_view& quantized) { quantized.scales[0] *= 1.000001f; };
  check_refused(with_quantization<luq::billm_codec, sum_off>(), "billm", "int8");
  check_refused(with_quantization<luq::ternary_codec, scale_off>(), "ternary", "int8");
}

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "app/benchmark.hpp"

#include <limits>

#include "app/plan_evaluator.hpp"
#include "app/read_bandwidth.hpp"
#include "app/synthetic_decoder.hpp"
#include "app_test_support.hpp"

using vlm::contender;
using vlm::decode_part;
using vlm::decoder_timing;

namespace {

/// The shape of the embedded model: its first layers, random.
std::vector<contender> small_contenders() {
  const auto architecture = vlm::architecture_by_name(vlm_test::tiny_fixture().model.string()).first_layers(2);
  vlm::synthetic_decoders decoders(architecture, luq::parse_codec("int8:g128"));
  const luq::model_shape shape = vlm::decoder_shape(architecture.text);
  std::vector<contender> result;
  for (const char* codec : {"sign:g128", "int4:g128"}) {
    result.push_back({codec, decoders.with_plan(luq::uniform_plan(shape, luq::parse_codec(codec)))});
  }
  return result;
}

decoder_timing timing(const char* name, double layers, double head) {
  decoder_timing result{.name = name, .layer_bytes = 6000, .head_bytes = 2000, .true_bits = 1.125};
  for (const double factor : {2.0, 1.0, 4.0}) {  // the median repetition is the first
    result.bandwidth.push_back(400000 / factor);
    result.layer_seconds.push_back(factor * layers);
    result.head_seconds.push_back(factor * head);
    result.prefill_seconds.push_back(factor * layers);
  }
  return result;
}

}  // namespace

TEST_CASE("every decoder is timed once a repetition, and its bytes are those of its packed linears") {
  const std::vector<contender> contenders = small_contenders();
  vlm_test::recorded_progress progress;
  const auto timings = vlm::time_decoders(contenders, {.context = 5, .prompt = 7, .tokens = 3, .repetitions = 4},
                                          {.threads = 2}, &progress);
  REQUIRE(timings.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(timings[i].name == contenders[i].name);
    luq::index bytes = 0;
    luq::index weights = 0;
    for (const vlm::decoder_layer& layer : contenders[i].model.layers()) {
      for (const vlm::decoder_linear which : vlm::decoder_linears) {
        const luq::index rows = layer[which].out_features();
        const luq::index cols = layer[which].in_features();
        bytes += luq::packed_bytes(luq::parse_codec(contenders[i].name), rows, cols);
        weights += rows * cols;
      }
    }
    CHECK(timings[i].layer_bytes == bytes);
    CHECK(timings[i].true_bits == doctest::Approx(8.0 * static_cast<double>(bytes) / static_cast<double>(weights)));
    const vlm::linear& head = contenders[i].model.head();
    CHECK(timings[i].head_bytes ==
          luq::packed_bytes(luq::parse_codec("int8:g128"), head.out_features(), head.in_features()));
    for (const auto* values :
         {&timings[i].bandwidth, &timings[i].layer_seconds, &timings[i].head_seconds, &timings[i].prefill_seconds}) {
      REQUIRE(values->size() == 4);
      for (const double value : *values) CHECK(value > 0);
    }
  }
  REQUIRE(progress.tasks.size() == 2);
  for (const auto& task : progress.tasks) CHECK(task.done == 4);
}

TEST_CASE("without a prompt there is no prefill") {
  const auto timings = vlm::time_decoders(small_contenders(),
                                          {.context = 0, .prompt = 0, .tokens = 1, .repetitions = 1}, {.threads = 1});
  CHECK(timings[0].layer_seconds.size() == 1);
  CHECK(timings[0].prefill_seconds.empty());
}

TEST_CASE("a decoder whose logits are no finite numbers is an error that names it") {
  std::vector<contender> contenders = small_contenders();
  vlm::linear& linear = contenders[1].model.layers()[1][vlm::decoder_linear::up];
  luq::matrix W = luq::matrix::Zero(linear.out_features(), linear.in_features());
  W(3, 4) = std::numeric_limits<float>::quiet_NaN();
  linear.set_weights(std::make_shared<const luq::matrix>(W));
  vlm_test::check_fails(luq::errc::non_finite, {"int4:g128", "logits"}, [&] {
    (void)vlm::time_decoders(contenders, {.context = 1, .prompt = 0, .tokens = 1, .repetitions = 1}, {.threads = 1});
  });
}

TEST_CASE("tables show medians, ranges, the limit, and what is gained over the last decoder") {
  const std::vector<decoder_timing> timings{timing("fast", 0.02, 0.005), timing("rival", 0.05, 0.005)};
  using cells = std::vector<std::vector<std::string>>;
  // 200000 bytes a second over 8000 bytes are 25 tokens a second; 0.05 s are 20 tokens a second.
  const vlm::table whole = vlm::decode_table(timings, decode_part::layers_and_head);
  CHECK(whole.header.back() == "times rival");
  CHECK(whole.rows == cells{{"fast", "8000", "1.125", "0.0", "25.00", "20.00", "10.00 ... 40.00", "80.0 %", "2.20"},
                            {"rival", "8000", "1.125", "0.0", "25.00", "9.09", "4.55 ... 18.18", "36.4 %", "1.00"}});
  const vlm::table layers = vlm::decode_table(timings, decode_part::layers);
  CHECK(layers.rows == cells{{"fast", "6000", "1.125", "0.0", "33.33", "25.00", "12.50 ... 50.00", "75.0 %", "2.50"},
                             {"rival", "6000", "1.125", "0.0", "33.33", "10.00", "5.00 ... 20.00", "30.0 %", "1.00"}});
  const vlm::table prefill = vlm::prefill_table(timings, 6);
  CHECK(prefill.rows ==
        cells{{"fast", "6", "150.0", "75.0 ... 300.0", "2.50"}, {"rival", "6", "60.0", "30.0 ... 120.0", "1.00"}});
}

TEST_CASE("keys and values of a context are floats of every layer") {
  const vlm::text_config qwen = vlm::architecture_by_name("qwen2.5-vl-7b").text;
  CHECK(vlm::cache_bytes(qwen, 512) == 512LL * 28 * 2 * 4 * 128 * 4);
}

TEST_CASE("buffers of any size are read, by more threads than they have bytes, too") {
  for (const int threads : {1, 2, 5}) {
    const std::vector<std::byte> storage[] = {std::vector<std::byte>(0), std::vector<std::byte>(3),
                                              std::vector<std::byte>(64), std::vector<std::byte>(100003)};
    const double bandwidth =
        vlm::read_bandwidth({storage[0], storage[1], storage[2], storage[3]}, {.threads = threads});
    CHECK(bandwidth > 1e6);
    CHECK(bandwidth < 1e13);
  }
}

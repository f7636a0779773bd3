// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Where positions are not places in the sequence: caches that go on behind an image, batches, padding, generation; and
// images and tokens that the model does not take.
#include <limits>

#include "engine/generate.hpp"
#include "qwen_test_support.hpp"

using vlm::kv_cache;
using vlm::logits_of;
using vlm::sequence_step;
using vlm::token_sequence;
using vlm_test::check_fails;
using vlm_test::encode_images;
using vlm_test::published_fixture;
using vlm_test::published_model;
using vlm_test::qwen_sequence;
using vlm_test::relative_difference;

namespace {

constexpr double tolerance = 2e-5;

/// Runs a part of a sequence, [begin, end), with these images.
luq::matrix run_part(const qwen_sequence& sequence, std::ptrdiff_t begin, std::ptrdiff_t end,
                     const vlm::encoded_images* images, kv_cache& cache) {
  const token_sequence tokens = published_model().sequence({sequence.ids.begin() + begin, sequence.ids.begin() + end});
  const sequence_step step{&tokens, images, &cache};
  return published_model().forward({&step, 1}, logits_of::every_token);
}

vlm::encoded_images encode(std::size_t image) {
  return published_model().image_features(published_fixture().images[image]);
}

const qwen_sequence& with_one_image() {
  return published_fixture().sequences[0];  // its 15 tokens are at 3 ... 17
}

const qwen_sequence& with_two_images() {
  return published_fixture().sequences[2];  // of 12 tokens at 2 ... 13, and of 15 at 18 ... 32
}

}  // namespace

TEST_CASE("token by token behind an image gives the logits of the whole") {
  const qwen_sequence& sequence = with_one_image();
  const vlm::encoded_images image = encode(0);
  kv_cache cache = published_model().make_cache();
  luq::matrix logits = run_part(sequence, 0, 18, &image, cache);
  CHECK(cache.length() == 18);
  CHECK(cache.next_position() == 3 + 5);
  for (std::ptrdiff_t t = 18; t < static_cast<std::ptrdiff_t>(sequence.ids.size()); ++t) {
    logits.conservativeResize(logits.rows() + 1, Eigen::NoChange);
    logits.bottomRows(1) = run_part(sequence, t, t + 1, nullptr, cache);
  }
  CHECK(relative_difference(logits, sequence.logits) < tolerance);
}

TEST_CASE("a sequence cut between and behind its images gives the logits of the whole") {
  const qwen_sequence& sequence = with_two_images();
  const vlm::encoded_images first = encode(1);
  const vlm::encoded_images second = encode(0);
  kv_cache cache = published_model().make_cache();
  luq::matrix logits(sequence.logits.rows(), sequence.logits.cols());
  const auto end = static_cast<std::ptrdiff_t>(sequence.ids.size());
  logits.topRows(16) = run_part(sequence, 0, 16, &first, cache);
  logits.middleRows(16, 20) = run_part(sequence, 16, 36, &second, cache);
  logits.bottomRows(end - 36) = run_part(sequence, 36, end, nullptr, cache);
  CHECK(relative_difference(logits, sequence.logits) < tolerance);
  CHECK(cache.next_position() == sequence.positions.back()[0] + 1);
}

TEST_CASE("a truncated cache goes on where its last token stands") {
  const qwen_sequence& sequence = with_one_image();
  const vlm::encoded_images image = encode(0);
  const auto end = static_cast<std::ptrdiff_t>(sequence.ids.size());
  kv_cache cache = published_model().make_cache();
  run_part(sequence, 0, end, &image, cache);
  cache.truncate(20);
  CHECK(relative_difference(run_part(sequence, 20, end, nullptr, cache), sequence.logits.bottomRows(end - 20)) <
        tolerance);
  cache.truncate(3);  // before the image
  CHECK(relative_difference(run_part(sequence, 3, end, &image, cache), sequence.logits.bottomRows(end - 3)) <
        tolerance);
}

TEST_CASE("a batch gives each sequence what it gets alone, padding is forgotten") {
  const auto& sequences = published_fixture().sequences;
  std::vector<token_sequence> tokens;
  std::vector<vlm::encoded_images> images;
  for (const qwen_sequence& sequence : sequences) {
    std::vector<std::int32_t> ids = sequence.ids;
    std::vector<bool> valid(ids.size(), true);
    ids.resize(40, 0);
    valid.resize(40, false);
    tokens.emplace_back(ids, valid, published_model().config().image_token);
    images.push_back(encode_images(published_model(), published_fixture(), sequence));
  }
  std::vector<kv_cache> caches(sequences.size(), published_model().make_cache());
  std::vector<sequence_step> batch;
  for (std::size_t s = 0; s < sequences.size(); ++s) batch.push_back({&tokens[s], &images[s], &caches[s]});
  const luq::matrix logits = published_model().forward(batch, logits_of::every_token);
  for (std::size_t s = 0; s < sequences.size(); ++s) {
    CAPTURE(s);
    const qwen_sequence& sequence = sequences[s];
    CHECK(relative_difference(logits.middleRows(40 * static_cast<luq::index>(s), sequence.logits.rows()),
                              sequence.logits) < tolerance);
    CHECK(caches[s].length() == sequence.logits.rows());
    CHECK(caches[s].next_position() == sequence.positions.back()[0] + 1);
  }
}

TEST_CASE("generation through the cache gives the tokens of whole sequences") {
  const qwen_sequence& sequence = with_two_images();
  const vlm::encoded_images images = encode_images(published_model(), published_fixture(), sequence);
  std::vector<std::int32_t> ids = sequence.ids;
  std::vector<std::int32_t> expected;
  for (int i = 0; i < 6; ++i) {
    const luq::matrix logits = published_model().logits(published_model().sequence(ids), &images);
    expected.push_back(vlm::most_likely(logits, logits.rows() - 1));
    if (expected.back() >= 90) break;  // a place of an image cannot follow
    ids.push_back(expected.back());
  }
  REQUIRE(expected.size() > 2);
  const auto& all = published_fixture().images;
  const std::vector<vlm::image> shown{all[1], all[0]};
  CHECK(vlm::generate(published_model(), sequence.ids, shown, static_cast<luq::index>(expected.size()), {}) ==
        expected);
}

TEST_CASE("tokens that do not fit their images are refused and leave the cache alone") {
  const auto& model = published_model();
  const vlm::encoded_images image = encode(2);  // 1 x 2 tokens
  kv_cache cache = model.make_cache();
  const auto run = [&](std::vector<std::int32_t> ids, const vlm::encoded_images* images) {
    const token_sequence tokens = model.sequence(std::move(ids));
    const sequence_step step{&tokens, images, &cache};
    model.forward({&step, 1}, logits_of::no_token);
  };
  const auto mismatch = luq::errc::shape_mismatch;
  check_fails(mismatch, {"id 90", "got 0 rows for 1 tokens"}, [&] { run({1, 90}, nullptr); });
  check_fails(mismatch, {"got 2 rows for 3 tokens"}, [&] { run({90, 90, 90}, &image); });
  check_fails(mismatch, {"position 0", "the 2 tokens of image 0 side by side", "got 1"},
              [&] { run({90, 1, 90}, &image); });
  check_fails(luq::errc::unsupported, {"position 1", "got id 91", "video"}, [&] { run({1, 91}, nullptr); });
  CHECK(cache.length() == 0);
  run({1, 90, 90, 2}, &image);
  CHECK(cache.length() == 4);
  CHECK(cache.next_position() == 4);
}

TEST_CASE("images that do not fit the tower are refused") {
  const auto refuse = [](luq::errc code, const std::vector<std::string>& fragments, auto&& spoil) {
    vlm::image picture = published_fixture().images[2];  // 2 x 4 patches of 96 values
    spoil(picture);
    check_fails(code, fragments, [&] { (void)published_model().image_features(picture); });
  };
  const auto mismatch = luq::errc::shape_mismatch;
  refuse(mismatch, {"patches and their grid"}, [](vlm::image& i) { i.grid.reset(); });
  refuse(mismatch, {"multiples of 2", "8 x 1"}, [](vlm::image& i) { i.grid = {8, 1}; });
  refuse(mismatch, {"multiples of 2", "1 x 8"}, [](vlm::image& i) { i.grid = {1, 8}; });
  refuse(mismatch, {"multiples of 2", "0 x 4"}, [](vlm::image& i) { i.grid = {0, 4}; });
  refuse(mismatch, {"multiples of 2", "-2 x -4"}, [](vlm::image& i) { i.grid = {-2, -4}; });
  refuse(mismatch, {"96 values for each of 4 x 4 patches", "got 768"}, [](vlm::image& i) { i.grid = {4, 4}; });
  // 2^64 + 8 patches
  refuse(mismatch, {"got 768"}, [](vlm::image& i) { i.grid = {(luq::index{1} << 62) + 2, 4}; });
  refuse(mismatch, {"got 767"}, [](vlm::image& i) { i.pixels.pop_back(); });
  refuse(luq::errc::non_finite, {"image"},
         [](vlm::image& i) { i.pixels[500] = std::numeric_limits<float>::infinity(); });
}

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "engine/generate.hpp"

#include <algorithm>

#include "engine_test_support.hpp"

using vlm_test::features_of;
using vlm_test::fixture;

namespace {

/// Greedy decoding without a cache, from the logits of whole sequences, up to a token that would ask for an image.
std::vector<std::int32_t> expected_answer(const vlm::vision_language_model& model, std::vector<std::int32_t> ids,
                                          const vlm::encoded_images* image, std::size_t count) {
  std::vector<std::int32_t> answer;
  while (answer.size() < count && ids.back() != model.config().image_token) {
    const luq::matrix logits = model.logits(model.sequence(ids), image);
    answer.push_back(vlm::most_likely(logits, logits.rows() - 1));
    ids.push_back(answer.back());
  }
  return answer;
}

void check_generation(const fixture& data, const vlm::vision_language_model& model) {
  for (const auto& sequence : data.sequences) {
    std::span<const vlm::image> images;
    if (sequence.image >= 0) images = std::span(data.images).subspan(static_cast<std::size_t>(sequence.image), 1);
    const std::vector<std::int32_t> whole = expected_answer(model, sequence.ids, features_of(data, sequence), 5);
    const auto count = static_cast<luq::index>(whole.size());
    REQUIRE(count > 0);
    CHECK(vlm::generate(model, sequence.ids, images, count, {}) == whole);

    const std::vector<std::int32_t> ends{-5, whole.back()};
    const auto end = std::find(whole.begin(), whole.end(), whole.back());
    CHECK(vlm::generate(model, sequence.ids, images, count, ends) == std::vector<std::int32_t>(whole.begin(), end));
  }
}

}  // namespace

TEST_CASE("the most likely token is the largest logit, the first of equals") {
  luq::matrix logits(2, 4);
  logits << 1, 3, 3, 2, -5, -4, -6, -3;
  CHECK(vlm::most_likely(logits, 0) == 1);
  CHECK(vlm::most_likely(logits, 1) == 3);
}

TEST_CASE("generation through the cache gives the tokens of whole sequences and stops before an end token") {
  check_generation(vlm_test::tiny_fixture(), vlm_test::tiny_model());
  check_generation(vlm_test::random_fixture(), vlm_test::random_model());
}

TEST_CASE("nothing is generated where nothing is asked for") {
  CHECK(vlm::generate(vlm_test::tiny_model(), {1, 5}, {}, 0, {}).empty());
}

TEST_CASE("a prompt with image tokens needs its image") {
  const auto& tiny = vlm_test::tiny_fixture().sequences.front();
  vlm_test::check_fails(luq::errc::shape_mismatch, {"got 0 rows for 9 tokens"},
                        [&] { (void)vlm::generate(vlm_test::tiny_model(), tiny.ids, {}, 3, {}); });
}

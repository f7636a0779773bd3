// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "engine/generate.hpp"

#include "engine_test_support.hpp"

using vlm_test::features_of;
using vlm_test::fixture;

namespace {

/// Greedy decoding without a cache, from the logits of whole sequences.
std::vector<std::int32_t> expected(const vlm::llava_model& model, std::vector<std::int32_t> ids,
                                   const luq::matrix* image, luq::index count) {
  std::vector<std::int32_t> answer;
  for (luq::index i = 0; i < count; ++i) {
    const luq::matrix logits = model.logits(model.sequence(ids), image);
    answer.push_back(vlm::most_likely(logits, logits.rows() - 1));
    ids.push_back(answer.back());
  }
  return answer;
}

}  // namespace

TEST_CASE("the most likely token is the largest logit, the first of equals") {
  luq::matrix logits(2, 4);
  logits << 1, 3, 3, 2, -5, -4, -6, -3;
  CHECK(vlm::most_likely(logits, 0) == 1);
  CHECK(vlm::most_likely(logits, 1) == 3);
}

TEST_CASE("generation through the cache gives the tokens of whole sequences") {
  for (const fixture* data : {&vlm_test::tiny_fixture(), &vlm_test::random_fixture()}) {
    const vlm::llava_model& model = data == &vlm_test::tiny_fixture() ? vlm_test::tiny_model() : vlm_test::random_model();
    for (const auto& sequence : data->sequences) {
      std::vector<std::int32_t> prompt = sequence.ids;
      prompt.resize(std::min<std::size_t>(prompt.size(), sequence.image < 0 ? 6 : 17));
      const luq::matrix* image = features_of(*data, sequence);
      if (image != nullptr && model.sequence(prompt).image_tokens() != image->rows()) prompt = sequence.ids;
      std::span<const float> pixels;
      if (image != nullptr) pixels = data->images[static_cast<std::size_t>(sequence.image)];

      const std::vector<std::int32_t> whole = expected(model, prompt, image, 5);
      if (std::find(whole.begin(), whole.end(), model.config().image_token) != whole.end()) continue;
      CHECK(vlm::generate(model, prompt, pixels, 5, {}) == whole);

      // It stops before the first end token.
      const std::vector<std::int32_t> ends{whole[2]};
      const auto end = std::find(whole.begin(), whole.end(), whole[2]);
      CHECK(vlm::generate(model, prompt, pixels, 5, ends) == std::vector<std::int32_t>(whole.begin(), end));
    }
  }
}

TEST_CASE("nothing is generated where nothing is asked for") {
  CHECK(vlm::generate(vlm_test::tiny_model(), {1, 5}, {}, 0, {}).empty());
}

TEST_CASE("a prompt with image tokens needs its image") {
  const auto& tiny = vlm_test::tiny_fixture().sequences.front();
  vlm_test::check_fails(luq::errc::shape_mismatch, {"got 0 rows for 9 tokens"},
                        [&] { (void)vlm::generate(vlm_test::tiny_model(), tiny.ids, {}, 3, {}); });
}

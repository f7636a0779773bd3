// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "generate.hpp"

#include <algorithm>
#include <utility>

namespace vlm {

std::int32_t most_likely(const luq::matrix_view& logits, luq::index row) {
  const float* const begin = logits.data() + row * logits.outerStride();
  return static_cast<std::int32_t>(std::max_element(begin, begin + logits.cols()) - begin);
}

std::vector<std::int32_t> generate(const vision_language_model& model, std::vector<std::int32_t> prompt,
                                   std::span<const image> images, luq::index max_new_tokens,
                                   std::span<const std::int32_t> end_tokens) {
  encoded_images encoded;
  for (const image& picture : images) encoded.append(model.image_features(picture));
  const encoded_images* image_features = &encoded;
  kv_cache cache = model.make_cache();
  token_sequence next = model.sequence(std::move(prompt));
  std::vector<std::int32_t> answer;
  while (static_cast<luq::index>(answer.size()) < max_new_tokens) {
    const sequence_step step{&next, image_features, &cache};
    const std::int32_t token = most_likely(model.forward({&step, 1}, logits_of::last_token), 0);
    if (std::find(end_tokens.begin(), end_tokens.end(), token) != end_tokens.end()) break;
    answer.push_back(token);
    next = token_sequence({token}, no_image_token);  // even if it has the id of an image place: there is no image
    image_features = nullptr;
  }
  return answer;
}

}  // namespace vlm

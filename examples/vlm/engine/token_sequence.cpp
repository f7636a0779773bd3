// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "token_sequence.hpp"

#include <algorithm>
#include <luq/core/error.hpp>
#include <utility>

namespace vlm {

token_sequence::token_sequence(std::vector<std::int32_t> ids, std::int32_t image_token)
    : ids_(std::move(ids)), valid_tokens_(static_cast<luq::index>(ids_.size())) {
  classes_.reserve(ids_.size());
  for (const std::int32_t id : ids_) {
    classes_.push_back(id == image_token ? luq::token_class::image : luq::token_class::text);
  }
}

token_sequence::token_sequence(std::vector<std::int32_t> ids, const std::vector<bool>& valid, std::int32_t image_token)
    : token_sequence(std::move(ids), image_token) {
  if (valid.size() != ids_.size()) {
    luq::fail(luq::errc::shape_mismatch, "token sequence: expected ", ids_.size(), " flags of validity, got ",
              valid.size());
  }
  const auto first_padding = std::find(valid.begin(), valid.end(), false);
  const auto misplaced = std::find(first_padding, valid.end(), true);
  if (misplaced != valid.end()) {
    luq::fail(luq::errc::unsupported,
              "token sequence: expected padding at the end only, got a valid token at position ",
              misplaced - valid.begin(), " after padding at ", first_padding - valid.begin());
  }
  valid_tokens_ = first_padding - valid.begin();
  std::fill(classes_.begin() + valid_tokens_, classes_.end(), luq::token_class::padding);
}

luq::index token_sequence::image_tokens() const {
  return std::count(classes_.begin(), classes_.end(), luq::token_class::image);
}

}  // namespace vlm

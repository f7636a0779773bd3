// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "engine/token_sequence.hpp"

#include "engine_test_support.hpp"

using luq::token_class;
using vlm::token_sequence;
using vlm_test::check_fails;

TEST_CASE("classes follow from ids and validity") {
  const token_sequence tokens({1, 4, 4, 7, 4, 0}, {true, true, true, true, false, false}, 4);
  const std::vector<token_class> expected{token_class::text, token_class::image,   token_class::image,
                                          token_class::text, token_class::padding, token_class::padding};
  CHECK(std::vector<token_class>(tokens.classes().begin(), tokens.classes().end()) == expected);
  CHECK(tokens.size() == 6);
  CHECK(tokens.valid_tokens() == 4);
  CHECK(tokens.image_tokens() == 2);
}

TEST_CASE("without flags nothing is padding") {
  const token_sequence tokens({0, 4, 0}, 4);
  CHECK(tokens.valid_tokens() == 3);
  CHECK(tokens.image_tokens() == 1);
  CHECK(token_sequence({4, 5}, vlm::no_image_token).image_tokens() == 0);
}

TEST_CASE("padding must trail, and flags must match the ids") {
  check_fails(luq::errc::unsupported, {"at the end only", "position 2", "at 0"},
              [] { (void)token_sequence({0, 0, 5}, {false, false, true}, 4); });
  check_fails(luq::errc::shape_mismatch, {"expected 3 flags", "got 2"},
              [] { (void)token_sequence({1, 2, 3}, {true, true}, 4); });
}

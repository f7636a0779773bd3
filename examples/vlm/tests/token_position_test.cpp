// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "engine/token_position.hpp"

#include "engine_test_support.hpp"

using vlm::image_grid;
using vlm::text_position;
using vlm::token_position;
using vlm_test::check_fails;

namespace {

/// "t" for text, "i" for a place of an image, "p" for padding.
std::vector<luq::token_class> classes_of(const std::string& letters) {
  std::vector<luq::token_class> classes;
  for (const char letter : letters) {
    classes.push_back(letter == 'i'   ? luq::token_class::image
                      : letter == 'p' ? luq::token_class::padding
                                      : luq::token_class::text);
  }
  return classes;
}

std::vector<token_position> positions(const std::string& letters, const std::vector<image_grid>& grids,
                                      luq::index first = 0) {
  return vlm::positions_of(classes_of(letters), grids, first);
}

}  // namespace

TEST_CASE("text stands on one axis and goes on where it is told to, and so do images without a grid") {
  const std::vector<token_position> expected{text_position(5), text_position(6), text_position(7)};
  CHECK(positions("ttt", {}, 5) == expected);
  CHECK(positions("tii", {}, 5) == expected);
  CHECK(positions("ttp", {}, 5) == expected);
  CHECK(positions("", {}).empty());
}

TEST_CASE("an image begins where text ends, and text goes on behind its longer side") {
  CHECK(positions("ttiiiiiit", {{2, 3}}) == std::vector<token_position>{text_position(0),
                                                                        text_position(1),
                                                                        {2, 2, 2},
                                                                        {2, 2, 3},
                                                                        {2, 2, 4},
                                                                        {2, 3, 2},
                                                                        {2, 3, 3},
                                                                        {2, 3, 4},
                                                                        text_position(5)});
  CHECK(positions("iiit", {{3, 1}}, 4) ==
        std::vector<token_position>{{4, 4, 4}, {4, 5, 4}, {4, 6, 4}, text_position(7)});
}

TEST_CASE("several images, with text between them or not") {
  CHECK(positions("iitii", {{1, 2}, {2, 1}}) ==
        std::vector<token_position>{{0, 0, 0}, {0, 0, 1}, text_position(2), {3, 3, 3}, {3, 4, 3}});
  CHECK(positions("iiii", {{1, 2}, {2, 1}}) == std::vector<token_position>{{0, 0, 0}, {0, 0, 1}, {2, 2, 2}, {2, 3, 2}});
}

TEST_CASE("image tokens that are not those of the grids are refused") {
  const auto mismatch = luq::errc::shape_mismatch;
  check_fails(mismatch, {"position 1", "the 4 tokens of image 0", "got 3"}, [] { (void)positions("tiii", {{2, 2}}); });
  check_fails(mismatch, {"position 0", "the 4 tokens of image 0 side by side", "got 2"},
              [] { (void)positions("iitii", {{2, 2}}); });
  check_fails(mismatch, {"position 4", "image 1", "got 0"}, [] { (void)positions("iiiii", {{2, 2}}); });
  check_fails(mismatch, {"tokens of 2 images", "got 1"}, [] { (void)positions("iiiit", {{2, 2}, {1, 1}}); });
}

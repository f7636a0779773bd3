// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "app/dataset.hpp"

#include <algorithm>
#include <limits>
#include <luq/io/safetensors/safetensors_writer.hpp>

#include "app_test_support.hpp"

using luq::errc;
using vlm_test::check_fails;
using vlm_test::scratch_directory;
using vlm_test::stored_set;

namespace {

/// Two images of 1 x 2 x 2 pixels, three sequences, the second of text only, the first and second padded.
stored_set small_calibration() {
  stored_set set;
  set.integers["input_ids"] = {{3, 4}, {1, 9, 5, 0, 1, 6, 0, 0, 1, 9, 7, 8}};
  set.integers["attention_mask"] = {{3, 4}, {1, 1, 1, 0, 1, 1, 0, 0, 1, 1, 1, 1}};
  set.integers["image_index"] = {{3}, {1, -1, 0}};
  set.floats["pixel_values"] = {{2, 1, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8}};
  return set;
}

/// Three questions of two kinds about one image and none.
stored_set small_questions() {
  stored_set set;
  set.integers["input_ids"] = {{3, 3}, {1, 9, 5, 1, 6, 0, 1, 9, 7}};
  set.integers["lengths"] = {{3}, {3, 2, 3}};
  set.integers["answers"] = {{3}, {11, 12, 13}};
  set.integers["kinds"] = {{3}, {1, 0, 1}};
  set.integers["image_index"] = {{3}, {0, -1, 0}};
  set.floats["pixel_values"] = {{1, 1, 2, 2}, {1, 2, 3, 4}};
  set.metadata["kinds"] = "sum,where";
  return set;
}

template <class Read>
auto read_stored(const stored_set& set, Read&& read) {
  const scratch_directory directory;
  set.write(directory.path() / "set.safetensors");
  return read(directory.path() / "set.safetensors");
}

vlm::calibration_set calibration_of(const stored_set& set) {
  return read_stored(set, [](const auto& file) { return vlm::read_calibration_set(file); });
}

vlm::question_set questions_of(const stored_set& set) {
  return read_stored(set, [](const auto& file) { return vlm::read_question_set(file); });
}

/// Checks that a set spoiled by alter() is refused, with a message that names the file and contains the fragments.
template <class Read, class Alter>
void check_dataset_refused(Read&& read, stored_set set, errc code, std::vector<std::string> fragments, Alter&& alter) {
  alter(set);
  fragments.emplace_back("set.safetensors");
  CAPTURE(fragments.front());
  check_fails(code, fragments, [&] { (void)read(set); });
}

/// A set of sequences of given valid tokens, in the order of `multimodal`, each followed by two of padding.
vlm::calibration_set set_of(const std::vector<std::pair<bool, std::size_t>>& sequences) {
  vlm::calibration_set set{"a set", {vlm::image{{0.0f}, {}}}, {}};
  for (const auto& [multimodal, tokens] : sequences) {
    vlm::calibration_sequence sequence;
    sequence.ids.assign(tokens + 2, 0);
    sequence.valid.assign(tokens + 2, false);
    std::fill_n(sequence.valid.begin(), tokens, true);
    sequence.image = multimodal ? 0 : -1;
    set.sequences.push_back(sequence);
  }
  return set;
}

struct token_counts {
  luq::index multimodal = 0;
  luq::index text = 0;
};

token_counts count(const std::vector<vlm::calibration_sequence>& mix) {
  token_counts counts;
  for (const auto& sequence : mix) {
    const auto valid = std::count(sequence.valid.begin(), sequence.valid.end(), true);
    (sequence.image >= 0 ? counts.multimodal : counts.text) += valid;
  }
  return counts;
}

}  // namespace

TEST_CASE("calibration sequences are read as the file has them") {
  const vlm::calibration_set set = calibration_of(small_calibration());
  REQUIRE(set.sequences.size() == 3);
  CHECK(set.sequences[0].ids == std::vector<std::int32_t>{1, 9, 5, 0});
  CHECK(set.sequences[0].valid == std::vector<bool>{true, true, true, false});
  CHECK(set.sequences[0].image == 1);
  CHECK(set.sequences[0].valid_tokens() == 3);
  CHECK(set.sequences[1].ids == std::vector<std::int32_t>{1, 6, 0, 0});
  CHECK(set.sequences[1].image == -1);
  CHECK(set.sequences[1].valid_tokens() == 2);
  CHECK(set.sequences[2].valid_tokens() == 4);
  CHECK(set.images == std::vector<vlm::image>{{{1, 2, 3, 4}, {}}, {{5, 6, 7, 8}, {}}});
  CHECK(set.source.find("set.safetensors") != std::string::npos);
}

TEST_CASE("questions are read without their padding") {
  const vlm::question_set set = questions_of(small_questions());
  CHECK(set.kinds == std::vector<std::string>{"sum", "where"});
  REQUIRE(set.questions.size() == 3);
  CHECK(set.questions[0].ids == std::vector<std::int32_t>{1, 9, 5});
  CHECK(set.questions[1].ids == std::vector<std::int32_t>{1, 6});
  CHECK(set.questions[1].answer == 12);
  CHECK(set.questions[1].kind == 0);
  CHECK(set.questions[1].image == -1);
  CHECK(set.questions[2].kind == 1);
  CHECK(set.questions[2].image == 0);
  CHECK(set.images == std::vector<vlm::image>{{{1, 2, 3, 4}, {}}});
}

TEST_CASE("a set of text only needs no image, and no tensors of images") {
  stored_set set = small_calibration();
  set.integers["image_index"].values = {-1, -1, -1};
  set.floats["pixel_values"] = {{0, 1, 2, 2}, {}};
  CHECK(calibration_of(set).images.empty());
  set.floats.clear();
  CHECK(calibration_of(set).images.empty());
  CHECK(calibration_of(set).sequences.size() == 3);

  stored_set questions = small_questions();
  questions.integers["image_index"].values = {-1, -1, -1};
  questions.floats.clear();
  CHECK(questions_of(questions).questions.size() == 3);
}

TEST_CASE("sequences know their row in the file") {
  const vlm::calibration_set set = calibration_of(small_calibration());
  CHECK(set.sequences[2].number == 2);
  CHECK(vlm::place_of(set, set.sequences[2]) == set.source + ": sequence 2");
  CHECK(vlm::mix_sequences(set, 1.0).back().number == 2);
}

TEST_CASE("what is written is what is read") {
  const vlm::calibration_set sequences = vlm_test::random_calibration_set(7);
  const vlm::calibration_set again = calibration_of(vlm_test::store(sequences));
  REQUIRE(again.sequences.size() == sequences.sequences.size());
  for (std::size_t s = 0; s < sequences.sequences.size(); ++s) {
    const auto& expected = sequences.sequences[s];
    CHECK(std::equal(expected.ids.begin(), expected.ids.end(), again.sequences[s].ids.begin()));
    CHECK(again.sequences[s].valid_tokens() == expected.valid_tokens());
    CHECK(again.sequences[s].image == expected.image);
  }
  CHECK(again.images == sequences.images);

  const vlm::question_set questions = vlm_test::random_questions(7);
  const vlm::question_set questions_again = questions_of(vlm_test::store(questions));
  CHECK(questions_again.kinds == questions.kinds);
  REQUIRE(questions_again.questions.size() == 7);
  for (std::size_t q = 0; q < 7; ++q) {
    CHECK(questions_again.questions[q].ids == questions.questions[q].ids);
    CHECK(questions_again.questions[q].answer == questions.questions[q].answer);
    CHECK(questions_again.questions[q].kind == questions.questions[q].kind);
    CHECK(questions_again.questions[q].image == questions.questions[q].image);
  }
}

TEST_CASE("malformed calibration sets are refused") {
  const auto refuse = [](errc code, std::vector<std::string> fragments, auto alter) {
    check_dataset_refused(calibration_of, small_calibration(), code, std::move(fragments), alter);
  };
  for (const char* name : {"input_ids", "attention_mask", "image_index"}) {
    refuse(errc::corrupt_file, {std::string("\"") + name + "\"", "found none"},
           [&](stored_set& set) { set.integers.erase(name); });
  }
  refuse(errc::corrupt_file, {"\"pixel_values\"", "found none"}, [](auto& set) { set.floats.clear(); });

  refuse(errc::corrupt_file, {"input_ids", "expected 2 dimensions", "[12]"},
         [](auto& set) { set.integers["input_ids"].shape = {12}; });
  refuse(errc::corrupt_file, {"attention_mask", "expected 2 dimensions", "[3, 2, 2]"},
         [](auto& set) { set.integers["attention_mask"].shape = {3, 2, 2}; });
  refuse(errc::corrupt_file, {"image_index", "expected 1 dimensions", "[3, 1]"},
         [](auto& set) { set.integers["image_index"].shape = {3, 1}; });
  refuse(errc::corrupt_file, {"pixel_values", "expected 4 dimensions", "[2, 2, 2]"},
         [](auto& set) { set.floats["pixel_values"].shape = {2, 2, 2}; });

  refuse(errc::corrupt_file, {"attention_mask", "[3, 4]", "[4, 3]"},
         [](auto& set) { set.integers["attention_mask"].shape = {4, 3}; });
  refuse(errc::corrupt_file, {"image_index", "expected 3 entries", "got 2"},
         [](auto& set) { set.integers["image_index"] = {{2}, {0, 1}}; });
  refuse(errc::corrupt_file, {"sequence 1: image_index", "got 2"},
         [](auto& set) { set.integers["image_index"].values[1] = 2; });
  refuse(errc::corrupt_file, {"sequence 1: image_index", "got -2"},
         [](auto& set) { set.integers["image_index"].values[1] = -2; });

  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    refuse(errc::non_finite, {"pixel_values", "element 6"},
           [&](stored_set& set) { set.floats["pixel_values"].values[6] = bad; });
  }
  refuse(errc::unsupported, {"input_ids", "expected integers"}, [](auto& set) {
    set.integers.erase("input_ids");
    set.floats["input_ids"] = {{3, 4}, std::vector<float>(12, 1.0f)};
  });
}

TEST_CASE("malformed question sets are refused") {
  const auto refuse = [](errc code, std::vector<std::string> fragments, auto alter) {
    check_dataset_refused(questions_of, small_questions(), code, std::move(fragments), alter);
  };
  for (const char* name : {"input_ids", "lengths", "answers", "kinds", "image_index"}) {
    refuse(errc::corrupt_file, {std::string("\"") + name + "\"", "found none"},
           [&](stored_set& set) { set.integers.erase(name); });
  }
  refuse(errc::corrupt_file, {"\"pixel_values\"", "found none"}, [](auto& set) { set.floats.clear(); });
  refuse(errc::corrupt_file, {"names of the kinds", "got none"}, [](auto& set) { set.metadata.clear(); });

  refuse(errc::corrupt_file, {"input_ids", "expected 2 dimensions"},
         [](auto& set) { set.integers["input_ids"].shape = {9}; });
  for (const char* name : {"lengths", "answers", "kinds", "image_index"}) {
    refuse(errc::corrupt_file, {name, "expected 1 dimensions", "[3, 1]"},
           [&](stored_set& set) { set.integers[name].shape = {3, 1}; });
    refuse(errc::corrupt_file, {name, "expected 3 entries", "got 4"},
           [&](stored_set& set) { set.integers[name] = {{4}, {1, 1, 1, 1}}; });
  }

  for (const std::int32_t bad : {0, -1, 4}) {
    refuse(errc::corrupt_file, {"question 1: lengths", "expected 1 ... 3", "got " + std::to_string(bad)},
           [&](stored_set& set) { set.integers["lengths"].values[1] = bad; });
  }
  for (const std::int32_t bad : {-1, 2}) {
    refuse(errc::corrupt_file, {"question 2: kinds", "got " + std::to_string(bad)},
           [&](stored_set& set) { set.integers["kinds"].values[2] = bad; });
  }
  refuse(errc::corrupt_file, {"kinds", "got 1"}, [](auto& set) { set.metadata["kinds"] = "sum"; });
  for (const std::int32_t bad : {-2, 1}) {
    refuse(errc::corrupt_file, {"question 0: image_index", "got " + std::to_string(bad)},
           [&](stored_set& set) { set.integers["image_index"].values[0] = bad; });
  }
  refuse(errc::non_finite, {"pixel_values"},
         [](auto& set) { set.floats["pixel_values"].values[3] = std::numeric_limits<float>::infinity(); });
  refuse(errc::insufficient_data, {"expected questions, found none"}, [](auto& set) {
    set.integers["input_ids"] = {{0, 3}, {}};
    for (const char* name : {"lengths", "answers", "kinds", "image_index"}) set.integers[name] = {{0}, {}};
  });
}

TEST_CASE("files that are absent or no safetensors are refused") {
  const scratch_directory directory;
  check_fails(errc::io_failure, {"absent"}, [&] { (void)vlm::read_calibration_set(directory.path() / "absent"); });
  check_fails(errc::io_failure, {"absent"}, [&] { (void)vlm::read_question_set(directory.path() / "absent"); });
  const auto config = vlm_test::tiny_fixture().model / "config.json";
  check_fails(errc::corrupt_file, {"config.json"}, [&] { (void)vlm::read_calibration_set(config); });
}

TEST_CASE("a mix takes whole sequences from the front of either kind until its share is reached") {
  // Valid tokens: multimodal 5, 3, 4 and text-only 2, 6, 1.
  const vlm::calibration_set set = set_of({{true, 5}, {false, 2}, {true, 3}, {false, 6}, {true, 4}, {false, 1}});
  struct expectation {
    double alpha;
    luq::index tokens;
    token_counts counts;
  };
  const expectation cases[] = {{0.0, 2, {0, 2}},  {0.0, 3, {0, 8}},   {0.0, 9, {0, 9}},  {1.0, 5, {5, 0}},
                               {1.0, 6, {8, 0}},  {1.0, 12, {12, 0}}, {0.5, 10, {5, 8}}, {0.5, 12, {8, 8}},
                               {0.25, 4, {5, 8}}, {0.75, 12, {12, 8}}};
  for (const auto& expected : cases) {
    CAPTURE(expected.alpha);
    CAPTURE(expected.tokens);
    const auto mix = vlm::mix_sequences(set, expected.alpha, expected.tokens);
    CHECK(count(mix).multimodal == expected.counts.multimodal);
    CHECK(count(mix).text == expected.counts.text);
  }
  const auto mix = vlm::mix_sequences(set, 0.5, 12);  // front of each kind, multimodal before text
  REQUIRE(mix.size() == 4);
  CHECK(mix[0].ids.size() == 7);
  CHECK(mix[1].ids.size() == 5);
  CHECK(mix[2].ids.size() == 4);
  CHECK(mix[3].ids.size() == 8);
}

TEST_CASE("without a number a mix takes what every ratio allows, of one kind all") {
  const vlm::calibration_set set = set_of({{true, 5}, {false, 2}, {true, 3}, {false, 6}, {true, 4}, {false, 1}});
  CHECK(count(vlm::mix_sequences(set, 0.0)).text == 9);
  CHECK(count(vlm::mix_sequences(set, 1.0)).multimodal == 12);
  const token_counts mix = count(vlm::mix_sequences(set, 0.5));  // of 9, 5 and 4, in whole sequences
  CHECK(mix.multimodal == 5);
  CHECK(mix.text == 8);
}

TEST_CASE("a ratio of one kind needs no other, and takes as much however much there is of it") {
  for (const std::size_t others : {std::size_t{0}, std::size_t{1}, std::size_t{50}}) {
    CAPTURE(others);
    std::vector<std::pair<bool, std::size_t>> texts(3, {false, 4});
    std::vector<std::pair<bool, std::size_t>> images(2, {true, 5});
    if (others > 0) texts.emplace_back(true, others);
    if (others > 0) images.emplace_back(false, others);
    CHECK(count(vlm::mix_sequences(set_of(texts), 0.0)).text == 12);
    CHECK(count(vlm::mix_sequences(set_of(texts), 0.0)).multimodal == 0);
    CHECK(count(vlm::mix_sequences(set_of(images), 1.0)).multimodal == 10);
    CHECK(count(vlm::mix_sequences(set_of(images), 1.0)).text == 0);
  }
  const auto refuse = [](bool multimodal, double alpha, std::vector<std::string> fragments) {
    fragments.emplace_back("a set");
    check_fails(errc::insufficient_data, fragments,
                [&] { (void)vlm::mix_sequences(set_of({{multimodal, 2}}), alpha); });
  };
  refuse(false, 1.0, {"expected multimodal sequences", "ratio of 1", "0 multimodal and 2 text-only"});
  refuse(true, 0.0, {"expected text-only sequences", "ratio of 0", "2 multimodal and 0 text-only"});
  refuse(true, 0.5, {"expected multimodal and text-only sequences", "ratio of 0.5", "2 multimodal and 0 text-only"});
}

TEST_CASE("totals say which mixes a set allows") {
  const vlm::token_totals totals = vlm::count_tokens(set_of({{true, 5}, {false, 2}, {true, 3}, {false, 4}}));
  CHECK(totals.multimodal == 8);
  CHECK(totals.text == 6);
  CHECK(totals.of_every_ratio() == 6);
  for (const double alpha : {0.0, 0.3, 1.0}) CHECK(totals.allow(alpha, 6));
  CHECK(!totals.allow(0.0, 7));
  CHECK(totals.allow(1.0, 8));
  CHECK(!totals.allow(1.0, 9));
  CHECK(totals.allow(0.5, 12));
  CHECK(!totals.allow(0.5, 14));
}

TEST_CASE("too few tokens of a kind are an error, and padding is no token") {
  const vlm::calibration_set set = set_of({{true, 5}, {false, 2}, {true, 3}});
  CHECK(count(vlm::mix_sequences(set, 1.0, 8)).multimodal == 8);
  check_fails(errc::insufficient_data, {"a set", "expected 9 tokens in multimodal", "found 8"},
              [&] { (void)vlm::mix_sequences(set, 1.0, 9); });
  check_fails(errc::insufficient_data, {"a set", "expected 3 tokens in text-only", "found 2"},
              [&] { (void)vlm::mix_sequences(set, 0.5, 6); });
  for (const double bad : {-0.01, 1.01, std::numeric_limits<double>::quiet_NaN()}) {
    check_fails(errc::invalid_argument, {"mixing ratio", "0 ... 1"}, [&] { (void)vlm::mix_sequences(set, bad, 1); });
  }
}

TEST_CASE("the embedded calibration set gives every share within one sequence") {
  const vlm::calibration_set& set = vlm_test::tiny_calibration_set();
  luq::index longest = 0;
  for (const auto& sequence : set.sequences) longest = std::max(longest, sequence.valid_tokens());
  const token_counts all = count(set.sequences);
  for (const luq::index tokens : {luq::index{0}, luq::index{20000}}) {
    for (const double alpha : {0.0, 0.25, 0.5, 0.75, 1.0}) {
      CAPTURE(tokens);
      CAPTURE(alpha);
      const token_counts counts = count(vlm::mix_sequences(set, alpha, tokens));
      const luq::index allowed = alpha == 0.0   ? all.text
                                 : alpha == 1.0 ? all.multimodal
                                                : std::min(all.multimodal, all.text);
      const auto asked = static_cast<double>(tokens > 0 ? tokens : allowed);
      const double multimodal = static_cast<double>(counts.multimodal) - alpha * asked;
      const double text = static_cast<double>(counts.text) - (1 - alpha) * asked;
      CHECK(multimodal >= -0.5);  // a share is rounded to whole tokens
      CHECK(text >= -0.5);
      CHECK(multimodal < static_cast<double>(longest));
      CHECK(text < static_cast<double>(longest));
      if (alpha == 0.0) CHECK(counts.multimodal == 0);
      if (alpha == 1.0) CHECK(counts.text == 0);
    }
  }
}

TEST_CASE("majority accuracy gives every kind its own most frequent answer") {
  vlm::question_set set = questions_of(small_questions());
  set.questions.clear();
  const auto ask = [&](std::size_t kind, std::int32_t answer) { set.questions.push_back({{1}, answer, kind, -1}); };
  ask(0, 7);
  CHECK(vlm::majority_accuracy(set) == 1.0);
  ask(0, 8);
  CHECK(vlm::majority_accuracy(set) == 0.5);
  for (const std::int32_t answer : {8, 3, 3, 3, 9}) ask(1, answer);  // kind 0: 1 of 2; kind 1: 3 of 5
  CHECK(vlm::majority_accuracy(set) == doctest::Approx(4.0 / 7.0));
}

TEST_CASE("the embedded sets fit the embedded model") {
  const vlm::model_config& config = vlm_test::tiny_model().config();
  const vlm::llava_vision_config& vision = vlm_test::llava_vision(config);
  for (const auto* images : {&vlm_test::tiny_calibration_set().images, &vlm_test::tiny_questions().images}) {
    for (const vlm::image& image : *images) {
      CHECK(static_cast<luq::index>(image.pixels.size()) == vision.tower.pixels());
      CHECK(!image.grid);
    }
  }
  CHECK(vlm_test::tiny_questions().questions.size() >= 1000);
  CHECK(vlm_test::tiny_questions().kinds.size() >= 6);
  const auto image_places = [&](const std::vector<std::int32_t>& ids) {
    return std::count(ids.begin(), ids.end(), config.image_token);
  };
  for (const auto& sequence : vlm_test::tiny_calibration_set().sequences) {
    CHECK(image_places(sequence.ids) == (sequence.image >= 0 ? vision.tokens_per_image() : 0));
  }
  for (const auto& question : vlm_test::tiny_questions().questions) {
    CHECK(image_places(question.ids) == (question.image >= 0 ? vision.tokens_per_image() : 0));
  }
}

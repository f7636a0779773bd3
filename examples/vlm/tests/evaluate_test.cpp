// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "app/evaluate.hpp"

#include <algorithm>
#include <luq/quantizers/quantize.hpp>
#include <luq/quantizers/round_to_nearest.hpp>

#include "app_test_support.hpp"
#include "engine/generate.hpp"

using vlm_test::check_fails;
using vlm_test::random_model;
using vlm_test::tiny_model;

namespace {

/// The answer to one question, asked alone and whole.
std::int32_t answer_of(const vlm::vision_language_model& model, const vlm::question_set& set,
                       const vlm::question& question) {
  vlm::encoded_images image;
  const bool has_image = question.image >= 0;
  if (has_image) image = model.image_features(set.images[static_cast<std::size_t>(question.image)]);
  const luq::matrix logits = model.logits(model.sequence(question.ids), has_image ? &image : nullptr);
  return vlm::most_likely(logits, logits.rows() - 1);
}

/// An answer that is not the given one, of the same vocabulary.
std::int32_t another_answer(const vlm::vision_language_model& model, std::int32_t answer) {
  return (answer + 1) % static_cast<std::int32_t>(model.text_decoder().vocabulary());
}

/// Makes every question a kind of its own, right for two of three as answer_of() answers it: then accuracies tell what
/// became of each question.
std::vector<luq::index> ask_one_by_one(const vlm::vision_language_model& model, vlm::question_set& set) {
  std::vector<luq::index> right;
  set.kinds.clear();
  for (std::size_t q = 0; q < set.questions.size(); ++q) {
    set.kinds.push_back(std::to_string(q));
    set.questions[q].kind = q;
    const std::int32_t answer = answer_of(model, set, set.questions[q]);
    set.questions[q].answer = q % 3 == 0 ? another_answer(model, answer) : answer;
    right.push_back(q % 3 == 0 ? 0 : 1);
  }
  return right;
}

void check_one_by_one(const vlm::vision_language_model& model, vlm::question_set set,
                      const luq::openmp_executor& executor) {
  const std::vector<luq::index> right = ask_one_by_one(model, set);
  const vlm::examination exam(model, set, executor);
  const vlm::accuracy result = exam.take(model);
  CHECK(result.right == right);
  CHECK(result.asked == std::vector<luq::index>(right.size(), 1));
}

}  // namespace

TEST_CASE("accuracies are shares of the questions asked") {
  const vlm::accuracy result{{3, 0, 4}, {4, 2, 4}};
  CHECK(result.overall() == doctest::Approx(0.7));
  CHECK(result.of_kind(0) == 0.75);
  CHECK(result.of_kind(1) == 0.0);
  CHECK(result.of_kind(2) == 1.0);
}

TEST_CASE("an examination gives the answers of questions asked one by one") {
  // More images than one task takes, so that several tasks share the work.
  check_one_by_one(tiny_model(), vlm_test::questions_on_first_images(vlm_test::tiny_questions(), 18), {.threads = 2});
}

TEST_CASE("questions without an image, and many on the same image") {
  check_one_by_one(random_model(), vlm_test::random_questions(30), {.threads = 1});
}

TEST_CASE("questions on one image that share nothing, end with the image, or are one token long") {
  const std::int32_t place = random_model().config().image_token;
  const auto places = static_cast<std::size_t>(vlm_test::llava_vision(random_model().config()).tokens_per_image());
  vlm::question_set set = vlm_test::random_questions(0);
  const auto ask = [&](std::int32_t image, std::vector<std::int32_t> before, std::vector<std::int32_t> after) {
    if (image >= 0) before.insert(before.end(), places, place);
    before.insert(before.end(), after.begin(), after.end());
    set.questions.push_back({before, 0, 0, image});
  };
  ask(0, {1}, {5, 6});  // these begin alike, then differ before, at and after the image
  ask(0, {1, 2}, {5});
  ask(0, {3}, {5});
  ask(1, {1, 7}, {});  // alone on its image, which comes last
  ask(2, {1, 7}, {});  // the image last for one of two
  ask(2, {1, 7}, {8});
  ask(-1, {9}, {});  // one token
  ask(-1, {9}, {4});
  check_one_by_one(random_model(), set, {.threads = 2});
}

TEST_CASE("copies with other decoder weights take the same examination") {
  const vlm::question_set all = vlm_test::questions_on_first_images(vlm_test::tiny_questions(), 3);
  vlm::vision_language_model other = tiny_model();
  for (const vlm::decoder_linear which : vlm::decoder_linears) {
    const auto& weights = other.decoder_linear_at(0, which);
    other.set_decoder_weights(
        0, which,
        std::make_shared<const luq::matrix>(luq::matrix::Zero(weights.out_features(), weights.in_features())));
  }
  vlm::question_set set = all;
  const std::vector<luq::index> right = ask_one_by_one(other, set);
  const vlm::examination exam(tiny_model(), set, {});  // features are of the model it was made with
  CHECK(exam.take(other).right == right);
  CHECK(exam.take(tiny_model()).right != right);
  CHECK(exam.take(other).right == right);
}

TEST_CASE("right answers are counted by kind") {
  vlm::question_set set = vlm_test::random_questions(9);
  set.kinds = {"a", "b", "never asked"};
  for (std::size_t q = 0; q < 9; ++q) {
    set.questions[q].kind = q < 4 ? 0 : 1;
    const bool right = q == 0 || q == 5 || q == 8;
    const std::int32_t answer = answer_of(random_model(), set, set.questions[q]);
    set.questions[q].answer = right ? answer : another_answer(random_model(), answer);
  }
  const vlm::accuracy result = vlm::examination(random_model(), set, {}).take(random_model());
  CHECK(result.right == std::vector<luq::index>{1, 2, 0});
  CHECK(result.asked == std::vector<luq::index>{4, 5, 0});
  CHECK(result.overall() == doctest::Approx(3.0 / 9.0));
}

TEST_CASE("progress counts images and questions, and is told on the way") {
  vlm::question_set set = vlm_test::random_questions(9);
  // 20 images, a question each: two tasks, after the first of which progress is told if one thread does both.
  const std::vector<vlm::image> few = set.images;
  while (set.images.size() < 20) set.images.push_back(few[0]);
  const vlm::question with_image = set.questions[0];
  set.questions.clear();
  for (std::int32_t image = 0; image < 20; ++image) {
    set.questions.push_back(with_image);
    set.questions.back().image = image;
  }
  vlm_test::recorded_progress progress;
  const vlm::examination exam(random_model(), set, {.threads = 1}, &progress);
  (void)exam.take(random_model(), &progress);
  REQUIRE(progress.tasks.size() == 2);
  for (const auto& task : progress.tasks) {
    CAPTURE(task.name);
    CHECK(task.units == 20);
    CHECK(task.done == 20);
    CHECK(task.ended);
  }
  CHECK(progress.tasks[0].steps == 20);
  CHECK(progress.tasks[1].steps == 2);
}

TEST_CASE("errors of a question or an image name the file and its number") {
  const auto refuse = [](luq::errc code, std::vector<std::string> fragments, auto alter) {
    vlm::question_set set = vlm_test::random_questions(6);
    alter(set);
    check_fails(code, fragments, [&] { (void)vlm::examination(random_model(), set, {}); });
  };
  refuse(luq::errc::invalid_argument, {"random: question 1: ", "got 4000"},
         [](auto& set) { set.questions[1].ids.back() = 4000; });
  refuse(luq::errc::invalid_argument, {"random: question 4: answer: expected an id in 0 ... ", "got -1"},
         [](auto& set) { set.questions[4].answer = -1; });
  refuse(luq::errc::invalid_argument, {"random: question 3: answer", "got 4000"},
         [](auto& set) { set.questions[3].answer = 4000; });
  refuse(luq::errc::shape_mismatch, {"random: question 2: ", "one row of image features per image token"},
         [](auto& set) { set.questions[2].image = 0; });
  refuse(luq::errc::insufficient_data, {"random: question 0: ", "at least one token"}, [](auto& set) {
    set.questions[0].ids.clear();
    set.questions[0].image = -1;
  });
  refuse(luq::errc::shape_mismatch, {"random: image 1: ", "expected"},
         [](auto& set) { set.images[1].pixels.resize(3); });
}

TEST_CASE("the embedded model answers what guessing cannot") {
  const vlm::question_set set = vlm_test::questions_on_first_images(vlm_test::tiny_questions(), 50);
  REQUIRE(set.questions.size() >= 400);
  const double accuracy = vlm::examination(tiny_model(), set, {}).take(tiny_model()).overall();
  CHECK(accuracy >= 0.85);
  CHECK(vlm::majority_accuracy(set) < 0.5);
}

TEST_CASE("int8 activations move the accuracy of a packed decoder by at most a point") {
  const vlm::question_set& set = vlm_test::tiny_questions();
  const luq::openmp_executor executor;
  const vlm::examination exam(tiny_model(), set, executor);
  vlm::vision_language_model packed = tiny_model();
  for (luq::index layer = 0; layer < packed.config().text.layers; ++layer) {
    for (const vlm::decoder_linear which : vlm::decoder_linears) {
      const luq::matrix& W = vlm::float_weights(tiny_model(), layer, which);
      packed.set_decoder_weights(
          layer, which,
          std::make_shared<const luq::any_packed_matrix>(
              luq::quantize(W, luq::binary_coding_codec{.group = 128}, luq::round_to_nearest{}).packed));
    }
  }
  const vlm::accuracy floats = exam.take(packed);
  packed.set_compute({.activations = luq::activation_mode::int8});
  const vlm::accuracy integers = exam.take(packed);
  CHECK(std::abs(floats.overall() - integers.overall()) <= 0.01);
  CHECK(integers.right != floats.right);  // rounding decides some close calls, of which two bits a weight leave many
}

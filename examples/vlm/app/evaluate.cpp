// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "evaluate.hpp"

#include <algorithm>
#include <numeric>

#include "../engine/generate.hpp"
#include "error_place.hpp"

namespace vlm {

namespace {

/// Images whose questions one task answers together: large enough for matrix products to pay.
constexpr std::size_t images_per_task = 16;

/// Calls round(first, count) over `tasks` tasks: as many at once as there are threads if progress is to be told after
/// each round, else all.
template <class Round>
void for_rounds(const luq::openmp_executor& executor, std::size_t tasks, bool watched, Round&& round) {
  const std::size_t at_once = watched ? static_cast<std::size_t>(executor.concurrency()) : tasks;
  for (std::size_t first = 0; first < tasks; first += at_once) round(first, std::min(at_once, tasks - first));
}

/// Tokens with which all of these questions on one image begin, at least one short of the shortest, with all places of
/// the image or none: its features enter a forward pass together.
std::size_t common_prefix(const question_set& set, const std::vector<std::size_t>& questions,
                          std::int32_t image_token) {
  const auto& first = set.questions[questions.front()].ids;
  std::size_t length = first.size() - 1;
  for (const std::size_t q : questions) {
    const auto& ids = set.questions[q].ids;
    length = std::min(length, ids.size() - 1);
    const auto differs = std::mismatch(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(length), ids.begin());
    length = static_cast<std::size_t>(differs.first - first.begin());
  }
  const auto end = first.begin() + static_cast<std::ptrdiff_t>(length);
  const auto image = std::find(first.begin(), end, image_token);
  if (image != end && std::find(end, first.end(), image_token) != first.end()) {
    length = static_cast<std::size_t>(image - first.begin());
  }
  return length;
}

}  // namespace

double accuracy::overall() const {
  const auto total = std::accumulate(asked.begin(), asked.end(), luq::index{0});
  return static_cast<double>(std::accumulate(right.begin(), right.end(), luq::index{0})) / static_cast<double>(total);
}

double accuracy::of_kind(std::size_t kind) const {
  return static_cast<double>(right[kind]) / static_cast<double>(asked[kind]);
}

examination::examination(const vision_language_model& model, const question_set& questions,
                         const luq::openmp_executor& executor, luq::progress_observer* progress)
    : questions_(questions), executor_(executor), features_(questions.images.size()) {
  luq::progress_scope scope(progress, "images", features_.size());
  for_rounds(executor_, features_.size(), progress != nullptr, [&](std::size_t first, std::size_t count) {
    executor_.parallel_for(static_cast<luq::index>(count), [&](luq::index i) {
      const std::size_t image = first + static_cast<std::size_t>(i);
      features_[image] = at_place(questions_.source + ": image " + std::to_string(image),
                                  [&] { return model.image_features(questions_.images[image]); });
    });
    scope.advance(count);
  });
  for (std::size_t q = 0; q < questions_.questions.size(); ++q) {
    at_place(questions_.source + ": question " + std::to_string(q), [&] { check_question(model, q); });
  }
  by_image_.resize(features_.size() + 1);
  for (std::size_t q = 0; q < questions_.questions.size(); ++q) {
    const std::int32_t image = questions_.questions[q].image;
    by_image_[image < 0 ? features_.size() : static_cast<std::size_t>(image)].push_back(q);
  }
  std::erase_if(by_image_, [](const auto& group) { return group.empty(); });
}

accuracy examination::take(const vision_language_model& model, luq::progress_observer* progress) const {
  luq::progress_scope scope(progress, "questions", questions_.questions.size());
  std::vector<char> right(questions_.questions.size(), 0);
  const std::size_t tasks = (by_image_.size() + images_per_task - 1) / images_per_task;
  for_rounds(executor_, tasks, progress != nullptr, [&](std::size_t first_task, std::size_t count) {
    executor_.parallel_for(static_cast<luq::index>(count), [&](luq::index i) {
      const std::size_t first = (first_task + static_cast<std::size_t>(i)) * images_per_task;
      answer(model, first, std::min(images_per_task, by_image_.size() - first), right);
    });
    const std::size_t end = std::min((first_task + count) * images_per_task, by_image_.size());
    std::uint64_t answered = 0;
    for (std::size_t group = first_task * images_per_task; group < end; ++group) answered += by_image_[group].size();
    scope.advance(answered);
  });
  accuracy result{std::vector<luq::index>(questions_.kinds.size(), 0),
                  std::vector<luq::index>(questions_.kinds.size(), 0)};
  for (std::size_t q = 0; q < right.size(); ++q) {
    result.right[questions_.questions[q].kind] += right[q];
    ++result.asked[questions_.questions[q].kind];
  }
  return result;
}

void examination::check_question(const vision_language_model& model, std::size_t q) const {
  const question& asked = questions_.questions[q];
  model.check(model.sequence(asked.ids), asked.image < 0 ? nullptr : &features_[static_cast<std::size_t>(asked.image)]);
  if (asked.answer < 0 || asked.answer >= model.text_decoder().vocabulary()) {
    luq::fail(luq::errc::invalid_argument, "answer: expected an id in 0 ... ", model.text_decoder().vocabulary() - 1,
              ", got ", asked.answer);
  }
}

const encoded_images* examination::features_for(std::size_t q, const token_sequence& tokens) const {
  const std::int32_t image = questions_.questions[q].image;
  return image < 0 || tokens.image_tokens() == 0 ? nullptr : &features_[static_cast<std::size_t>(image)];
}

void examination::answer(const vision_language_model& model, std::size_t first_group, std::size_t groups,
                         std::vector<char>& right) const {
  // The prefix that the questions on an image share, the image itself in it, is run once and its cache copied.
  std::vector<token_sequence> prefixes;
  std::vector<kv_cache> prefix_caches;
  std::vector<sequence_step> batch;
  prefixes.reserve(groups);
  prefix_caches.reserve(groups);
  for (std::size_t g = first_group; g < first_group + groups; ++g) {
    const auto& ids = questions_.questions[by_image_[g].front()].ids;
    const auto length =
        static_cast<std::ptrdiff_t>(common_prefix(questions_, by_image_[g], model.config().image_token));
    prefixes.push_back(model.sequence({ids.begin(), ids.begin() + length}));
    prefix_caches.push_back(model.make_cache());
    if (length == 0) continue;
    batch.push_back({&prefixes.back(), features_for(by_image_[g].front(), prefixes.back()), &prefix_caches.back()});
  }
  if (!batch.empty()) model.forward(batch, logits_of::no_token);

  batch.clear();
  std::vector<token_sequence> endings;
  std::vector<kv_cache> caches;
  std::vector<std::size_t> asked;
  for (std::size_t g = 0; g < groups; ++g) {
    for (const std::size_t q : by_image_[first_group + g]) {
      const auto& ids = questions_.questions[q].ids;
      endings.push_back(model.sequence({ids.begin() + prefixes[g].size(), ids.end()}));
      caches.push_back(prefix_caches[g]);
      asked.push_back(q);
    }
  }
  for (std::size_t i = 0; i < asked.size(); ++i) {
    batch.push_back({&endings[i], features_for(asked[i], endings[i]), &caches[i]});
  }
  const luq::matrix logits = model.forward(batch, logits_of::last_token);
  for (std::size_t i = 0; i < asked.size(); ++i) {
    right[asked[i]] = most_likely(logits, static_cast<luq::index>(i)) == questions_.questions[asked[i]].answer ? 1 : 0;
  }
}

}  // namespace vlm

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What must not change a result: how a sequence is cut into steps, what else is in its batch, padding behind it, and
// other threads. And what observers are shown.
#include <algorithm>
#include <array>
#include <limits>
#include <luq/estimators/token_class.hpp>
#include <thread>
#include <utility>

#include "engine_test_support.hpp"

using luq::token_class;
using vlm::kv_cache;
using vlm::linear_input;
using vlm::logits_of;
using vlm::sequence_step;
using vlm::token_sequence;
using vlm::vision_language_model;
using vlm_test::features_of;
using vlm_test::fixture;
using vlm_test::fixture_sequence;
using vlm_test::identical;
using vlm_test::relative_difference;

namespace {

constexpr double rounding = 5e-6;  // another number of rows may change the order of additions

struct model_under_test {
  const fixture& data;
  const vision_language_model& model;
};

std::array<model_under_test, 2> both_models() {
  return {{{vlm_test::tiny_fixture(), vlm_test::tiny_model()}, {vlm_test::random_fixture(), vlm_test::random_model()}}};
}

/// A sequence in two steps, cut at `length`, which must not be within the image; features follow the image tokens.
luq::matrix logits_in_two_steps(const vision_language_model& model, const fixture& data,
                                const fixture_sequence& sequence, std::ptrdiff_t length) {
  const token_sequence first = model.sequence({sequence.ids.begin(), sequence.ids.begin() + length});
  const token_sequence second = model.sequence({sequence.ids.begin() + length, sequence.ids.end()});
  const vlm::encoded_images* image = features_of(data, sequence);
  kv_cache cache = model.make_cache();
  const sequence_step step1{&first, first.image_tokens() > 0 ? image : nullptr, &cache};
  const sequence_step step2{&second, second.image_tokens() > 0 ? image : nullptr, &cache};
  luq::matrix result(static_cast<luq::index>(sequence.ids.size()), sequence.logits.cols());
  result.topRows(length) = model.forward({&step1, 1}, logits_of::every_token);
  CHECK(cache.length() == length);
  result.bottomRows(second.size()) = model.forward({&step2, 1}, logits_of::every_token);
  CHECK(cache.length() == result.rows());
  return result;
}

struct seen_input {
  luq::index layer;
  linear_input input;
  luq::matrix X;
};

class recorder : public vlm::layer_observer {
 public:
  void on_linear_input(luq::index layer, linear_input input, const luq::matrix_view& X,
                       std::span<const token_class> classes) override {
    REQUIRE(static_cast<luq::index>(classes.size()) == X.rows());
    inputs.push_back({layer, input, X});
    seen_classes.assign(classes.begin(), classes.end());
  }
  void on_layer_output(luq::index layer, const luq::matrix_view& X, std::span<const token_class> classes) override {
    REQUIRE(static_cast<luq::index>(classes.size()) == X.rows());
    REQUIRE(layer == static_cast<luq::index>(outputs.size()));
    outputs.emplace_back(X);
  }
  std::vector<seen_input> inputs;
  std::vector<luq::matrix> outputs;
  std::vector<token_class> seen_classes;
};

}  // namespace

TEST_CASE("a cached prefix and its continuation give the logits of the whole") {
  for (const auto& [data, model] : both_models()) {
    for (const fixture_sequence& sequence : data.sequences) {
      const auto size = static_cast<std::ptrdiff_t>(sequence.ids.size());
      for (const std::ptrdiff_t length : {std::ptrdiff_t{1}, size - 1, size - 3}) {
        CAPTURE(length);
        CHECK(relative_difference(logits_in_two_steps(model, data, sequence, length), sequence.logits) < 2e-5);
      }
    }
  }
}

TEST_CASE("token by token gives the logits of the whole") {
  for (const auto& [data, model] : both_models()) {
    for (const fixture_sequence& sequence : data.sequences) {
      if (sequence.image >= 0) continue;
      kv_cache cache = model.make_cache();
      luq::matrix logits(0, sequence.logits.cols());
      for (const std::int32_t id : sequence.ids) {
        const token_sequence next = model.sequence({id});
        const sequence_step step{&next, nullptr, &cache};
        logits.conservativeResize(logits.rows() + 1, Eigen::NoChange);
        logits.bottomRows(1) = model.forward({&step, 1}, logits_of::last_token);
      }
      CHECK(relative_difference(logits, sequence.logits) < 2e-5);
    }
  }
}

TEST_CASE("questions can share the cache of their image, copied or truncated") {
  const fixture& data = vlm_test::tiny_fixture();
  const vision_language_model& model = vlm_test::tiny_model();
  const fixture_sequence& sequence = data.sequences.front();
  const token_sequence prefix = model.sequence({sequence.ids.begin(), sequence.ids.begin() + 10});
  kv_cache cache = model.make_cache();
  const sequence_step prefix_step{&prefix, features_of(data, sequence), &cache};
  model.forward({&prefix_step, 1}, logits_of::no_token);

  const token_sequence question = model.sequence({sequence.ids.begin() + 10, sequence.ids.end()});
  const token_sequence other = model.sequence({sequence.ids.begin() + 11, sequence.ids.end()});
  kv_cache copy = cache;
  const sequence_step step{&question, nullptr, &copy};
  const luq::matrix expected = model.forward({&step, 1}, logits_of::every_token);
  CHECK(relative_difference(expected, sequence.logits.bottomRows(question.size())) < 2e-5);

  const sequence_step other_step{&other, nullptr, &cache};
  model.forward({&other_step, 1}, logits_of::no_token);
  cache.truncate(10);
  const sequence_step again{&question, nullptr, &cache};
  CHECK(identical(model.forward({&again, 1}, logits_of::every_token), expected));
}

TEST_CASE("a batch gives each sequence what it gets alone") {
  for (const auto& [data, model] : both_models()) {
    std::vector<token_sequence> tokens;
    for (const fixture_sequence& sequence : data.sequences) tokens.push_back(model.sequence(sequence.ids));
    std::vector<kv_cache> caches(tokens.size(), model.make_cache());
    std::vector<sequence_step> batch;
    for (std::size_t s = 0; s < tokens.size(); ++s) {
      batch.push_back({&tokens[s], features_of(data, data.sequences[s]), &caches[s]});
    }
    const luq::matrix logits = model.forward(batch, logits_of::every_token);
    for (kv_cache& cache : caches) cache.truncate(0);
    const luq::matrix last = model.forward(batch, logits_of::last_token);
    REQUIRE(last.rows() == static_cast<luq::index>(tokens.size()));
    luq::index row = 0;
    for (std::size_t s = 0; s < tokens.size(); ++s) {
      CAPTURE(s);
      const luq::matrix& expected = data.sequences[s].logits;
      CHECK(relative_difference(logits.middleRows(row, tokens[s].size()), expected) < 2e-5);
      row += tokens[s].size();
      CHECK((last.row(static_cast<luq::index>(s)) - logits.row(row - 1)).cwiseAbs().maxCoeff() <=
            rounding * (expected.maxCoeff() - expected.minCoeff()));
      CHECK(caches[s].length() == tokens[s].size());
    }
    CHECK(row == logits.rows());
  }
}

TEST_CASE("padding behind a sequence changes nothing and is forgotten") {
  for (const auto& [data, model] : both_models()) {
    const fixture_sequence& sequence = data.sequences.front();
    std::vector<std::int32_t> ids = sequence.ids;
    std::vector<bool> valid(ids.size(), true);
    ids.insert(ids.end(), 5, 0);
    valid.insert(valid.end(), 5, false);
    const token_sequence padded(ids, valid, model.config().image_token);
    const vlm::encoded_images* image = features_of(data, sequence);
    CHECK(relative_difference(model.logits(padded, image).topRows(sequence.logits.rows()), sequence.logits) < 2e-5);

    kv_cache cache = model.make_cache();
    const sequence_step step{&padded, image, &cache};
    const luq::matrix last = model.forward({&step, 1}, logits_of::last_token);
    CHECK(cache.length() == sequence.logits.rows());
    CHECK(relative_difference(last, sequence.logits.bottomRows(1)) < 2e-5);
  }
}

TEST_CASE("threads that share a model get the same bits") {
  const fixture& data = vlm_test::random_fixture();
  const vision_language_model& model = vlm_test::random_model();
  constexpr std::size_t repetitions = 20;
  std::array<std::vector<luq::matrix>, 2> results;
  const auto work = [&](std::vector<luq::matrix>& mine) {
    for (std::size_t i = 0; i < repetitions; ++i) {
      const auto& sequence = data.sequences[i % data.sequences.size()];
      vlm::encoded_images image;
      if (sequence.image >= 0) image = model.image_features(data.images[static_cast<std::size_t>(sequence.image)]);
      mine.push_back(model.logits(model.sequence(sequence.ids), &image));
    }
  };
  std::thread other([&] { work(results[1]); });
  work(results[0]);
  other.join();
  for (std::size_t i = 0; i < repetitions; ++i) {
    CHECK(identical(results[0][i], results[1][i]));
    CHECK(identical(results[0][i], results[0][i % data.sequences.size()]));
  }
}

TEST_CASE("observers see every input of a linear and every output of a layer, with the classes of the tokens") {
  for (const auto& [data, model] : both_models()) {
    const fixture_sequence& sequence = data.sequences.front();
    std::vector<std::int32_t> ids = sequence.ids;
    ids.push_back(0);
    std::vector<bool> valid(ids.size(), true);
    valid.back() = false;
    const token_sequence tokens(ids, valid, model.config().image_token);
    recorder seen;
    kv_cache cache = model.make_cache();
    const sequence_step step{&tokens, features_of(data, sequence), &cache};
    model.forward({&step, 1}, logits_of::no_token, &seen);

    const vlm::text_config& text = model.config().text;
    REQUIRE(seen.inputs.size() == vlm::linear_inputs.size() * static_cast<std::size_t>(text.layers));
    REQUIRE(seen.outputs.size() == static_cast<std::size_t>(text.layers));
    for (std::size_t i = 0; i < seen.inputs.size(); ++i) {
      const seen_input& input = seen.inputs[i];
      CHECK(input.layer == static_cast<luq::index>(i / vlm::linear_inputs.size()));
      CHECK(input.input == vlm::linear_inputs[i % vlm::linear_inputs.size()]);
      CHECK(input.X.rows() == tokens.size());
      for (const vlm::decoder_linear linear : vlm::decoder_linears) {
        if (vlm::input_of(linear) == input.input) {
          CHECK(input.X.cols() == model.decoder_linear_at(input.layer, linear).in_features());
        }
      }
    }
    REQUIRE(static_cast<luq::index>(seen.seen_classes.size()) == tokens.size());
    CHECK(std::equal(seen.seen_classes.begin(), seen.seen_classes.end(), tokens.classes().begin()));
    CHECK(std::count(seen.seen_classes.begin(), seen.seen_classes.end(), token_class::image) ==
          vlm_test::llava_vision(model.config()).tokens_per_image());
    CHECK(seen.seen_classes.back() == token_class::padding);

    // The inputs are those of the linears: the last two steps of a layer can be redone from them.
    for (luq::index layer = 0; layer < text.layers; ++layer) {
      const auto at = [&](linear_input which) -> const luq::matrix& {
        return seen.inputs[static_cast<std::size_t>(layer) * 4 + static_cast<std::size_t>(which)].X;
      };
      const luq::matrix before = layer == 0 ? model.embed(tokens, features_of(data, sequence))
                                            : seen.outputs[static_cast<std::size_t>(layer - 1)];
      const luq::matrix after =
          before +
          model.decoder_linear_at(layer, vlm::decoder_linear::attention_output)(at(linear_input::attention_output)) +
          model.decoder_linear_at(layer, vlm::decoder_linear::down)(at(linear_input::mlp_output));
      CHECK(relative_difference(after, seen.outputs[static_cast<std::size_t>(layer)]) < rounding);
      luq::matrix gated = model.decoder_linear_at(layer, vlm::decoder_linear::gate)(at(linear_input::mlp));
      vlm::apply(text.hidden_activation, gated);
      gated.array() *= model.decoder_linear_at(layer, vlm::decoder_linear::up)(at(linear_input::mlp)).array();
      CHECK(relative_difference(gated, at(linear_input::mlp_output)) < rounding);
    }
  }
}

TEST_CASE("weights replaced in a copy change the copy only") {
  const fixture& data = vlm_test::tiny_fixture();
  const vision_language_model& model = vlm_test::tiny_model();
  const fixture_sequence& sequence = data.sequences.front();
  const token_sequence tokens = model.sequence(sequence.ids);
  vision_language_model changed = model;
  for (const vlm::decoder_linear linear : vlm::decoder_linears) {
    CHECK(changed.decoder_linear_at(3, linear).weights() == model.decoder_linear_at(3, linear).weights());
  }
  const vlm::linear& down = model.decoder_linear_at(3, vlm::decoder_linear::down);
  const auto zeros = std::make_shared<const luq::matrix>(luq::matrix::Zero(down.out_features(), down.in_features()));
  changed.set_decoder_weights(3, vlm::decoder_linear::down, zeros);
  CHECK(relative_difference(changed.logits(tokens, features_of(data, sequence)), sequence.logits) > 1e-4);
  CHECK(relative_difference(model.logits(tokens, features_of(data, sequence)), sequence.logits) < 2e-5);
  changed.set_decoder_weights(3, vlm::decoder_linear::down, down.weights());
  CHECK(identical(changed.logits(tokens, features_of(data, sequence)),
                  model.logits(tokens, features_of(data, sequence))));
}

TEST_CASE("positions beyond max_position_embeddings are computed") {
  const vision_language_model& model = vlm_test::random_model();  // made for 128 positions
  const luq::matrix logits = model.logits(model.sequence(std::vector<std::int32_t>(300, 5)));
  CHECK(logits.rows() == 300);
  CHECK(logits.allFinite());
}

TEST_CASE("sequences that do not fit the model or their image are refused and leave the cache alone") {
  const vision_language_model& model = vlm_test::tiny_model();
  const fixture& data = vlm_test::tiny_fixture();
  kv_cache cache = model.make_cache();
  const auto run = [&](std::vector<std::int32_t> ids, const vlm::encoded_images* image) {
    const token_sequence tokens = model.sequence(std::move(ids));
    const sequence_step step{&tokens, image, &cache};
    model.forward({&step, 1}, logits_of::no_token);
  };
  using vlm_test::check_fails;
  check_fails(luq::errc::invalid_argument, {"position 1", "0 ... 63", "got 64"}, [&] { run({1, 64}, nullptr); });
  check_fails(luq::errc::invalid_argument, {"position 0", "got -1"}, [&] { run({-1}, nullptr); });
  check_fails(luq::errc::shape_mismatch, {"id 4", "got 0 rows for 1 tokens"}, [&] { run({1, 4}, nullptr); });
  check_fails(luq::errc::shape_mismatch, {"got 9 rows for 1 tokens"}, [&] { run({1, 4}, &data.image_features[0]); });
  check_fails(luq::errc::shape_mismatch, {"got 9 rows for 0 tokens"}, [&] { run({1}, &data.image_features[0]); });
  const vlm::encoded_images narrow{luq::matrix::Zero(1, 64), {}};
  check_fails(luq::errc::shape_mismatch, {"128 columns", "got 64"}, [&] { run({4}, &narrow); });
  check_fails(luq::errc::insufficient_data, {"at least one token", "got 0 of padding"}, [&] { run({}, nullptr); });
  CHECK(cache.length() == 0);
  run({1, 5}, nullptr);
  CHECK(cache.length() == 2);
}

TEST_CASE("images of another size or with a NaN are refused") {
  const vision_language_model& model = vlm_test::tiny_model();
  vlm::image picture = vlm_test::tiny_fixture().images.front();
  picture.pixels[100] = std::numeric_limits<float>::quiet_NaN();
  vlm_test::check_fails(luq::errc::non_finite, {"image"}, [&] { (void)model.image_features(picture); });
  picture.pixels.pop_back();
  vlm_test::check_fails(luq::errc::shape_mismatch, {"expected 1728 values for 3 x 24 x 24", "got 1727"},
                        [&] { (void)model.image_features(picture); });
  picture.pixels.push_back(0);
  picture.grid = {3, 3};
  vlm_test::check_fails(luq::errc::shape_mismatch, {"whole picture", "grid of patches"},
                        [&] { (void)model.image_features(picture); });
}

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What the commands do, on Qwen2.5-VL: sets of images of different sizes are read, a model is calibrated, quantized,
// written, read and asked.
#include <cmath>
#include <luq/io/luq/packed_model.hpp>
#include <luq/policy/prefix_scan.hpp>

#include "app/evaluate.hpp"
#include "app/pipeline.hpp"
#include "app/synthetic_decoder.hpp"
#include "app_test_support.hpp"
#include "qwen_test_support.hpp"

using luq::errc;
using vlm_test::check_fails;
using vlm_test::published_fixture;
using vlm_test::published_model;
using vlm_test::qwen_calibration_set;
using vlm_test::qwen_questions;
using vlm_test::scratch_directory;
using vlm_test::stored_set;

namespace {

template <class Read, class Set>
void refuse(const Set& set, errc code, const std::vector<std::string>& fragments, Read&& read,
            const std::function<void(stored_set&)>& spoil) {
  const scratch_directory directory;
  stored_set stored = vlm_test::store(set);
  spoil(stored);
  stored.write(directory.path() / "set.safetensors");
  check_fails(code, fragments, [&] { (void)read(directory.path() / "set.safetensors"); });
}

}  // namespace

TEST_CASE("sets of images of different sizes are read as they were written") {
  const scratch_directory directory;
  const std::filesystem::path file = directory.path() / "set.safetensors";
  vlm_test::store(qwen_calibration_set(12)).write(file);
  const vlm::calibration_set set = vlm::read_calibration_set(file);
  CHECK(set.images == published_fixture().images);
  REQUIRE(set.sequences.size() == 12);
  CHECK(set.sequences[1].image == 1);

  vlm_test::store(qwen_questions(16)).write(file);
  CHECK(vlm::read_question_set(file).images == published_fixture().images);
}

TEST_CASE("grids that are not those of the patches are refused") {
  const vlm::calibration_set set = qwen_calibration_set(12);
  const auto check = [&](errc code, const std::vector<std::string>& fragments,
                         const std::function<void(std::vector<std::int32_t>&)>& spoil) {
    refuse(set, code, fragments, vlm::read_calibration_set,
           [&](stored_set& stored) { spoil(stored.integers["image_grid_thw"].values); });
  };
  // 6 x 10, 8 x 6 and 2 x 4 patches: 116
  check(errc::corrupt_file, {"pixel_values: expected 110 patches", "3 images", "got 116"},
        [](auto& grids) { grids[4] = 7, grids[8] = 4, grids[7] = 2, grids[5] = 6; });
  check(errc::corrupt_file, {"image 2", "8 patches", "got 2 x 5"}, [](auto& grids) { grids[8] = 5; });
  check(errc::corrupt_file, {"image 0", "116 patches", "got 2147483647 x 2147483647"},
        [](auto& grids) { grids[1] = grids[2] = 2147483647; });
  check(errc::corrupt_file, {"image 1", "got -8 x -6"}, [](auto& grids) { grids[4] = -8, grids[5] = -6; });
  check(errc::corrupt_file, {"image 1", "got 0 x 6"}, [](auto& grids) { grids[4] = 0; });
  check(errc::unsupported, {"image 1", "1 frame", "got 2"}, [](auto& grids) { grids[3] = 2; });
  refuse(set, errc::corrupt_file, {"image_grid_thw", "[9, 1]"}, vlm::read_calibration_set,
         [](stored_set& stored) { stored.integers["image_grid_thw"].shape = {9, 1}; });
  refuse(set, errc::corrupt_file, {"pixel_values", "2 dimensions"}, vlm::read_calibration_set,
         [](stored_set& stored) { stored.floats["pixel_values"].shape = {116, 96, 1}; });
  refuse(set, errc::corrupt_file, {"pixel_values", "4 dimensions"}, vlm::read_calibration_set,
         [](stored_set& stored) { stored.integers.erase("image_grid_thw"); });
  refuse(qwen_questions(16), errc::corrupt_file, {"image_index", "got 3"}, vlm::read_question_set,
         [](stored_set& stored) { stored.integers["image_index"].values[0] = 3; });
}

TEST_CASE("sequences and images that do not fit the model or each other are refused") {
  vlm::calibration_set set = qwen_calibration_set(12);
  const auto calibrate = [&] { (void)vlm::calibrate(published_model(), set, set.sequences, {}, {}); };
  set.sequences[0].image = 1;  // 12 tokens, in places for 15
  check_fails(errc::shape_mismatch, {"got 12 rows for 15 tokens"}, calibrate);
  set = qwen_calibration_set(12);
  set.images[0].grid = {4, 15};
  check_fails(errc::shape_mismatch, {"multiples of 2", "4 x 15"}, calibrate);
  set = qwen_calibration_set(12);
  set.images[0] = {std::vector<float>(432, 0.5f), {}};  // of LLaVA
  check_fails(errc::shape_mismatch, {"patches and their grid"}, calibrate);
  set = qwen_calibration_set(12);
  set.sequences[3].ids[2] = 91;
  check_fails(errc::unsupported, {"video"}, calibrate);
}

TEST_CASE("calibrated, quantized, written, read, and asked") {
  const vlm::vision_language_model& model = published_model();
  const vlm::calibration_set set = qwen_calibration_set(12);
  luq::activation_entropy_options entropy;
  entropy.clustering.clusters = 8;
  const std::vector<vlm::calibration_sequence> mix = vlm::mix_sequences(set, 0.5);
  const vlm::calibration statistics = vlm::calibrate(model, set, mix, {entropy}, {.threads = 2});
  REQUIRE(statistics.layers.size() == 3);
  CHECK(statistics.image_tokens > 0);
  CHECK(statistics.text_tokens > 0);
  for (const auto& layer : vlm::estimate_entropies(statistics, {.threads = 2}, nullptr)) {
    CHECK(std::isfinite(layer.all.bits));
  }

  const vlm::quantized_decoder low = vlm::quantize_decoder(model, statistics, luq::parse_recipe("sign:g64"), {});
  const vlm::quantized_decoder high = vlm::quantize_decoder(model, statistics, luq::parse_recipe("int8:g32"), {});
  const luq::model_shape shape = vlm::decoder_shape(model);
  const vlm::question_set asked = qwen_questions(16);
  const vlm::examination exam(model, asked, {.threads = 2});
  CHECK(exam.take(model).overall() == 1.0);  // the answers are its own, in a batch and behind a shared prefix

  const scratch_directory directory;
  const std::filesystem::path file = directory.path() / "packed.safetensors";
  for (const luq::index low_layers : {0, 1}) {
    CAPTURE(low_layers);
    const luq::plan choice = luq::prefix_plan({shape, luq::depth_order(3), low.how, high.how}, low_layers);
    const luq::packed_model_size predicted =
        vlm::write_planned_model(file, published_fixture().model, choice, {&low, &high});
    CHECK(static_cast<std::uintmax_t>(predicted.file()) == std::filesystem::file_size(file));
    const luq::packed_model packed_file(file);
    const vlm::vision_language_model packed = vlm::with_packed_decoder(model, packed_file);
    const vlm::vision_language_model planned =
        vlm::planned_model(model, choice, {&low, &high}, vlm::weight_form::packed);
    const vlm_test::qwen_sequence& sequence = published_fixture().sequences[0];
    const vlm::encoded_images images = vlm_test::encode_images(model, published_fixture(), sequence);
    const luq::matrix logits = packed.logits(packed.sequence(sequence.ids), &images);
    CHECK(vlm_test::identical(logits, planned.logits(planned.sequence(sequence.ids), &images)));
    // 8 bits change little, signs in one of three layers much: both show that quantized linears are in use.
    const double change = vlm_test::relative_difference(logits, sequence.logits);
    CHECK(change > (low_layers == 0 ? 1e-5 : 0.02));
    CHECK(change < (low_layers == 0 ? 0.02 : 1.0));
    if (low_layers == 0) CHECK(exam.take(packed).overall() >= 0.8);
  }
}

TEST_CASE("the decoder of a Qwen2.5-VL directory in a synthetic one's place") {
  const vlm::decoder_architecture architecture = vlm::architecture_by_name(published_fixture().model.string());
  CHECK(architecture.name == "published");
  CHECK(architecture.text.query_key_value_bias);
  CHECK(architecture.text.rotary.sections == std::vector<luq::index>{2, 3, 3});
  CHECK(architecture.low_layers == 1);
}

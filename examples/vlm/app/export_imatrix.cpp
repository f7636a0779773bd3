// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iostream>
#include <luq/io/llama_cpp/imatrix.hpp>

#include "calibrate.hpp"
#include "export.hpp"
#include "pipeline.hpp"

namespace vlm {

void export_imatrix(const settings& s, const export_options& options, luq::progress_observer* progress) {
  const vision_language_model model(s.model);
  const luq::model_shape shape = decoder_shape(model);
  const calibration_set set = read_calibration_set(s.calibration);
  const std::vector<calibration_sequence> sequences = mix_sequences(set, s.alpha, s.tokens);
  const calibration statistics = calibrate(model, set, sequences, s.calibrating(), s.executor, progress);

  std::vector<luq::imatrix_entry> entries;
  for (std::size_t layer = 0; layer < shape.size(); ++layer) {
    for (std::size_t i = 0; i < decoder_linears.size(); ++i) {
      const luq::hessian& H = statistics.layers[layer].hessian_of(decoder_linears[i]);
      entries.push_back(luq::make_imatrix_entry(shape[layer][i].name, H.matrix(), H.tokens()));
    }
  }
  std::size_t longest = 0;
  for (const calibration_sequence& sequence : sequences) longest = std::max(longest, sequence.ids.size());
  const std::size_t count = entries.size();
  luq::write_imatrix(options.output, std::move(entries),
                     {.datasets = {s.calibration.filename().string()},
                      .chunk_count = static_cast<std::uint32_t>(sequences.size()),
                      .chunk_size = static_cast<std::uint32_t>(longest)});
  print_written(std::cout, options.output, std::filesystem::file_size(options.output),
                "importance matrix of " + std::to_string(count) + " tensors over " +
                    std::to_string(statistics.text_tokens) + " text and " + std::to_string(statistics.image_tokens) +
                    " image tokens");
}

}  // namespace vlm

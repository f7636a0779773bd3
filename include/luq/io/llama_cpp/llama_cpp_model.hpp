// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A model that llama.cpp runs, with exactly the codes and scales of packed linears: every weight is the same float
// after llama.cpp has decoded it.
//
//   linears of the plan     blocks, as ggml_blocks.hpp has them: Q1_0, Q4_0, Q8_0
//   norms, biases           F32
//   embedding, head         as the checkpoint stores them: F32, F16 or BF16
//
// Names are llama.cpp's (llama_cpp_names.hpp), and rows of query and key projections stand in
// the order of the architecture (detail/rotary_rows.hpp).
//
// There are two ways to the rest of the file. write_llama_cpp_model() takes it from a Hugging Face checkpoint and
// writes a model without a tokenizer, which is fed with ids. write_llama_cpp_model_like() takes it from a GGUF file
// that llama.cpp's convert_hf_to_gguf.py made of the same model: tokenizer, chat template and all tensors but the
// plan's linears are then that file's.
//
// Whether a plan has such a form is known before anything is quantized: require_llama_cpp_model(). Vision towers and
// projectors are other files of llama.cpp ("mmproj"), which its converter makes.
#pragma once

#include <cstdint>
#include <filesystem>

#include "luq/io/gguf/gguf.hpp"
#include "luq/io/llama_cpp/llama_cpp_decoder.hpp"
#include "luq/io/luq/packed_model.hpp"
#include "luq/io/safetensors/checkpoint.hpp"
#include "luq/policy/plan.hpp"

namespace luq {

/// Checks that every linear of a plan has a name in llama.cpp and a lossless form in blocks of ggml.
/// @throws luq::error unsupported with what does not fit and which codec would; as require_consistent()
void require_llama_cpp_model(const plan& p);

/// Writes a model without a tokenizer, atomically.
/// @param weights  one matrix per linear of the plan, of its shape and codec
/// @param tensors  all others of the decoder, under the names of any generation; those of linears are not read
/// @return bytes of the file
/// @throws luq::error as require_llama_cpp_model() and require_valid(decoder); shape_mismatch if plan or tensors
///   contradict the decoder's sizes, corrupt_file if a tensor is missing, unsupported if the decoder has one that
///   llama.cpp has no name for, io_failure. An older file of that name is then untouched
std::uint64_t write_llama_cpp_model(const std::filesystem::path& path, const plan& p, const packed_layers& weights,
                                    const llama_cpp_decoder& decoder, const checkpoint& tensors);

/// Writes a copy of a model of llama.cpp, atomically, in which the plan's linears are packed ones.
/// @param weights  one matrix per linear of the plan, of its shape and codec
/// @param like     what convert_hf_to_gguf.py made of the same model, of any type, in one file. Keys of gguf-split, of
///                 which gguf-split --merge leaves some, are not copied
/// @return bytes of the file
/// @throws luq::error as require_llama_cpp_model(); unsupported if `like` is of an architecture that is not known, or
///   has a tensor of a type that is not; shape_mismatch if it has no tensor of a linear's name and shape; io_failure.
///   An older file of that name is then untouched
std::uint64_t write_llama_cpp_model_like(const std::filesystem::path& path, const plan& p, const packed_layers& weights,
                                         const gguf_reader& like);

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/io/llama_cpp/impl/llama_cpp_model.hpp"
#endif

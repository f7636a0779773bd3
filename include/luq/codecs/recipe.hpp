// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What is done to a weight matrix, as a value that plans, files, command lines and Python share:
//
//   [TRANSFORM/]CODEC[/[qep+]SEARCH[+refine]]
//
//   "sign:g128/billm"    "int4:g128/rtn"    "hadamard/int2:g128/gptq+refine"    "awq/int4:g128/gptq"
//
//   TRANSFORM   hadamard   a random rotation of the inputs                       QuIP#; quantizers/hadamard.hpp
//               awq        input scales of AWQ, searched with rounding           AWQ; quantizers/awq.hpp
//               rowcol     scales for rows and for columns                       ARB-LLM; quantizers/row_column.hpp
//   CODEC       see codec_name()
//   qep         weights are moved to what the drift of the inputs asks for       QEP; quantizers/error_propagation.hpp
//   SEARCH      rtn        round to nearest; the one that needs no activations   quantizers/round_to_nearest.hpp
//               gptq       column feedback in activation order                   GPTQ; quantizers/gptq.hpp
//               gptaq      the same, with the drift of the inputs                GPTAQ
//               billm      the block rule as published                           BiLLM; quantizers/billm.hpp
//               beam       column feedback that keeps many codings of a row      quantizers/beam_search.hpp
//   refine      afterwards, scales by least squares and codes by coordinate      QuantEase, ARB-LLM;
//               descent, in turn                                                 quantizers/refined.hpp
//
// A recipe of a codec alone has the search that proved best for it: gptq+refine, or beam for a codec whose codes depend
// on one another (SequenceCodec), which knows neither gptq nor refine. Steps have the options that proved best; who
// wants others puts quantizers together (quantizers/quantize.hpp).
#pragma once

#include <concepts>
#include <string>
#include <string_view>

#include "luq/codecs/any_codec.hpp"
#include "luq/core/compiled.hpp"
#include "luq/core/index.hpp"

namespace luq {

/// How inputs are transformed before weights are coded.
enum class transform_method { none, hadamard, awq, rowcol };

/// How codes are chosen.
enum class code_search { rtn, gptq, gptaq, billm, beam };

struct recipe {
  transform_method transform = transform_method::none;
  any_codec codec;
  bool propagates_error = false;          ///< qep
  code_search search = code_search::rtn;  ///< see the constructor
  bool refines = false;                   ///< +refine

  /// That of a default codec.
  recipe() : recipe(any_codec()) {}

  /// The best search for a codec, without a transform.
  template <std::convertible_to<any_codec> Codec>
  recipe(const Codec& codec_) : recipe(best_for(codec_)) {}  // NOLINT(google-explicit-constructor): a codec is a recipe

  recipe(transform_method transform_, const any_codec& codec_, code_search search_, bool refines_ = false,
         bool propagates_error_ = false)
      : transform(transform_), codec(codec_), propagates_error(propagates_error_), search(search_), refines(refines_) {}

  friend bool operator==(const recipe&, const recipe&) = default;

 private:
  [[nodiscard]] static recipe best_for(const any_codec& codec);
};

/// The text form of a recipe, complete; parse_recipe() reads it back.
[[nodiscard]] std::string recipe_name(const recipe& r);

/// Reads what recipe_name() writes. The group of the codec may be left out and is then 128, the search is then the best
/// for the codec.
/// @throws luq::error invalid_argument for any other text, and as require_valid()
[[nodiscard]] recipe parse_recipe(std::string_view text);

/// @throws luq::error invalid_argument for gptq, gptaq or refine with a sequence codec, or for qep with gptaq, which
///   would answer the same drift twice
void require_valid(const recipe& r);

/// Whether it can do nothing with weights alone: all but rtn, as it is or after a rotation or alternation of scales.
[[nodiscard]] bool needs_inputs(const recipe& r);

/// Whether it needs the drift of inputs behind quantized layers: gptaq and qep.
[[nodiscard]] bool needs_drift(const recipe& r);

/// The name of the transform that its matrices hold (stored_transform.hpp); empty for none.
[[nodiscard]] std::string_view stored_transform(const recipe& r);

/// How its matrices are stored, whatever search chose their codes: "scaling/int4:g128", or "int4:g128" without a
/// transform.
[[nodiscard]] std::string stored_name(const recipe& r);

/// Exact bytes of a packed [rows x cols] matrix, its transform included.
[[nodiscard]] index packed_bytes(const recipe& r, index rows, index cols);

/// Bits a weight occupies in a packed [rows x cols] matrix, everything counted.
[[nodiscard]] double bits_per_weight(const recipe& r, index rows, index cols);

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/codecs/impl/recipe.hpp"
#endif

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// How a weight matrix is stored, for byte counts that go beyond codecs: embeddings in bf16, a head in the blocks of
// another format. A format is two numbers: how many neighbouring weights of a row form a block, and how many bytes a
// block takes. Blocks follow one another without padding. A plain number is a block of one weight:
//
//   bf16   1 weight,    2 bytes          q4_k  256 weights, 144 bytes = 4.5 bits a weight
//
// Sizes only: nothing here reads or writes blocks.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "luq/codecs/recipe.hpp"
#include "luq/core/compiled.hpp"
#include "luq/core/error.hpp"
#include "luq/core/index.hpp"

namespace luq {

/// A format of blocks, or plain numbers.
struct block_format {
  std::string name;   ///< for tables and messages
  index weights = 1;  ///< in a block, >= 1
  index bytes = 2;    ///< of a block, >= 1

  /// Whether it takes any tensor, of any shape, as plain numbers do.
  [[nodiscard]] bool plain() const { return weights == 1; }

  friend bool operator==(const block_format&, const block_format&) = default;
};

/// A recipe of luq, or blocks.
using weight_storage = std::variant<block_format, recipe>;

[[nodiscard]] std::string storage_name(const weight_storage& storage);

/// Whether a tensor of any shape can be stored so; other forms are for matrices.
[[nodiscard]] bool is_plain(const weight_storage& storage);

/// Exact bytes of a [rows x cols] matrix.
/// @param what  names the matrix in messages
/// @throws luq::error unsupported if a row is no whole number of blocks
[[nodiscard]] index storage_bytes(const weight_storage& storage, index rows, index cols, std::string_view what);

/// The bits a weight that the literature counts: nominal_bits() of a recipe's codec, all bits of a block.
[[nodiscard]] double nominal_storage_bits(const weight_storage& storage);

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/policy/impl/weight_storage.hpp"
#endif

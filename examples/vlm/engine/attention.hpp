// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Scaled dot-product attention of one sequence, softmax(Q K^T / sqrt(head_dim)) V for every head (Vaswani et al.,
// arXiv 1706.03762). With fewer key-value heads than heads (grouped queries, arXiv 2305.13245), head h looks at
// key-value head h / (heads / key_value_heads).
//
// The scores of a head are held whole, [tokens x positions]: not FlashAttention, whose gain begins where they no longer
// fit a cache.
#pragma once

#include <luq/core/matrix_view.hpp>
#include <luq/core/openmp_executor.hpp>

namespace vlm {

struct attention_heads {
  luq::index heads;
  luq::index key_value_heads;  ///< divides heads
  luq::index head_dim;
};

enum class attention_mask {
  none,    ///< every token sees every position
  causal,  ///< the tokens are the last of the positions, and each sees those up to its own
};

/// @param Q         [tokens x heads * head_dim]
/// @param K         [positions x key_value_heads * head_dim], positions >= tokens if causal
/// @param V         as K
/// @param out       [tokens x heads * head_dim]; must not alias the others
/// @param executor  a task is a head
void attend(const attention_heads& shape, attention_mask mask, const luq::matrix_view& Q, const luq::matrix_view& K,
            const luq::matrix_view& V, luq::mutable_matrix_view out,
            const luq::openmp_executor& executor = {.threads = 1});

}  // namespace vlm

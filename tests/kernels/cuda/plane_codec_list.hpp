// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Every codec of the catalogue that has products on a GPU.
#pragma once

#include <string_view>
#include <type_traits>

#include "luq/kernels/cuda/plane_codec.hpp"
#include "quantizers/codec_list.hpp"

namespace luq_test {

/// Calls check(codec) for each codec of planes with the given group.
template <class Check>
void for_each_plane_codec(luq::index group, Check&& check) {
  for_each_alternative(std::type_identity<luq::any_codec>(), group, [&](const auto& codec) {
    if constexpr (luq::cuda::PlaneCodec<std::decay_t<decltype(codec)>>) check(codec);
  });
}

/// The same; with LUQ_TEST_REPRESENTATIVE_CODECS for one of each kind: planes of two radices, digits of three, products
/// of bits.
template <class Check>
void for_representative_plane_codecs(luq::index group, Check&& check) {
  for_each_plane_codec(group, [&](const auto& codec) {
#ifdef LUQ_TEST_REPRESENTATIVE_CODECS
    constexpr std::string_view family = std::decay_t<decltype(codec)>::family;
    if constexpr (family == "int3" || family == "ternary" || family == "billm") check(codec);
#else
    check(codec);
#endif
  });
}

}  // namespace luq_test

// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The transforms that files hold.
#pragma once

#include "luq/codecs/hadamard_rotation.hpp"
#include "luq/codecs/input_scaling.hpp"
#include "luq/codecs/stored_transform.hpp"
#include "luq/codecs/transform_bytes.hpp"
#include "luq/core/error.hpp"

namespace luq {

LUQ_INLINE shared_transform read_transform(std::string_view name, index in_features, std::span<const std::byte> bytes) {
  if (name == "hadamard") {
    return std::make_shared<const hadamard_rotation>(hadamard_rotation::unpack(in_features, bytes));
  }
  if (name == "scaling") return std::make_shared<const input_scaling>(input_scaling::unpack(in_features, bytes));
  const index expected = transform_bytes(name, in_features);  // of an unknown name there are none
  if (static_cast<index>(bytes.size()) != expected) {
    fail(errc::corrupt_file, "packed matrix: expected nothing behind its codes, got ", bytes.size(), " bytes");
  }
  return nullptr;
}

}  // namespace luq

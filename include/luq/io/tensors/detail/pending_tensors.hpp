// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The declared tensors of a file that are yet to be written: what writers of tensor files check of each.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "luq/core/error.hpp"
#include "luq/io/files/detail/printable.hpp"
#include "luq/io/tensors/tensor_info.hpp"

namespace luq::detail {

/// @tparam Info  has `name`, `shape` and bytes(): tensor_info, gguf_tensor_info
template <class Info>
class pending_tensors {
 public:
  /// @param path     stands in messages
  /// @param tensors  must outlive this and stay where they are
  pending_tensors(std::string path, const std::vector<Info>& tensors) : path_(std::move(path)) {
    for (const Info& tensor : tensors) pending_.emplace(tensor.name, &tensor);
  }

  /// @param type_of  calls the type of a tensor by its name, for a message
  /// @throws luq::error invalid_argument if the tensor is not declared or was written, shape_mismatch if it is not of
  ///   `bytes` bytes
  template <class TypeOf>
  [[nodiscard]] const Info& find(std::string_view name, std::size_t bytes, TypeOf&& type_of) const {
    const auto entry = pending_.find(name);
    if (entry == pending_.end()) {
      fail(errc::invalid_argument, path_, ": tensor ", in_quotes(name), " is not declared or already written");
    }
    const Info& tensor = *entry->second;
    if (bytes != tensor.bytes()) {
      fail(errc::shape_mismatch, path_, ": tensor ", in_quotes(name), ": expected ", tensor.bytes(), " bytes for ",
           type_of(tensor), " ", shape_text(tensor.shape), ", got ", bytes);
    }
    return tensor;
  }

  void set_written(std::string_view name) { pending_.erase(pending_.find(name)); }

  /// @throws luq::error insufficient_data if a tensor is missing that is not empty
  void require_none() const {
    for (const auto& [name, tensor] : pending_) {
      if (tensor->bytes() != 0) {
        fail(errc::insufficient_data, path_, ": tensor ", in_quotes(name), " was declared but not written");
      }
    }
  }

 private:
  std::string path_;
  std::map<std::string, const Info*, std::less<>> pending_;
};

}  // namespace luq::detail

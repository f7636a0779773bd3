// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The structs that a DLPack capsule of Python holds, member by member as the C interface of DLPack 1.1 has them
// (https://dmlc.github.io/dlpack/latest/c_api.html). luq/io/tensors/dlpack.hpp takes any structs with these members.
#pragma once

#include <cstdint>

namespace luq_python {

struct dlpack_device {
  std::int32_t device_type;
  std::int32_t device_id;
};

struct dlpack_data_type {
  std::uint8_t code;
  std::uint8_t bits;
  std::uint16_t lanes;
};

struct dlpack_tensor {
  void* data;
  dlpack_device device;
  std::int32_t ndim;
  dlpack_data_type dtype;
  std::int64_t* shape;
  std::int64_t* strides;
  std::uint64_t byte_offset;
};

/// In a capsule named "dltensor".
struct managed_tensor {
  dlpack_tensor dl_tensor;
  void* manager_ctx;
  void (*deleter)(managed_tensor*);
};

struct dlpack_version {
  std::uint32_t major;
  std::uint32_t minor;
};

/// In a capsule named "dltensor_versioned".
struct versioned_managed_tensor {
  dlpack_version version;
  void* manager_ctx;
  void (*deleter)(versioned_managed_tensor*);
  std::uint64_t flags;
  dlpack_tensor dl_tensor;
};

}  // namespace luq_python

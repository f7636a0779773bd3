// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/io/tensors/dlpack.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "io/io_test_support.hpp"
#include "luq/core/half.hpp"
#include "luq/core/random.hpp"

using luq::errc;
using luq::tensor_dtype;
using luq_test::check_fails;

namespace {

// The structs of dlpack.h as three of its versions have them. `tensor` and `managed` are what a lender hands out.

struct dlpack_0_6 {
  enum device_kind { cpu = 1, cuda = 2, cuda_host = 3, cuda_managed = 13 };  // of no fixed type
  struct device_struct {
    device_kind device_type;
    int device_id;
  };
  struct dtype_struct {
    std::uint8_t code;
    std::uint8_t bits;
    std::uint16_t lanes;
  };
  struct tensor {
    void* data;
    device_struct device;
    int ndim;
    dtype_struct dtype;
    std::int64_t* shape;
    std::int64_t* strides;
    std::uint64_t byte_offset;
  };
  struct managed {
    tensor dl_tensor;
    void* manager_ctx;
    void (*deleter)(managed* self);
  };
};

struct dlpack_1_0 {
  enum device_kind : std::int32_t { cpu = 1, cuda = 2, cuda_host = 3, cuda_managed = 13, maia = 17 };
  struct device_struct {
    device_kind device_type;
    std::int32_t device_id;
  };
  struct dtype_struct {
    std::uint8_t code;
    std::uint8_t bits;
    std::uint16_t lanes;
  };
  struct tensor {
    void* data;
    device_struct device;
    std::int32_t ndim;
    dtype_struct dtype;
    std::int64_t* shape;
    std::int64_t* strides;
    std::uint64_t byte_offset;
  };
  struct version_struct {
    std::uint32_t major;
    std::uint32_t minor;
  };
  struct managed {
    version_struct version;
    void* manager_ctx;
    void (*deleter)(managed* self);
    std::uint64_t flags;
    tensor dl_tensor;
  };
  static constexpr std::uint32_t minor = 0;
};

// As 1.0, with one device more. Its lenders must not leave out strides; tests have them do so all the same.
struct dlpack_1_2 : dlpack_1_0 {
  enum device_kind : std::int32_t { cpu = 1, cuda = 2, cuda_host = 3, cuda_managed = 13, maia = 17, trn = 18 };
  struct device_struct {
    device_kind device_type;
    std::int32_t device_id;
  };
  struct tensor {
    void* data;
    device_struct device;
    std::int32_t ndim;
    dtype_struct dtype;
    std::int64_t* shape;
    std::int64_t* strides;
    std::uint64_t byte_offset;
  };
  struct managed {
    version_struct version;
    void* manager_ctx;
    void (*deleter)(managed* self);
    std::uint64_t flags;
    tensor dl_tensor;
  };
  static constexpr std::uint32_t minor = 2;
};

static_assert(sizeof(void*) != 8 || sizeof(dlpack_0_6::tensor) == 48);
static_assert(sizeof(void*) != 8 || sizeof(dlpack_0_6::managed) == 64);
static_assert(sizeof(void*) != 8 || sizeof(dlpack_1_0::managed) == 80);
static_assert(sizeof(void*) != 8 || sizeof(dlpack_1_2::managed) == 80);

static_assert(luq::DlpackTensor<dlpack_0_6::tensor> && luq::DlpackManagedTensor<dlpack_0_6::managed>);
static_assert(luq::DlpackTensor<dlpack_1_0::tensor> && luq::DlpackManagedTensor<dlpack_1_0::managed>);
static_assert(luq::DlpackTensor<dlpack_1_2::tensor> && luq::DlpackManagedTensor<dlpack_1_2::managed>);
static_assert(!luq::DlpackTensor<dlpack_1_2::managed> && !luq::DlpackManagedTensor<dlpack_1_2::tensor>);

using owner = luq::dlpack_owner<dlpack_1_0::managed>;
static_assert(std::is_nothrow_move_constructible_v<owner> && std::is_nothrow_move_assignable_v<owner>);
static_assert(!std::is_copy_constructible_v<owner> && !std::is_copy_assignable_v<owner>);

template <class Owner>
concept LendsFromTemporary = requires(Owner&& temporary) { std::move(temporary).as_matrix(); };
static_assert(!LendsFromTemporary<owner>);  // the matrix would outlive the memory

/// A tensor and the arrays it points at. Elements are those of `storage`, from its first byte.
template <class Version = dlpack_1_2>
struct lent_tensor {
  std::vector<float> storage;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;  // none: they are missing
  typename Version::tensor tensor{};

  lent_tensor(std::vector<std::int64_t> shape_given, std::vector<std::int64_t> strides_given, std::size_t elements)
      : storage(elements), shape(std::move(shape_given)), strides(std::move(strides_given)) {
    for (std::size_t i = 0; i < elements; ++i) storage[i] = static_cast<float>(i);
    tensor.data = storage.data();
    set_device(1);
    tensor.ndim = static_cast<int>(shape.size());
    tensor.dtype = {2, 32, 1};
    tensor.shape = shape.data();
    tensor.strides = strides.empty() ? nullptr : strides.data();
  }
  lent_tensor(const lent_tensor&) = delete;
  lent_tensor& operator=(const lent_tensor&) = delete;

  /// Also one for which the enumeration has no room: a lender does not go by the caller's dlpack.h.
  void set_device(std::int32_t type, std::int32_t number = 0) {
    std::memcpy(&tensor.device.device_type, &type, sizeof(type));
    tensor.device.device_id = number;
  }

  [[nodiscard]] luq::dlpack_matrix as_matrix(const luq::dlpack_options& options = {}) const {
    return luq::dlpack_matrix(tensor, options);
  }
};

/// A [2 x 3] tensor of 0 ... 5, for what does not depend on layout.
struct small_tensor : lent_tensor<> {
  small_tensor() : lent_tensor({2, 3}, {3, 1}, 6) {}

  void check_refused(errc code, const std::string& fragment) const {
    check_fails(code, fragment, [&] { static_cast<void>(as_matrix()); });
  }
};

struct layout {
  std::string name;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;
  std::uint64_t byte_offset;
  luq::index rows;
  luq::index cols;
  std::optional<luq::index> row_stride;
  luq::index col_stride;
  bool has_view;
  std::vector<float> elements;  // by rows, of a storage of 0, 1, 2, ...
};

constexpr std::int64_t anything = std::numeric_limits<std::int64_t>::min() + 7;

std::vector<layout> layouts() {
  const auto none = std::optional<luq::index>();
  return {
      {"vector without strides", {4}, {}, 0, 1, 4, 4, 1, true, {0, 1, 2, 3}},
      {"vector", {4}, {1}, 8, 1, 4, 4, 1, true, {2, 3, 4, 5}},
      {"every third", {3}, {3}, 4, 1, 3, 3, 3, false, {1, 4, 7}},
      {"reversed vector", {4}, {-1}, 12, 1, 4, 4, -1, false, {3, 2, 1, 0}},
      {"repeated number", {3}, {0}, 20, 1, 3, 3, 0, false, {5, 5, 5}},
      {"one number", {1}, {anything}, 12, 1, 1, 1, 1, true, {3}},
      {"matrix without strides", {2, 3}, {}, 0, 2, 3, 3, 1, true, {0, 1, 2, 3, 4, 5}},
      {"matrix", {2, 3}, {3, 1}, 4, 2, 3, 3, 1, true, {1, 2, 3, 4, 5, 6}},
      {"padded rows", {3, 2}, {5, 1}, 0, 3, 2, 5, 1, true, {0, 1, 5, 6, 10, 11}},
      {"transposed", {3, 2}, {1, 3}, 0, 3, 2, 1, 3, false, {0, 3, 1, 4, 2, 5}},
      {"every second column", {2, 2}, {4, 2}, 4, 2, 2, 4, 2, false, {1, 3, 5, 7}},
      {"rows in reverse", {3, 2}, {-2, 1}, 16, 3, 2, -2, 1, false, {4, 5, 2, 3, 0, 1}},
      {"columns in reverse", {2, 3}, {3, -1}, 8, 2, 3, 3, -1, false, {2, 1, 0, 5, 4, 3}},
      {"both in reverse, transposed", {2, 3}, {-1, -2}, 20, 2, 3, -1, -2, false, {5, 3, 1, 4, 2, 0}},
      {"repeated row", {3, 2}, {0, 1}, 4, 3, 2, 0, 1, false, {1, 2, 1, 2, 1, 2}},
      {"overlapping rows", {3, 3}, {1, 1}, 0, 3, 3, 1, 1, false, {0, 1, 2, 1, 2, 3, 2, 3, 4}},
      {"repeated column", {2, 2}, {3, 0}, 0, 2, 2, 3, 0, false, {0, 0, 3, 3}},
      {"one row", {1, 3}, {anything, 1}, 0, 1, 3, 3, 1, true, {0, 1, 2}},
      {"one column", {3, 1}, {2, anything}, 0, 3, 1, 2, 1, true, {0, 2, 4}},
      {"one repeated column", {3, 1}, {0, 1}, 4, 3, 1, 0, 1, false, {1, 1, 1}},
      {"batch without strides", {2, 2, 3}, {}, 0, 4, 3, 3, 1, true, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}},
      {"batch", {2, 2, 2}, {4, 2, 1}, 4, 4, 2, 2, 1, true, {1, 2, 3, 4, 5, 6, 7, 8}},
      {"batch of padded rows", {2, 2, 2}, {6, 3, 1}, 0, 4, 2, 3, 1, true, {0, 1, 3, 4, 6, 7, 9, 10}},
      {"padding after each batch", {2, 2, 2}, {5, 2, 1}, 0, 4, 2, none, 1, false, {0, 1, 2, 3, 5, 6, 7, 8}},
      {"tokens before batches", {2, 3, 2}, {2, 4, 1}, 0, 6, 2, none, 1, false, {0, 1, 4, 5, 8, 9, 2, 3, 6, 7, 10, 11}},
      {"features before tokens", {2, 2, 3}, {6, 1, 2}, 0, 4, 3, none, 2, false, {0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11}},
      {"batches in reverse", {2, 2, 2}, {-4, 2, 1}, 16, 4, 2, none, 1, false, {4, 5, 6, 7, 0, 1, 2, 3}},
      {"all rows in reverse", {2, 2, 2}, {-4, -2, 1}, 24, 4, 2, -2, 1, false, {6, 7, 4, 5, 2, 3, 0, 1}},
      {"repeated batch", {2, 2, 2}, {0, 2, 1}, 0, 4, 2, none, 1, false, {0, 1, 2, 3, 0, 1, 2, 3}},
      {"one batch", {1, 2, 3}, {anything, 4, 1}, 0, 2, 3, 4, 1, true, {0, 1, 2, 4, 5, 6}},
      {"one token in each batch", {3, 1, 2}, {4, anything, 1}, 0, 3, 2, 4, 1, true, {0, 1, 4, 5, 8, 9}},
      {"one feature", {2, 2, 1}, {4, 2, anything}, 4, 4, 1, 2, 1, true, {1, 3, 5, 7}},
      {"one token", {1, 1, 3}, {anything, anything, 1}, 0, 1, 3, 3, 1, true, {0, 1, 2}},
  };
}

TEST_CASE_TEMPLATE("every layout: description, elements, and a view of the same memory where one can be", Version,
                   dlpack_0_6, dlpack_1_0, dlpack_1_2) {
  for (const layout& expected : layouts()) {
    CAPTURE(expected.name);
    lent_tensor<Version> lent(expected.shape, expected.strides, 13);
    lent.tensor.byte_offset = expected.byte_offset;
    const luq::dlpack_matrix X = lent.as_matrix();
    CHECK((X.dtype() == tensor_dtype::f32));
    REQUIRE(X.rows() == expected.rows);
    REQUIRE(X.cols() == expected.cols);
    CHECK(X.size() == expected.rows * expected.cols);
    CHECK((X.row_stride() == expected.row_stride));
    CHECK(X.col_stride() == expected.col_stride);
    CHECK_FALSE(X.is_read_only());

    const luq::matrix copy = X.to_matrix();
    REQUIRE(copy.rows() == expected.rows);
    REQUIRE(copy.cols() == expected.cols);
    for (luq::index i = 0; i < copy.size(); ++i) {
      CAPTURE(i);
      CHECK(copy.data()[i] == expected.elements[static_cast<std::size_t>(i)]);
    }

    if (!expected.has_view) {
      check_fails(errc::unsupported, "to_matrix() copies", [&] { static_cast<void>(X.view()); });
      check_fails(errc::unsupported, "to_matrix() copies", [&] { static_cast<void>(X.mutable_view()); });
      continue;
    }
    const luq::matrix_view view = X.view();
    CHECK(view.data() == lent.storage.data() + expected.byte_offset / sizeof(float));
    CHECK(view == copy);
    luq::mutable_matrix_view writable = X.mutable_view();
    REQUIRE(writable.data() == view.data());
    CHECK(writable == copy);
    writable(expected.rows - 1, expected.cols - 1) = -1.0f;
    CHECK(std::ranges::count(lent.storage, -1.0f) == 1);
    CHECK(lent.storage[static_cast<std::size_t>(expected.elements.back())] == -1.0f);
  }
}

/// Writes `value` in the type of code and bits, at any address.
void store(std::byte* target, unsigned code, unsigned bits, float value) {
  const auto copy_of = [&](auto stored) { std::memcpy(target, &stored, sizeof(stored)); };
  if (code == 4) {
    copy_of(luq::bfloat16(value));
  } else if (bits == 16) {
    copy_of(luq::half(value));
  } else if (bits == 32) {
    copy_of(value);
  } else {
    copy_of(static_cast<double>(value));
  }
}

TEST_CASE("random types, shapes, strides, offsets and alignments") {
  struct type {
    std::uint8_t code;
    std::uint8_t bits;
    tensor_dtype dtype;
  };
  const std::array<type, 4> types{{{2, 16, tensor_dtype::f16},
                                   {2, 32, tensor_dtype::f32},
                                   {2, 64, tensor_dtype::f64},
                                   {4, 16, tensor_dtype::bf16}}};
  int views = 0;
  for (std::uint64_t trial = 0; trial < 6000; ++trial) {
    CAPTURE(trial);
    const luq::counter_rng rng(trial, 2);
    std::uint64_t draws = 0;
    const auto draw = [&](std::uint64_t bound) { return static_cast<std::int64_t>(rng.below(draws++, bound)); };

    const std::size_t rank = 1 + static_cast<std::size_t>(draw(3));
    std::vector<std::int64_t> shape(rank);
    for (std::int64_t& extent : shape) extent = 1 + draw(4);
    std::vector<std::int64_t> strides(rank);
    std::int64_t compact = 1;
    for (std::size_t axis = rank; axis-- > 0;) {  // often as in a matrix with padding, often not
      strides[axis] = draw(3) == 0 ? draw(15) - 7 : compact;
      compact = strides[axis] * shape[axis] + (axis + 1 == rank && draw(2) == 0 ? draw(3) : 0);
    }
    std::int64_t lowest = 0;
    std::int64_t highest = 0;
    for (std::size_t axis = 0; axis < rank; ++axis) {
      const std::int64_t end = strides[axis] * (shape[axis] - 1);
      (end < 0 ? lowest : highest) += end;
    }

    // Exactly the bytes that the tensor covers, so that a sanitizer sees any other access.
    const type& element = types[static_cast<std::size_t>(draw(2) == 0 ? 1 : draw(4))];
    const std::int64_t bytes = element.bits / 8;
    const std::int64_t misalignment = draw(2) == 0 ? 0 : draw(8);
    std::vector<std::byte> memory(static_cast<std::size_t>(misalignment + (highest - lowest + 1) * bytes));
    const auto value_at = [](std::int64_t position) { return static_cast<float>(position % 251 - 125); };
    for (std::int64_t position = 0; position <= highest - lowest; ++position) {
      store(memory.data() + misalignment + position * bytes, element.code, element.bits, value_at(position));
    }
    lent_tensor<> lent(shape, strides, 0);
    const std::int64_t origin_byte = misalignment - lowest * bytes;
    const std::int64_t byte_offset = draw(static_cast<std::uint64_t>(origin_byte) + 1);
    lent.tensor.data = memory.data() + (origin_byte - byte_offset);
    lent.tensor.byte_offset = static_cast<std::uint64_t>(byte_offset);
    lent.tensor.dtype = {element.code, element.bits, 1};

    // The formula, and what it says of rows and columns.
    std::vector<std::int64_t> positions;
    const std::vector<std::int64_t> padded_shape = [&] {
      std::vector<std::int64_t> result(3 - rank, 1);
      result.insert(result.end(), shape.begin(), shape.end());
      return result;
    }();
    const auto stride_of = [&](std::size_t axis) { return axis + rank < 3 ? 0 : strides[axis + rank - 3]; };
    for (std::int64_t i = 0; i < padded_shape[0]; ++i) {
      for (std::int64_t j = 0; j < padded_shape[1]; ++j) {
        for (std::int64_t k = 0; k < padded_shape[2]; ++k) {
          positions.push_back(i * stride_of(0) + j * stride_of(1) + k * stride_of(2) - lowest);
        }
      }
    }
    const std::int64_t cols = shape.back();
    const std::int64_t rows = static_cast<std::int64_t>(positions.size()) / cols;
    const auto position_of = [&](std::int64_t r, std::int64_t c) {
      return positions[static_cast<std::size_t>(r * cols + c)];
    };
    const std::int64_t step = rows > 1 ? position_of(1, 0) - position_of(0, 0) : cols;
    bool equal_distances = true;
    bool adjacent = true;
    for (std::int64_t r = 0; r < rows; ++r) {
      equal_distances = equal_distances && position_of(r, 0) == position_of(0, 0) + r * step;
      for (std::int64_t c = 0; c < cols; ++c) adjacent = adjacent && position_of(r, c) == position_of(r, 0) + c;
    }

    const luq::dlpack_matrix X = lent.as_matrix();
    CHECK((X.dtype() == element.dtype));
    REQUIRE(X.rows() == rows);
    REQUIRE(X.cols() == cols);
    CHECK((X.row_stride() == (equal_distances ? std::optional<luq::index>(step) : std::nullopt)));
    CHECK((X.col_stride() == 1) == adjacent);
    const luq::matrix copy = X.to_matrix();
    for (luq::index r = 0; r < rows; ++r) {
      for (luq::index c = 0; c < cols; ++c) CHECK(copy(r, c) == value_at(position_of(r, c)));
    }

    const std::byte* const origin = memory.data() + origin_byte;
    const bool aligned = reinterpret_cast<std::uintptr_t>(origin) % alignof(float) == 0;
    if (element.dtype == tensor_dtype::f32 && aligned && adjacent && equal_distances && step >= cols) {
      ++views;
      const luq::matrix_view view = X.view();
      CHECK(static_cast<const void*>(view.data()) == origin);
      CHECK(view == copy);
    } else {
      check_fails(errc::unsupported, "a view expects", [&] { static_cast<void>(X.view()); });
    }
  }
  CHECK(views > 500);
}

TEST_CASE("the bits of each type") {
  const auto check_bits = [](std::uint8_t code, std::uint8_t bits, auto words, const std::vector<float>& expected) {
    lent_tensor<> lent({static_cast<std::int64_t>(words.size())}, {1}, 0);
    lent.tensor.data = words.data();
    lent.tensor.dtype = {code, bits, 1};
    const luq::matrix copy = lent.as_matrix().to_matrix();
    REQUIRE(copy.size() == static_cast<luq::index>(expected.size()));
    for (std::size_t i = 0; i < expected.size(); ++i) {
      CAPTURE(i);
      CHECK(copy(0, static_cast<luq::index>(i)) == expected[i]);
    }
  };
  const float infinity = std::numeric_limits<float>::infinity();
  check_bits(2, 16, std::vector<std::uint16_t>{0x3c00, 0xc000, 0x0001, 0x7bff, 0xfc00},
             {1.0f, -2.0f, 0x1p-24f, 65504.0f, -infinity});
  check_bits(4, 16, std::vector<std::uint16_t>{0x3f80, 0xc040, 0x0080, 0x4049, 0x7f80},
             {1.0f, -3.0f, 0x1p-126f, 3.140625f, infinity});
  check_bits(2, 32, std::vector<std::uint32_t>{0x3f800000, 0xc0490fdb, 0x00000001, 0xff800000},
             {1.0f, -3.14159274f, 0x1p-149f, -infinity});
  check_bits(2, 64,
             std::vector<std::uint64_t>{0x3ff0000000000000, 0xbfb999999999999a, 0x47efffffe0000000, 0x3ff0000010000000,
                                        0x3ff0000030000000, 0x7ff0000000000000},
             {1.0f, -0.1f, 0x1.fffffep127f, 1.0f, 0x1.000004p0f, infinity});  // halves round to even

  std::vector<std::uint16_t> not_a_number{0x7e01};
  lent_tensor<> lent({1}, {1}, 0);
  lent.tensor.data = not_a_number.data();
  lent.tensor.dtype = {2, 16, 1};
  CHECK(std::isnan(lent.as_matrix().to_matrix()(0, 0)));
}

TEST_CASE("a double that no float can approximate is an error that says where") {
  std::vector<double> doubles{0.0, 1.0, 2.0, 3.0, 0x1.ffffffp127, 5.0};
  lent_tensor<> lent({2, 3}, {3, 1}, 0);
  lent.tensor.data = doubles.data();
  lent.tensor.dtype = {2, 64, 1};
  check_fails(errc::unsupported, "DLPack tensor of shape [2, 3]: row 1, column 1: 3.40282e+38 is beyond",
              [&] { static_cast<void>(lent.as_matrix().to_matrix()); });
  doubles[4] = std::nextafter(doubles[4], 0.0);
  CHECK(lent.as_matrix().to_matrix()(1, 1) == std::numeric_limits<float>::max());
}

TEST_CASE_TEMPLATE("only memory that the CPU may read is accepted", Version, dlpack_0_6, dlpack_1_0, dlpack_1_2) {
  lent_tensor<Version> lent({2, 3}, {3, 1}, 6);
  for (const std::int32_t readable : {1, 3}) {
    lent.set_device(readable);
    CHECK(lent.as_matrix().view()(1, 2) == 5.0f);
  }

  lent.set_device(13);
  check_fails(errc::unsupported, "memory of CUDAManaged can be read only when all work on it is done",
              [&] { static_cast<void>(lent.as_matrix()); });
  const luq::dlpack_options synchronised{.cuda_managed_is_synchronised = true};
  CHECK(lent.as_matrix(synchronised).view()(1, 2) == 5.0f);

  const std::vector<std::pair<std::int32_t, std::string>> refused = {
      {-1, "device type -1"},
      {0, "device type 0"},
      {2, "CUDA"},
      {4, "OpenCL"},
      {5, "device type 5"},
      {6, "device type 6"},
      {7, "Vulkan"},
      {8, "Metal"},
      {9, "VPI"},
      {10, "ROCM"},
      {11, "ROCMHost"},
      {12, "ExtDev"},
      {14, "OneAPI"},
      {15, "WebGPU"},
      {16, "Hexagon"},
      {17, "MAIA"},
      {18, "Trn"},
      {19, "device type 19"},
      {std::numeric_limits<std::int32_t>::max(), "device type 2147483647"},
      {std::numeric_limits<std::int32_t>::min(), "device type -2147483648"},
  };
  lent.tensor.shape = nullptr;  // whether there is a matrix in it does not matter
  for (const auto& [type, name] : refused) {
    lent.set_device(type, 7);
    check_fails(errc::unsupported,
                "expected memory of CPU, CUDAHost or CUDAManaged, got that of " + name + ", device 7",
                [&] { static_cast<void>(lent.as_matrix(synchronised)); });
  }
}

TEST_CASE("types that are not floats of the library are refused by name") {
  struct refusal {
    std::uint8_t code;
    std::uint8_t bits;
    std::string name;
  };
  const std::vector<refusal> refused = {
      {0, 64, "int64"},
      {0, 16, "int16"},
      {1, 8, "uint8"},
      {1, 32, "uint32"},
      {2, 8, "float8"},
      {2, 0, "float0"},
      {2, 128, "float128"},
      {3, 64, "opaque64"},
      {4, 32, "bfloat32"},
      {5, 64, "complex64"},
      {5, 32, "complex32"},
      {6, 8, "bool8"},
      {7, 8, "type code 7 of 8 bits"},
      {10, 8, "type code 10 of 8 bits"},
      {17, 4, "type code 17 of 4 bits"},
      {255, 255, "type code 255 of 255 bits"},
  };
  small_tensor lent;
  for (const refusal& each : refused) {
    lent.tensor.dtype = {each.code, each.bits, 1};
    const std::string expected = "expected float16, bfloat16, float32 or float64, got ";
    lent.check_refused(errc::unsupported, expected + each.name);
  }
  for (const int lanes : {0, 2, 4, 65535}) {
    lent.tensor.dtype = {2, 32, static_cast<std::uint16_t>(lanes)};
    lent.check_refused(errc::unsupported, "expected elements of 1 lane, got " + std::to_string(lanes));
  }
}

TEST_CASE("one to three axes, of a length each") {
  small_tensor lent;
  std::array<std::int64_t, 4> shape{1, 1, 2, 3};
  lent.tensor.shape = shape.data();
  lent.tensor.strides = nullptr;
  for (const int rank : {0, 4, -1, std::numeric_limits<int>::max(), std::numeric_limits<int>::min()}) {
    lent.tensor.ndim = rank;
    lent.check_refused(errc::unsupported, "expected 1 to 3 axes, got " + std::to_string(rank));
  }
  lent.tensor.ndim = 3;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    for (const std::int64_t extent : {std::int64_t{-1}, std::numeric_limits<std::int64_t>::min()}) {
      shape = {1, 2, 3};
      shape[axis] = extent;
      lent.check_refused(errc::invalid_argument,
                         "axis " + std::to_string(axis) + ": " + std::to_string(extent) + " is not an extent");
    }
  }
  shape = {0, -1, 3};  // an axis of no extent does not excuse another
  lent.check_refused(errc::invalid_argument, "axis 1: -1 is not an extent");
  lent.tensor.shape = nullptr;
  lent.check_refused(errc::invalid_argument, "the shape is missing");
}

TEST_CASE("numbers of elements and distances stay within what can be addressed") {
  if (sizeof(std::ptrdiff_t) != 8) return;
  const auto check = [](std::vector<std::int64_t> shape, std::vector<std::int64_t> strides, const char* fragment,
                        std::uint8_t bits = 32) {
    lent_tensor<> lent(std::move(shape), std::move(strides), 1);
    lent.tensor.dtype.bits = bits;
    if (fragment == nullptr) {
      CHECK_NOTHROW(static_cast<void>(lent.as_matrix()));  // inspected, not read
    } else {
      check_fails(errc::invalid_argument, fragment, [&] { static_cast<void>(lent.as_matrix()); });
    }
  };
  constexpr auto power = [](int exponent) { return std::int64_t{1} << exponent; };
  const char* const count = "more elements than can be addressed";
  check({power(40), power(40)}, {0, 0}, count);
  check({power(31), power(31), 4}, {0, 0, 0}, count);
  check({power(40), power(40), 0}, {}, count);  // as many rows cannot be counted, though they are empty
  check({0, power(40), power(40)}, {}, nullptr);
  check({power(61) - 1}, {0}, nullptr);  // 2^63 - 4 bytes
  check({power(61)}, {0}, count);
  check({power(60) - 1}, {0}, nullptr, 64);
  check({power(60)}, {0}, count, 64);
  check({power(62) - 1}, {0}, nullptr, 16);
  check({power(62)}, {0}, count, 16);
  check({power(61) - 1}, {}, nullptr);
  check({power(61)}, {}, count);
  check({power(30), power(30)}, {}, nullptr);

  const auto far = [](int axis) { return axis == 0 ? " of axis 0 leads beyond" : " of axis 1 leads beyond"; };
  check({2}, {power(61) - 2}, nullptr);  // the last element ends at byte 2^63 - 4
  check({2}, {power(61) - 1}, far(0));
  check({2}, {-(power(61) - 2)}, nullptr);
  check({2}, {-(power(61) - 1)}, far(0));
  check({2}, {std::numeric_limits<std::int64_t>::min()}, far(0));
  check({2}, {std::numeric_limits<std::int64_t>::max()}, far(0));
  check({3}, {power(60) - 1}, nullptr);
  check({3}, {power(60)}, far(0));
  check({2, 2}, {power(60), power(60) - 2}, nullptr);
  check({2, 2}, {power(60), power(60) - 1}, far(1));
  check({2, 2}, {-power(60), power(60) - 1}, far(1));  // in whatever direction
  check({2, 1}, {power(60), power(62)}, nullptr);
  check({2, 2}, {1, power(61)}, far(1));
  check({2}, {power(60) - 2}, nullptr, 64);
  check({2}, {power(60) - 1}, far(0), 64);
  check({0, 2}, {power(62), power(62)}, nullptr);
}

TEST_CASE("data may be missing only where there are no elements") {
  small_tensor lent;
  lent.tensor.data = nullptr;
  lent.check_refused(errc::invalid_argument, "DLPack tensor of shape [2, 3]: the data is missing");
  lent.tensor.byte_offset = 16;
  lent.check_refused(errc::invalid_argument, "the data is missing");

  struct empty {
    std::vector<std::int64_t> shape;
    luq::index rows;
    luq::index cols;
  };
  const std::int64_t many = std::int64_t{1} << (sizeof(std::ptrdiff_t) == 8 ? 60 : 28);
  const std::vector<empty> shapes = {{{0}, 1, 0},       {{0, 5}, 0, 5},    {{5, 0}, 5, 0},     {{0, 0}, 0, 0},
                                     {{0, 4, 5}, 0, 5}, {{4, 0, 5}, 0, 5}, {{4, 5, 0}, 20, 0}, {{many, 0}, many, 0}};
  for (const empty& each : shapes) {
    CAPTURE(each.rows);
    CAPTURE(each.cols);
    for (const bool has_data : {false, true}) {
      for (const bool has_strides : {false, true}) {
        const std::vector<std::int64_t> strides(has_strides ? each.shape.size() : 0, anything);
        lent_tensor<> vacant(each.shape, strides, has_data ? 1 : 0);
        if (!has_data) vacant.tensor.data = nullptr;
        vacant.tensor.byte_offset = 3;
        const luq::dlpack_matrix X = vacant.as_matrix();
        CHECK(X.rows() == each.rows);
        CHECK(X.cols() == each.cols);
        CHECK((X.row_stride() == each.cols));
        CHECK(X.col_stride() == 1);
        CHECK(X.view().rows() == each.rows);
        CHECK(X.view().cols() == each.cols);
        CHECK(X.mutable_view().size() == 0);
        CHECK(X.to_matrix().rows() == each.rows);
        CHECK(X.to_matrix().cols() == each.cols);
      }
    }
  }
}

TEST_CASE("the byte offset is added, and does not wrap") {
  lent_tensor<> lent({2}, {1}, 8);
  lent.tensor.byte_offset = 20;
  CHECK(lent.as_matrix().view()(0, 0) == 5.0f);
  CHECK(lent.as_matrix().to_matrix()(0, 1) == 6.0f);
  lent.tensor.byte_offset = std::numeric_limits<std::uint64_t>::max() - 3;  // 4 bytes back, if it wrapped
  check_fails(errc::invalid_argument, "byte offset 18446744073709551612 leads beyond",
              [&] { static_cast<void>(lent.as_matrix()); });
}

TEST_CASE("what a view needs, each missing alone") {
  const auto check_refused = [](const luq::dlpack_matrix& X, const std::string& expected) {
    const std::string fragment = ": a view expects " + expected + "; to_matrix() copies";
    check_fails(errc::unsupported, fragment, [&] { static_cast<void>(X.view()); });
    check_fails(errc::unsupported, fragment, [&] { static_cast<void>(X.mutable_view()); });
  };
  {
    small_tensor lent;
    for (const auto& [code, bits, name] : {std::tuple{2, 16, "F16"}, {4, 16, "BF16"}, {2, 64, "F64"}}) {
      lent.tensor.dtype = {static_cast<std::uint8_t>(code), static_cast<std::uint8_t>(bits), 1};
      check_refused(lent.as_matrix(), std::string("elements of type F32, got ") + name);
    }
  }
  {
    const lent_tensor<> lent({2, 2, 3}, {7, 3, 1}, 13);
    check_refused(lent.as_matrix(), "rows of all batches at one distance, got strides [7, 3, 1]");
  }
  const std::vector<std::vector<std::int64_t>> strides = {{1, 2}, {6, 2}, {2, 1}, {0, 1}, {-3, 1}};
  for (const std::vector<std::int64_t>& each : strides) {
    lent_tensor<> lent({2, 3}, each, 13);
    lent.tensor.byte_offset = 12;
    check_refused(lent.as_matrix(), "rows of adjacent elements, one after the other, got strides [" +
                                        std::to_string(each[0]) + ", " + std::to_string(each[1]) + "]");
  }
  for (const unsigned offset : {1u, 2u, 3u}) {
    lent_tensor<> lent({2, 3}, {3, 1}, 7);
    lent.tensor.byte_offset = offset;
    check_refused(lent.as_matrix(), "data aligned to a float, got unaligned data");
  }
  const small_tensor lent;
  CHECK(lent.as_matrix().view()(1, 0) == 3.0f);
}

TEST_CASE("a read-only tensor has a view but no mutable one") {
  const small_tensor lent;
  const luq::dlpack_matrix X = lent.as_matrix({.read_only = true});
  CHECK(X.is_read_only());
  CHECK(X.view()(1, 2) == 5.0f);
  CHECK(X.to_matrix()(1, 2) == 5.0f);
  check_fails(errc::invalid_argument, "DLPack tensor of shape [2, 3]: expected a writable tensor, got a read-only one",
              [&] { static_cast<void>(X.mutable_view()); });
}

/// A lender of a [2 x 3] tensor of 0 ... 5 that counts how often what it lends is given back.
template <class Version>
class lender {
 public:
  using managed = typename Version::managed;

  /// Freed by its deleter only, so that a leak or a second call is seen by a sanitizer too.
  [[nodiscard]] managed* lend() {
    auto* const result = new managed{};
    result->dl_tensor = lent_.tensor;
    result->manager_ctx = &returned_;
    result->deleter = [](managed* self) {
      ++*static_cast<int*>(self->manager_ctx);
      delete self;
    };
    if constexpr (requires { result->version; }) result->version = {1, Version::minor};
    return result;
  }

  [[nodiscard]] int returned() const { return returned_; }
  [[nodiscard]] const float* data() const { return lent_.storage.data(); }

 private:
  lent_tensor<Version> lent_{{2, 3}, {3, 1}, 6};
  int returned_ = 0;
};

TEST_CASE_TEMPLATE("an owner gives the tensor back once", Version, dlpack_0_6, dlpack_1_0, dlpack_1_2) {
  lender<Version> source;
  {
    const luq::dlpack_owner tensor(source.lend());
    const luq::dlpack_matrix X = tensor.as_matrix();
    CHECK(X.view().data() == source.data());
    CHECK(X.mutable_view()(1, 2) == 5.0f);
    CHECK(source.returned() == 0);
  }
  CHECK(source.returned() == 1);
  {
    luq::dlpack_owner first(source.lend());
    luq::dlpack_owner second(std::move(first));
    CHECK(source.returned() == 1);
    luq::dlpack_owner third(source.lend());
    third = std::move(second);
    CHECK(source.returned() == 2);  // what the third had
    CHECK(third.as_matrix().to_matrix()(1, 0) == 3.0f);
  }
  CHECK(source.returned() == 3);

  typename Version::managed* const other_device = source.lend();
  const std::int32_t cuda = 2;
  std::memcpy(&other_device->dl_tensor.device.device_type, &cuda, sizeof(cuda));
  check_fails(errc::unsupported, "got that of CUDA, device 0", [&] {
    const luq::dlpack_owner tensor(other_device);
    static_cast<void>(tensor.as_matrix());
  });
  CHECK(source.returned() == 4);

  typename Version::managed* const managed_memory = source.lend();
  const std::int32_t cuda_managed = 13;
  std::memcpy(&managed_memory->dl_tensor.device.device_type, &cuda_managed, sizeof(cuda_managed));
  const luq::dlpack_owner synchronised(managed_memory);
  CHECK(synchronised.as_matrix({.cuda_managed_is_synchronised = true}).rows() == 2);
  CHECK(synchronised.as_matrix({.cuda_managed_is_synchronised = true, .read_only = true}).is_read_only());
}

TEST_CASE_TEMPLATE("a tensor without a deleter stays the lender's; none at all is an error", Version, dlpack_0_6,
                   dlpack_1_0, dlpack_1_2) {
  using managed = typename Version::managed;
  lender<Version> source;
  const std::unique_ptr<managed> kept(source.lend());
  kept->deleter = nullptr;
  {
    const luq::dlpack_owner tensor(kept.get());
    CHECK(tensor.as_matrix().view()(1, 1) == 4.0f);
  }
  CHECK(source.returned() == 0);
  check_fails(errc::invalid_argument, "the managed tensor is missing",
              [] { luq::dlpack_owner(static_cast<managed*>(nullptr)); });
}

TEST_CASE_TEMPLATE("of another major version only the deleter is called", Version, dlpack_1_0, dlpack_1_2) {
  lender<Version> source;
  int expected = 0;
  for (const std::uint32_t major : {0u, 2u, 3u, 0xffffffffu}) {
    typename Version::managed* const tensor = source.lend();
    std::memset(static_cast<void*>(&tensor->dl_tensor), 0x5a, sizeof(tensor->dl_tensor));  // of another layout
    tensor->version.major = major;
    check_fails(errc::unsupported, "expected major version 1, got " + std::to_string(major),
                [&] { luq::dlpack_owner{tensor}; });
    CHECK(source.returned() == ++expected);
  }
  typename Version::managed* const newer = source.lend();
  newer->version.minor = 0xffffffffu;
  const luq::dlpack_owner tensor(newer);
  CHECK(tensor.as_matrix().rows() == 2);
}

TEST_CASE_TEMPLATE("of the flags the first makes a tensor read-only", Version, dlpack_1_0, dlpack_1_2) {
  lender<Version> source;
  for (std::uint64_t bit = 0; bit < 64; ++bit) {
    CAPTURE(bit);
    typename Version::managed* const flagged = source.lend();
    flagged->flags = std::uint64_t{1} << bit;
    const luq::dlpack_owner tensor(flagged);
    CHECK(tensor.as_matrix().is_read_only() == (bit == 0));
  }
  typename Version::managed* const flagged = source.lend();
  flagged->flags = ~std::uint64_t{0};
  const luq::dlpack_owner tensor(flagged);
  CHECK(tensor.as_matrix().view()(0, 1) == 1.0f);
  check_fails(errc::invalid_argument, "got a read-only one",
              [&] { static_cast<void>(tensor.as_matrix().mutable_view()); });
}

TEST_CASE("a device may be an integer, as in structs that are not dlpack.h's") {
  struct device_struct {
    std::int32_t device_type;
    std::int32_t device_id;
  };
  struct tensor_struct {
    void* data;
    device_struct device;
    std::int32_t ndim;
    dlpack_1_0::dtype_struct dtype;
    const std::int64_t* shape;
    const std::int64_t* strides;
    std::uint64_t byte_offset;
  };
  std::array<float, 2> elements{1.0f, 2.0f};
  const std::int64_t extent = 2;
  tensor_struct tensor{elements.data(), {1, 0}, 1, {2, 32, 1}, &extent, nullptr, 0};
  CHECK(luq::dlpack_matrix(tensor).view().data() == elements.data());
  tensor.device.device_type = 2;
  check_fails(errc::unsupported, "got that of CUDA", [&] { static_cast<void>(luq::dlpack_matrix(tensor)); });
}

}  // namespace

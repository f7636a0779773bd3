// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/kernels/kernel_path.hpp"

#include <doctest/doctest.h>

#include <type_traits>
#include <variant>

#include "kernels/unlisted_codecs.hpp"
#include "luq/codecs/any_codec.hpp"
#include "luq/kernels/cpu/operands/operand_decoder.hpp"
#include "luq/kernels/cpu/stages/plane_product.hpp"
#include "luq/kernels/cuda/plane_codec.hpp"

using luq::kernel_path;
using luq::kernel_path_of;
using luq::detail::operand_way;
using luq::detail::way_of_component;

namespace {

/// All codecs have this path.
template <kernel_path Path, class... Codec>
constexpr bool all_take = ((kernel_path_of<Codec> == Path) && ...);

static_assert(all_take<kernel_path::affine_planes, luq::int_codec<2>, luq::int_codec<3>, luq::int_codec<4>,
                       luq::int_codec<8>, luq::sign_codec, luq::ternary_codec, luq::binary_coding_codec>);
static_assert(all_take<kernel_path::bilinear_planes, luq::billm_codec>);
static_assert(all_take<kernel_path::table_of_16, luq::lloyd_codec<2>, luq::lloyd_codec<3>, luq::lloyd_codec<4>>);
static_assert(all_take<kernel_path::computed_sequence, luq::trellis_codec<2>, luq::trellis_codec<3>,
                       luq::trellis_codec<4>, luq::trellis_codec<8>, luq::trellis_codec<16>>);

static_assert(
    all_take<kernel_path::affine_planes, luq_test::base_five_codec, luq_test::bit_count_codec, luq_test::step_codec,
             luq_test::falling_codec, luq_test::octal_codec, luq_test::signed_trit_codec>);
static_assert(all_take<kernel_path::table_of_16, luq_test::ten_level_codec>);
static_assert(all_take<kernel_path::computed_sequence, luq_test::base_five_trellis_codec>);
static_assert(all_take<kernel_path::table_sequence, luq_test::table_trellis_codec, luq_test::two_table_trellis_codec>);
static_assert(all_take<kernel_path::generic, luq_test::wide_table_codec>);

/// One of the codecs above for each of any_codec.
template <class... Codec>
constexpr bool cuda_has_those_of_planes(std::type_identity<std::variant<Codec...>>) {
  return sizeof...(Codec) == 16 && ((luq::has_cuda_kernel<Codec> == luq::multiplies_planes<Codec>) && ...) &&
         ((luq::cuda::PlaneCodec<Codec> == luq::has_cuda_kernel<Codec>) && ...);
}
static_assert(cuda_has_those_of_planes(std::type_identity<luq::any_codec>()));

/// Three planes.
struct three_planes : luq_test::base_five_codec {
  static constexpr std::array<std::uint16_t, 3> planes{2, 2, 2};
  static constexpr int component(luq::code q, int) { return q; }
};
/// Scales of two types.
struct two_types_of_scales : luq_test::base_five_codec {
  template <class Visitor>
  constexpr void read_parameters(Visitor&& visitor) const {
    visitor.template scales<luq::half>(1);
    visitor.template scales<float>(1);
  }
  template <class Number>
  constexpr std::array<Number, 2> coefficients(const Number* parameters, int) const {
    return {parameters[0], parameters[1]};
  }
  static constexpr bool accepts(const std::array<float, 2>&) { return true; }
};
static_assert(luq::has_cuda_kernel<luq_test::base_five_codec> && luq::has_cuda_kernel<luq_test::step_codec>);
static_assert(!luq::has_cuda_kernel<luq_test::signed_trit_codec>);  // chunks of 160 columns and of 128
static_assert(luq::multiplies_planes<three_planes> && !luq::has_cuda_kernel<three_planes>);
static_assert(luq::multiplies_planes<two_types_of_scales> && !luq::has_cuda_kernel<two_types_of_scales>);

}  // namespace

TEST_CASE("kernels of the CPU follow the path") {
  static_assert(way_of_component<luq::int_codec<3>>(0) == operand_way::symbol_sums);
  static_assert(way_of_component<luq::billm_codec>(0) == operand_way::symbol_sums);
  static_assert(way_of_component<luq::billm_codec>(2) == operand_way::table_of_16);
  static_assert(way_of_component<luq::lloyd_codec<4>>(0) == operand_way::table_of_16);
  static_assert(way_of_component<luq::trellis_codec<3>>(0) == operand_way::computed);
  static_assert(way_of_component<luq_test::base_five_codec>(0) == operand_way::symbol_sums);
  static_assert(way_of_component<luq_test::step_codec>(0) == operand_way::symbol_sums);
  static_assert(way_of_component<luq_test::falling_codec>(0) == operand_way::code_by_code);
  static_assert(way_of_component<luq_test::table_trellis_codec>(0) == operand_way::code_by_code);
  static_assert(way_of_component<luq_test::wide_table_codec>(0) == operand_way::code_by_code);
  using arch = luq::default_arch;
  static_assert(luq::detail::tokens_of_planes<arch, luq::int_codec<4>> == 1);
  static_assert(luq::detail::tokens_of_planes<arch, luq_test::base_five_codec> == 1);
  static_assert(luq::detail::tokens_of_planes<arch, luq::lloyd_codec<4>> == 0);
  static_assert(luq::detail::tokens_of_planes<arch, luq::trellis_codec<2>> == 0);
}

TEST_CASE("paths have names") {
  CHECK(luq::kernel_path_name(kernel_path_of<luq::ternary_codec>) == "affine planes");
  CHECK(luq::kernel_path_name(kernel_path_of<luq::billm_codec>) == "bilinear planes");
  CHECK(luq::kernel_path_name(kernel_path_of<luq::lloyd_codec<2>>) == "table of 16");
  CHECK(luq::kernel_path_name(kernel_path_of<luq::trellis_codec<2>>) == "computed sequence");
  CHECK(luq::kernel_path_name(kernel_path_of<luq_test::table_trellis_codec>) == "table sequence");
  CHECK(luq::kernel_path_name(kernel_path_of<luq_test::wide_table_codec>) == "generic");
}

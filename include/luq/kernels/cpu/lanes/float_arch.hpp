// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The architecture of xsimd that does the float arithmetic of an instruction set: itself, unless xsimd does not know
// it.
#pragma once

namespace luq::detail {

template <class Arch>
struct float_arch_of {
  using type = Arch;
};
template <class Arch>
requires requires { typename Arch::float_arch; }
struct float_arch_of<Arch> {
  using type = typename Arch::float_arch;
};

/// The architecture of xsimd that does the float arithmetic of `Arch`.
template <class Arch>
using float_arch = typename float_arch_of<Arch>::type;

}  // namespace luq::detail

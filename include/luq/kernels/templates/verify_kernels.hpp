// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The self-test of kernels.
#pragma once

#include <ranges>
#include <string>
#include <type_traits>
#include <vector>

#include "luq/codecs/any_codec.hpp"
#include "luq/kernels/cpu/kernel_verifier.hpp"
#include "luq/kernels/cpu/stages/stage_table.hpp"
#include "luq/kernels/verify_kernels.hpp"

namespace luq {

template <std::ranges::input_range Implementations>
std::vector<kernel_check> verify_kernels(const Implementations& implementations) {
  std::vector<kernel_check> done;
  const auto verify = [&]<class Codec>(const detail::kernel_problem<Codec>& problem) {
    for (const dispatch::implementation& kernels : implementations) {
      const detail::codec_stages<Codec>& stages = *kernels.stages;
      detail::verify_stages(kernels.name, stages, problem, [&](index tokens, activation_mode mode, double error) {
        done.push_back({std::string(kernels.name), codec_name(problem.W.codec()), problem.W.rows(), problem.W.cols(),
                        tokens, mode, error});
      });
    }
  };
  detail::for_each_kernel_problem(std::type_identity<any_codec>(), verify);
  return done;
}

template <class Arch>
std::vector<kernel_check> verify_kernels() {
  std::vector<kernel_check> done;
  const auto verify = [&]<class Codec>(const detail::kernel_problem<Codec>& problem) {
    const auto add = [&](index tokens, activation_mode mode, double error) {
      done.push_back(
          {Arch::name(), codec_name(problem.W.codec()), problem.W.rows(), problem.W.cols(), tokens, mode, error});
    };
    detail::verify_stages(Arch::name(), detail::included_stages<Arch, Codec>(), problem, add);
  };
  detail::for_each_kernel_problem(std::type_identity<any_codec>(), verify);
  return done;
}

}  // namespace luq

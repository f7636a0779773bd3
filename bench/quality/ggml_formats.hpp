// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What the formats of ggml and ik_llama.cpp lose on random weights, for comparison at equal bits: relative squared
// error on independent normal and Laplace weights of standard deviation 0.02 in rows of 4096, with an importance matrix
// of ones, the better of ggml 0.21 and ik_llama.cpp of August 2026 where both have the format. Measured with their own
// quantizers; to repeat, call ggml_quantize_chunk and to_float on such rows.
#pragma once

#include <array>

namespace luq_bench {

struct ggml_format {
  const char* name;
  double bits;     ///< 8 * bytes / weights
  double gauss;    ///< relative squared error, normal weights
  double laplace;  ///< likewise, Laplace weights
};

inline constexpr std::array ggml_formats{
    ggml_format{"Q1_0", 1.125, 0.3605, 0.4962},       ggml_format{"IQ1_S_R4", 1.504, 0.2219, 0.2865},
    ggml_format{"IQ1_S", 1.562, 0.2356, 0.2960},      ggml_format{"TQ1_0", 1.688, 0.6510, 0.6911},
    ggml_format{"IQ1_M", 1.750, 0.1959, 0.2242},      ggml_format{"IQ1_KT", 1.758, 0.1491, 0.1741},
    ggml_format{"IQ2_XXS", 2.062, 0.1181, 0.1477},    ggml_format{"IQ2_KT", 2.133, 0.08698, 0.1018},
    ggml_format{"IQ2_KS", 2.191, 0.0965, 0.1333},     ggml_format{"IQ2_K", 2.375, 0.07771, 0.09998},
    ggml_format{"Q2_K", 2.625, 0.07177, 0.09029},     ggml_format{"IQ2_KL", 2.691, 0.05264, 0.05971},
    ggml_format{"IQ3_XXS", 3.062, 0.03296, 0.03791},  ggml_format{"Q3_K", 3.438, 0.02088, 0.02884},
    ggml_format{"IQ4_KT", 4.008, 0.007571, 0.008454}, ggml_format{"IQ4_XS", 4.250, 0.005714, 0.007607},
    ggml_format{"IQ4_KS", 4.258, 0.005133, 0.006887}, ggml_format{"Q4_0", 4.500, 0.006647, 0.01068},
    ggml_format{"Q4_K", 4.500, 0.004985, 0.007011},
};

}  // namespace luq_bench

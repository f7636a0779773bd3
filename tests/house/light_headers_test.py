# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""Which headers read neither Eigen nor xsimd: light_headers_test.py COMPILER INCLUDE..., the directories of includes.

Names, bytes and text of codecs, and policies and files, are for programs that may never multiply a matrix; these pay
for no more than they use. LIGHT is all of policy and models, and all of io but what has matrices in its declarations.
"""

import subprocess
import sys
from pathlib import Path

LIGHT = [
    "luq/codecs/any_codec.hpp",
    "luq/codecs/recipe.hpp",
    "luq/codecs/transform_bytes.hpp",
    "luq/codecs/weight_codec.hpp",
    "luq/codecs/tile_layout.hpp",
    "luq/core/*.hpp",
    "luq/estimators/entropy.hpp",
    "luq/estimators/token_class.hpp",
    "luq/kernels/matmul_options.hpp",
    "luq/models/*.hpp",
    "luq/policy/*.hpp",
    "luq/io/*/*.hpp",
]

# Whose declarations have matrices, or that read files by such a header.
WITH_MATRICES = {
    "luq/core/all_finite.hpp",
    "luq/core/matrix_view.hpp",
    "luq/core/mirror.hpp",
    "luq/core/random_matrix.hpp",
    "luq/io/gguf/ggml_blocks.hpp",
    "luq/io/gptq/gptq_safetensors.hpp",
    "luq/io/gptq/gptq_tensors.hpp",
    "luq/io/llama_cpp/llama_cpp_model.hpp",
    "luq/io/llama_cpp/imatrix.hpp",
    "luq/io/luq/packed_model.hpp",
    "luq/io/safetensors/checkpoint.hpp",
    "luq/io/safetensors/safetensors.hpp",
    "luq/io/tensors/dlpack.hpp",
}


def main() -> int:
    compiler, *include = sys.argv[1:]
    root = Path(include[0])
    headers = sorted({p.relative_to(root).as_posix() for pattern in LIGHT for p in root.glob(pattern)})
    heavy = []
    for header in headers:
        command = [compiler, "-std=c++20", "-M", "-x", "c++", "-include", header, "/dev/null"]
        command[1:1] = [f"-I{directory}" for directory in include]
        read = subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout
        if ("/Eigen/" in read or "/xsimd/" in read) != (header in WITH_MATRICES):
            heavy.append(header)
    for header in heavy:
        print(f"{header}: {'reads no Eigen' if header in WITH_MATRICES else 'reads Eigen or xsimd'}")
    print(f"{len(headers)} headers, {len(heavy)} not as expected")
    return 1 if heavy or len(headers) < 40 else 0


if __name__ == "__main__":
    sys.exit(main())

# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""Writes the safetensors files beside this script with the reference implementation.

    pip install safetensors==0.8.0 numpy
    python make_reference_files.py

tests/io/safetensors_test.cpp and tests/io/safetensors_writer_test.cpp hold the same content in C++. Each file has at
most one metadata key: the reference writes several in an arbitrary order.
"""

import pathlib

import numpy
from safetensors import TensorSpec, serialize

HERE = pathlib.Path(__file__).parent


def save(file_name, tensors, metadata=None):
    """tensors: {name: (dtype, shape, bytes)}"""
    arrays = {name: numpy.frombuffer(data, dtype=numpy.uint8) for name, (_, _, data) in tensors.items()}
    specs = {
        name: TensorSpec(dtype=dtype, shape=shape, data_ptr=arrays[name].ctypes.data, data_len=len(data))
        for name, (dtype, shape, data) in tensors.items()
    }
    (HERE / file_name).write_bytes(serialize(specs, metadata))


def pattern(name, count):
    return bytes((7 * i + 13 * len(name.encode())) % 256 for i in range(count))


# Every type that the Python interface can write, several tensors of some, scalars, empty tensors, names and a metadata
# value that need escapes. The interface doubles the last extent of float4 tensors.
all_types = {}
for dtype, size in [
    ("bool", 1), ("int8", 1), ("uint8", 1), ("int16", 2), ("uint16", 2), ("int32", 4), ("uint32", 4), ("int64", 8),
    ("uint64", 8), ("float16", 2), ("float32", 4), ("float64", 8), ("bfloat16", 2), ("float8_e4m3fn", 1),
    ("float8_e4m3fnuz", 1), ("float8_e5m2", 1), ("float8_e5m2fnuz", 1), ("float8_e8m0fnu", 1),
    ("float4_e2m1fn_x2", 1), ("complex64", 8),
]:
    all_types["z." + dtype] = (dtype, [3, 5], pattern("z." + dtype, 15 * size))
for name, dtype, shape, size in [
    ("scalar", "float32", [], 4),
    ("empty", "float32", [0], 0),
    ("empty.2", "float64", [4, 0, 7], 0),
    ("a", "float32", [2, 1, 3], 24),
    ("B", "float32", [1], 4),
    ("layer.10.weight", "float16", [4], 8),
    ("layer.2.weight", "float16", [4], 8),
    ('quote " and \\ and /', "uint8", [3], 3),
    ("größe 😀", "int16", [1], 2),
]:
    all_types[name] = (dtype, shape, pattern(name, size))
save("reference_types.safetensors", all_types, {"note": 'tab\t line\n quote" back\\ slash/ bell\x07 del\x7f ü 😀'})

nan, inf = float("nan"), float("inf")
values = {
    "f32": ("float32", [2, 3], numpy.array([1.5, -0.0, 1e-45, 3.4028234663852886e38, -2.0, 0.1], "<f4").tobytes()),
    "f16": ("float16", [5], numpy.array([1.0, -2.5, 65504.0, 2.0**-24, 0.333251953125], "<f2").tobytes()),
    "bf16": ("bfloat16", [4], numpy.array([0x3F80, 0xC040, 0x0001, 0x7F7F], "<u2").tobytes()),
    "f64": ("float64", [4], numpy.array([0.1, -1e300, 1.0 + 2.0**-24, 2.0], "<f8").tobytes()),
    "flawed": ("float32", [2, 2, 2], numpy.array([0, 1, 2, 3, 4, nan, 6, -inf], "<f4").tobytes()),
    "bool": ("bool", [3], bytes([1, 0, 1])),
    "not bool": ("bool", [3], bytes([1, 0, 2])),
    "i8": ("int8", [2], numpy.array([-128, 127], "<i1").tobytes()),
    "u8": ("uint8", [2], numpy.array([0, 255], "<u1").tobytes()),
    "i16": ("int16", [2], numpy.array([-(2**15), 2**15 - 1], "<i2").tobytes()),
    "u16": ("uint16", [2], numpy.array([0, 2**16 - 1], "<u2").tobytes()),
    "i32": ("int32", [2], numpy.array([-(2**31), 2**31 - 1], "<i4").tobytes()),
    "u32": ("uint32", [2], numpy.array([0, 2**32 - 1], "<u4").tobytes()),
    "i64": ("int64", [2], numpy.array([-(2**63), 2**63 - 1], "<i8").tobytes()),
    "u64": ("uint64", [2], numpy.array([0, 2**64 - 1], "<u8").tobytes()),
}
save("reference_values.safetensors", values)
save("reference_empty.safetensors", {})

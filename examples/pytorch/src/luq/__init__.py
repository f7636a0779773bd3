# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""luq for PyTorch: layerwise ultra-low-bit quantization of multimodal language models.

Activations go into accumulators (`ActivationEntropy`, `Hessian`), entropies make an order of layers, an order and a
budget make a `Plan`, weights and Hessians make `PackedMatrix`es by the plan's recipes, and `PackedLinear` multiplies
them. `luq.calibrate` and the modules beside it do this for checkpoints of LLaVA and Qwen2.5-VL, one layer at a time.
"""

from luq._luq import (
    DEFAULT_NORM_CLIP,
    ActivationEntropy,
    EntropyEstimate,
    Error,
    Hessian,
    LayerEntropy,
    LinearInputs,
    LinearShape,
    PackedMatrix,
    PackedModel,
    PackedModelSize,
    Plan,
    PrefixPolicy,
    QuantizeReport,
    __version__,
    bits_per_weight,
    codec_families,
    current_kernels,
    highest_entropy_first,
    kernels,
    lowest_entropy_first,
    nominal_bits,
    packed_bytes,
    quantize,
    random_order,
    recipe_name,
    relative_output_error,
    require_output_folder,
    require_outputs,
    set_threads,
    stored_name,
    threads,
    write_packed_model,
)
from luq.device_hessian import DeviceHessian
from luq.layer_statistics import LayerStatistics
from luq.norm_weights import norm_weights
from luq.packed_linear import PackedLinear, use_packed_decoder
from luq.policy import choose_plan, named_order
from luq.token_class import TokenClass, token_classes

__all__ = [
    "DEFAULT_NORM_CLIP",
    "ActivationEntropy",
    "DeviceHessian",
    "EntropyEstimate",
    "Error",
    "Hessian",
    "LayerEntropy",
    "LayerStatistics",
    "LinearInputs",
    "LinearShape",
    "PackedLinear",
    "PackedMatrix",
    "PackedModel",
    "PackedModelSize",
    "Plan",
    "PrefixPolicy",
    "QuantizeReport",
    "TokenClass",
    "__version__",
    "bits_per_weight",
    "choose_plan",
    "codec_families",
    "current_kernels",
    "highest_entropy_first",
    "kernels",
    "lowest_entropy_first",
    "named_order",
    "nominal_bits",
    "norm_weights",
    "packed_bytes",
    "quantize",
    "random_order",
    "recipe_name",
    "relative_output_error",
    "require_output_folder",
    "require_outputs",
    "set_threads",
    "stored_name",
    "threads",
    "token_classes",
    "use_packed_decoder",
    "write_packed_model",
]

"""What the processor at hand computes fast."""

from functools import cache
from pathlib import Path

import torch

CPU_INFO = Path("/proc/cpuinfo")
BF16_FLAGS = {"avx512_bf16", "amx_bf16", "bf16"}  # the last is ARM's name


@cache
def has_fast_bf16(device_type: str) -> bool:
    """Whether matrices multiply faster in bf16 than in float32; without the instructions they take much longer."""
    if device_type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return bool(BF16_FLAGS & set(CPU_INFO.read_text().split())) if CPU_INFO.exists() else False

"""Muon: momentum whose update is made orthogonal, for matrices and for convolutions read as (out, in * k * k).

Reference: K. Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024; the update is scaled to
the size of AdamW's as in "Muon is Scalable for LLM Training", arXiv 2502.16982. PyTorch's own takes no convolutions
and iterates in bf16 on every processor.
"""

import torch
from torch import Tensor

from .processor import has_fast_bf16

ITERATIONS = 4
# odd quintic that drives singular values towards 1; from the reference
LINEAR, CUBIC, QUINTIC = 3.4445, -4.7750, 2.0315
ADAMW_RMS = 0.2  # root mean square of a typical AdamW update


def orthogonalize(matrix: Tensor, dtype: torch.dtype) -> Tensor:
    """Newton-Schulz iteration in `dtype`: the same singular vectors, all singular values near 1."""
    is_tall = matrix.shape[0] > matrix.shape[1]
    x = (matrix.T if is_tall else matrix).to(dtype)
    x = x / x.norm().clamp(min=1e-7)
    for _ in range(ITERATIONS):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=CUBIC, alpha=QUINTIC), x, beta=LINEAR)
    return (x.T if is_tall else x).to(matrix.dtype)


class Muon(torch.optim.Optimizer):
    def __init__(self, params, lr: float = 1e-3, momentum: float = 0.95, weight_decay: float = 0.05):
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure=None) -> None:
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self.update(parameter, group)

    def update(self, parameter: Tensor, group: dict) -> None:
        state = self.state[parameter]
        if not state:
            state["momentum_buffer"] = torch.zeros_like(parameter)
        average, gradient = state["momentum_buffer"], parameter.grad
        average.lerp_(gradient, 1 - group["momentum"])
        matrix = gradient.lerp(average, group["momentum"]).flatten(1)
        dtype = torch.bfloat16 if has_fast_bf16(parameter.device.type) else torch.float32
        direction = orthogonalize(matrix, dtype).reshape(parameter.shape)
        parameter.mul_(1 - group["lr"] * group["weight_decay"])
        parameter.add_(direction, alpha=-group["lr"] * ADAMW_RMS * max(matrix.shape) ** 0.5)

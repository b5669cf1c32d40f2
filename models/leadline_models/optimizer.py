"""Muon for matrices and convolutions, AdamW for everything else, and the schedule they share."""

import torch
from torch import Tensor, nn

from .muon import Muon

ENCODER_PREFIX = "pretrained."


def build_optimizers(network: nn.Module, learning_rate: float, encoder_factor: float) -> list[torch.optim.Optimizer]:
    """`encoder_factor` scales the encoder's learning rate. Each group keeps its peak under "peak_lr"."""

    def groups(is_wanted, rate: float) -> list[dict]:
        result = []
        for is_encoder, factor in ((True, encoder_factor), (False, 1.0)):
            parameters = [
                p
                for name, p in network.named_parameters()
                if name.startswith(ENCODER_PREFIX) == is_encoder and is_wanted(p)
            ]
            result.append({"params": parameters, "lr": rate * factor, "peak_lr": rate * factor})
        return result

    return [
        Muon(groups(is_hidden_weight, 2 * learning_rate)),
        torch.optim.AdamW(
            groups(lambda p: not is_hidden_weight(p), learning_rate), betas=(0.9, 0.98), weight_decay=0.01
        ),
    ]


def is_hidden_weight(parameter: Tensor) -> bool:
    """A matrix or a convolution, but not the last one, which has few outputs, nor tables that lead with a 1."""
    return parameter.ndim in (2, 4) and parameter.shape[0] >= 8


def set_rate(optimizers: list[torch.optim.Optimizer], factor: float) -> None:
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = group["peak_lr"] * factor


def rate_factor(step: int, steps: int, warm_up: int, final_factor: float) -> float:
    """Linear warm-up from a small rate, then linearly down to `final_factor`. By steps, never by the clock."""
    if step < warm_up:
        return (step + 1) / warm_up
    return 1 + (final_factor - 1) * (step - warm_up) / max(1, steps - warm_up)


class Ema:
    """Running average of the weights: what is evaluated and exported."""

    def __init__(self, network: nn.Module, decay: float):
        self.decay = decay
        self.weights = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        # young averages forget faster, so that the first weights do not linger
        decay = min(self.decay, (step + 1) / (step + 10))
        state = network.state_dict()
        torch._foreach_lerp_(list(self.weights.values()), [state[name] for name in self.weights], 1 - decay)

"""A convolution with batch normalisation, for training, that becomes a plain one with a bias for everything else.

Keys of a training state are `X.weight`, `X.bias`, `X.gain`, `X.mean`, `X.variance`; folded, the first two remain.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

EPSILON = 1e-5
MOMENTUM = 0.05  # of the running statistics
NORM_KEYS = (".gain", ".mean", ".variance")


class NormedConv(nn.Conv2d):
    """In training mode normalises by the batch, else by running statistics. `bias` comes after the normalisation."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, stride: int = 1, padding: int = 0):
        super().__init__(in_channels, out_channels, kernel, stride, padding)
        self.gain = nn.Parameter(torch.ones(out_channels))
        self.register_buffer("mean", torch.zeros(out_channels))
        self.register_buffer("variance", torch.ones(out_channels))

    def forward(self, x: Tensor) -> Tensor:
        plain = self._conv_forward(x, self.weight, None)
        return F.batch_norm(plain, self.mean, self.variance, self.gain, self.bias, self.training, MOMENTUM, EPSILON)


def conv(in_channels: int, out_channels: int, kernel: int, stride: int = 1, *, normed: bool) -> nn.Conv2d:
    """Padded so that stride 1 keeps the size and stride 2 halves it."""
    kind = NormedConv if normed else nn.Conv2d
    return kind(in_channels, out_channels, kernel, stride, padding=kernel // 2)


def use_batch_statistics(module: nn.Module, enabled: bool) -> None:
    for part in module.modules():
        if isinstance(part, NormedConv):
            part.training = enabled


def is_normed(state: dict[str, Tensor]) -> bool:
    return any(key.endswith(".gain") for key in state)


def fold(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """A training state as that of the network with plain convolutions; others pass unchanged."""
    folded = {key: tensor for key, tensor in state.items() if not key.endswith(NORM_KEYS)}
    for key, gain in state.items():
        if key.endswith(".gain"):
            name = key.removesuffix(".gain")
            scale = gain.float() / (state[f"{name}.variance"].float() + EPSILON).sqrt()
            folded[f"{name}.weight"] = state[f"{name}.weight"].float() * scale[:, None, None, None]
            folded[f"{name}.bias"] = state[f"{name}.bias"].float() - state[f"{name}.mean"].float() * scale
    return folded


def unfold(network: nn.Module, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """A state with plain convolutions as one that `network` takes, with the same results in evaluation mode.

    The statistics are made up: `calibrate` before training.
    """
    result = dict(state)
    for name, part in network.named_modules():
        if isinstance(part, NormedConv) and f"{name}.gain" not in state:
            result[f"{name}.gain"] = torch.full_like(part.gain, (1 + EPSILON) ** 0.5)
            result[f"{name}.mean"], result[f"{name}.variance"] = torch.zeros_like(part.mean), torch.ones_like(part.mean)
    return result


@torch.no_grad()
def calibrate(network: nn.Module, run) -> None:
    """Sets every mean and variance to what `run()` shows, and gain and bias so that results stay as they were.

    After that training, which normalises by the batch, starts from the function that evaluation computes.
    """

    def measure(part: NormedConv, inputs: tuple[Tensor]) -> None:
        plain = part._conv_forward(inputs[0], part.weight, None)
        mean, variance = plain.mean((0, 2, 3)), plain.var((0, 2, 3))
        scale = part.gain / (part.variance + EPSILON).sqrt()
        part.bias.add_((mean - part.mean) * scale)
        part.gain.copy_(scale * (variance + EPSILON).sqrt())
        part.mean.copy_(mean)
        part.variance.copy_(variance)

    parts = [part for part in network.modules() if isinstance(part, NormedConv)]
    hooks = [part.register_forward_pre_hook(measure) for part in parts]
    use_batch_statistics(network, False)
    run()
    for hook in hooks:
        hook.remove()

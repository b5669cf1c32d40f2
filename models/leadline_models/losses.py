"""What training minimises. All maps are inverse depth; predictions are raw, before the closing ReLU.

The spatial term is a *direct* regression to a normalised target. The scale-and-shift-invariant loss of the
literature normalises the prediction as well, and from random weights that rewards a constant.
"""

from torch import Tensor

OFFSET = 4.0  # where the target's median sits, so that what matters stays above the closing ReLU
TARGET_RANGE = (-4.0, 8.0)  # in deviations around the median; beyond it the target is clamped


def median_and_deviation(maps: Tensor) -> tuple[Tensor, Tensor]:
    """(B, H, W) -> median and mean absolute deviation from it, each (B, 1, 1)."""
    pixels = maps.flatten(1)
    median = pixels.median(1, keepdim=True).values
    deviation = (pixels - median).abs().mean(1, keepdim=True).clamp(min=1e-3)
    return median[..., None], deviation[..., None]


def clip_target(inverse_depth: Tensor) -> Tensor:
    """(B, T, H, W) -> regression target of the same shape.

    The first frame alone sets a clip's scale and shift: that is all a causal network can know, and carrying
    it on is what its memory is for.
    """
    median, deviation = median_and_deviation(inverse_depth[:, 0])
    return ((inverse_depth - median[:, None]) / deviation[:, None]).clamp(*TARGET_RANGE)


def gradient_matching(difference: Tensor) -> Tensor:
    """L1 of the difference's gradients at strides 1, 2, 4, 8: (..., H, W) -> scalar."""
    total = difference.new_zeros(())
    for stride in (1, 2, 4, 8):
        coarse = difference[..., ::stride, ::stride]
        horizontal = (coarse[..., 1:] - coarse[..., :-1]).abs().sum()
        vertical = (coarse[..., 1:, :] - coarse[..., :-1, :]).abs().sum()
        total = total + (horizontal + vertical) / coarse.numel()
    return total


def direct_loss(prediction: Tensor, target: Tensor, gradient_weight: float) -> tuple[Tensor, Tensor]:
    """-> the loss and, for the log, its L1 part alone."""
    difference = prediction - OFFSET - target
    error = difference.abs().mean()
    return error + gradient_weight * gradient_matching(difference), error


def least_squares(source: Tensor, goal: Tensor) -> tuple[Tensor, Tensor]:
    """Scale and shift that take source to goal, over the last axis: (..., P) -> (..., 1) each."""
    source_mean, goal_mean = source.mean(-1, keepdim=True), goal.mean(-1, keepdim=True)
    covariance = ((source - source_mean) * (goal - goal_mean)).mean(-1, keepdim=True)
    variance = (source - source_mean).square().mean(-1, keepdim=True).clamp(min=1e-6)
    scale = covariance / variance
    return scale, goal_mean - scale * source_mean


def temporal_gradient_matching(prediction: Tensor, truth: Tensor) -> Tensor:
    """VDA's TGM, (B, T, H, W): after one fit per clip, a pixel changes over time as the truth does.

    Only where the truth changes little: elsewhere an edge has passed, and half a pixel decides.
    """
    scale, shift = least_squares(prediction.flatten(1), truth.flatten(1))
    fitted = prediction * scale[..., None, None] + shift[..., None, None]
    change = truth[:, 1:] - truth[:, :-1]
    span = truth.amax((2, 3)) - truth.amin((2, 3))
    is_calm = change.abs() < 0.05 * span[:, 1:, None, None]
    _, deviation = median_and_deviation(truth.flatten(1, 2))
    return (((fitted[:, 1:] - fitted[:, :-1]) - change).abs() * is_calm / deviation[:, None]).mean()


def scale_shift_consistency(prediction: Tensor, truth: Tensor) -> Tensor:
    """SaSCon, transfer form, (B, T, H, W): the fit of one frame must hold for the next."""
    scale, shift = least_squares(prediction.flatten(2), truth.flatten(2))  # (B, T, 1)
    carried = prediction[:, 1:] * scale[:, :-1, :, None] + shift[:, :-1, :, None]
    _, deviation = median_and_deviation(truth.flatten(1, 2))
    return ((carried - truth[:, 1:]).abs() / deviation[:, None]).clamp(max=8).mean()

"""What training minimises. All maps are inverse depth; predictions are raw, before the closing ReLU.

In the truth 0 is infinitely far and counts, below 0 nothing is known and nothing is asked.

From random weights the spatial term is a *direct* regression to a normalised target: the scale-and-shift-
invariant loss of the literature normalises the prediction as well, which then rewards a constant.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

OFFSET = 4.0  # where the direct target's median sits, so that what matters stays above the closing ReLU
TARGET_RANGE = (-4.0, 8.0)  # in deviations around the median; beyond it the direct target is clamped
EDGE_STEP = 0.25  # in deviations, between neighbours: a larger one is an edge
EDGE_FACTOR = 20.0
MIN_SCALE = 1e-4  # below it a frame's fit is upside down or flat, and its logarithm means nothing


@dataclass(frozen=True)
class GradientWeights:
    everywhere: float  # of `gradient_matching`
    edges: float = 0.0  # of `edge_matching`


def valid_pixels(truth: Tensor) -> Tensor:
    return truth >= 0


def mean_over(values: Tensor, valid: Tensor) -> Tensor:
    return (values * valid).sum() / valid.sum().clamp(min=1)


def median_and_deviation(maps: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """(B, H, W) -> median and mean absolute deviation from it over valid pixels, each (B, 1, 1)."""
    pixels, known = maps.flatten(1), valid.flatten(1)
    median = pixels.masked_fill(~known, torch.nan).nanmedian(1, keepdim=True).values.nan_to_num(0.0)
    spread = ((pixels - median).abs() * known).sum(1, keepdim=True)
    deviation = (spread / known.sum(1, keepdim=True).clamp(min=1)).clamp(min=1e-3)
    return median[..., None], deviation[..., None]


def clip_target(truth: Tensor) -> Tensor:
    """(B, T, H, W) -> what `direct_loss` regresses to, same shape, its median at zero.

    The first frame alone sets a clip's scale and shift: that is all a causal network can know, and carrying
    it on is what its memory is for.
    """
    first = truth[:, 0]
    median, deviation = median_and_deviation(first, valid_pixels(first))
    return ((truth - median[:, None]) / deviation[:, None]).clamp(*TARGET_RANGE)


def gradient_matching(difference: Tensor, valid: Tensor) -> Tensor:
    """L1 of the difference's gradients at strides 1, 2, 4, 8: (..., H, W) -> scalar."""
    total = difference.new_zeros(())
    for stride in (1, 2, 4, 8):
        coarse, known = difference[..., ::stride, ::stride], valid[..., ::stride, ::stride]
        horizontal = (coarse[..., 1:] - coarse[..., :-1]).abs() * (known[..., 1:] & known[..., :-1])
        vertical = (coarse[..., 1:, :] - coarse[..., :-1, :]).abs() * (known[..., 1:, :] & known[..., :-1, :])
        total = total + (horizontal.sum() + vertical.sum()) / known.sum().clamp(min=1)
    return total


def edge_matching(difference: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    """L1 of the difference's gradient between neighbours, twenty times where the target has an edge: (..., H, W).

    An L1 of depth alone is least for a blurred edge wherever the network is unsure of its place.
    """
    total = difference.new_zeros(())
    for axis in (-1, -2):
        length = difference.shape[axis] - 1
        known = valid.narrow(axis, 1, length) & valid.narrow(axis, 0, length)
        weights = known * torch.where(target.diff(dim=axis).abs() > EDGE_STEP, EDGE_FACTOR, 1.0)
        total = total + (difference.diff(dim=axis).abs() * weights).sum() / weights.sum().clamp(min=1)
    return total


def direct_loss(prediction: Tensor, truth: Tensor, weights: GradientWeights) -> tuple[Tensor, Tensor]:
    """(B, T, H, W) -> the loss and, for the log, its L1 part alone."""
    target = clip_target(truth)
    return spatial_loss(prediction - OFFSET - target, target, valid_pixels(truth), weights)


def ssi_loss(prediction: Tensor, truth: Tensor, weights: GradientWeights) -> tuple[Tensor, Tensor]:
    """Scale-and-shift-invariant: both sides normalised, every frame on its own."""
    valid = valid_pixels(truth).flatten(0, 1)

    def normalized(maps: Tensor) -> Tensor:
        median, deviation = median_and_deviation(maps, valid)
        return (maps - median) / deviation

    target = normalized(truth.flatten(0, 1))
    return spatial_loss(normalized(prediction.flatten(0, 1)) - target, target, valid, weights)


def spatial_loss(difference: Tensor, target: Tensor, valid: Tensor, weights: GradientWeights) -> tuple[Tensor, Tensor]:
    error = mean_over(difference.abs(), valid)
    loss = error + weights.everywhere * gradient_matching(difference, valid)
    if weights.edges:
        loss = loss + weights.edges * edge_matching(difference, target, valid)
    return loss, error


def least_squares(source: Tensor, goal: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """Scale and shift that take source to goal over the valid places of the last axis: (..., P) -> (..., 1) each."""
    count = valid.sum(-1, keepdim=True).clamp(min=1)

    def mean(values: Tensor) -> Tensor:
        return (values * valid).sum(-1, keepdim=True) / count

    source_mean, goal_mean = mean(source), mean(goal)
    covariance = mean((source - source_mean) * (goal - goal_mean))
    variance = mean((source - source_mean).square()).clamp(min=1e-6)
    scale = covariance / variance
    return scale, goal_mean - scale * source_mean


def clip_deviation(truth: Tensor) -> Tensor:
    """Mean absolute deviation over a whole clip, (B, T, H, W) -> (B, 1, 1, 1)."""
    return median_and_deviation(truth.flatten(1, 2), valid_pixels(truth).flatten(1, 2))[1][:, None]


def temporal_gradient_matching(prediction: Tensor, truth: Tensor) -> Tensor:
    """VDA's TGM, (B, T, H, W): after one fit per clip, a pixel changes over time as the truth does.

    Only where the truth changes little: elsewhere an edge has passed, and half a pixel decides.
    """
    valid = valid_pixels(truth)
    scale, shift = least_squares(prediction.flatten(1), truth.flatten(1), valid.flatten(1))
    fitted = prediction * scale[..., None, None] + shift[..., None, None]
    change = truth[:, 1:] - truth[:, :-1]
    span = truth.amax((2, 3)) - truth.masked_fill(~valid, torch.inf).amin((2, 3))
    is_calm = change.abs() < 0.05 * span[:, 1:, None, None]
    error = ((fitted[:, 1:] - fitted[:, :-1]) - change).abs() / clip_deviation(truth)
    return mean_over(error * is_calm, valid[:, 1:] & valid[:, :-1])


def frame_fits(prediction: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    """Scale and shift of each frame on its own: (B, T, H, W) -> (B, T, 1) each."""
    return least_squares(prediction.flatten(2), truth.flatten(2), valid_pixels(truth).flatten(2))


def transfer_consistency(prediction: Tensor, truth: Tensor) -> Tensor:
    """oVDA's SaSCon, form A: the fit of one frame must hold for the next. Its published text gives no formula."""
    scale, shift = frame_fits(prediction, truth)
    carried = prediction[:, 1:] * scale[:, :-1, :, None] + shift[:, :-1, :, None]
    error = ((carried - truth[:, 1:]).abs() / clip_deviation(truth)).clamp(max=8)
    return mean_over(error, valid_pixels(truth[:, 1:]))


def parameter_consistency(prediction: Tensor, truth: Tensor) -> Tensor:
    """SaSCon, form B: scale (as a ratio) and shift (in deviations of the truth) stay from frame to frame."""
    scale, shift = frame_fits(prediction, truth)
    scale_change = scale.clamp(min=MIN_SCALE).log().diff(dim=1).abs()
    shift_change = shift.diff(dim=1).abs() / clip_deviation(truth)[:, :, 0]
    return (scale_change.clamp(max=8) + shift_change.clamp(max=8)).mean()


def anchored_consistency(prediction: Tensor, truth: Tensor) -> Tensor:
    """SaSCon, form C: scale and shift of every frame stay those of the first, to which a viewer's own fit is made.

    Forms A and B compare neighbours, between which a drift over a whole clip is small.
    """
    scale, shift = frame_fits(prediction, truth)
    log_scale = scale.clamp(min=MIN_SCALE).log()
    scale_drift = (log_scale[:, 1:] - log_scale[:, :1]).abs()
    shift_drift = (shift[:, 1:] - shift[:, :1]).abs() / clip_deviation(truth)[:, :, 0]
    return (scale_drift.clamp(max=8) + shift_drift.clamp(max=8)).mean()


SPATIAL_LOSSES = {"direct": direct_loss, "ssi": ssi_loss}
SASCON_FORMS = {
    "none": None,
    "transfer": transfer_consistency,
    "parameter": parameter_consistency,
    "anchored": anchored_consistency,
}

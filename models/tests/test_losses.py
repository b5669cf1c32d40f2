import pytest
import torch

from leadline_models.losses import (
    OFFSET,
    clip_target,
    direct_loss,
    gradient_matching,
    scale_shift_consistency,
    temporal_gradient_matching,
)


@pytest.fixture
def truth() -> torch.Tensor:
    return torch.rand(2, 5, 12, 16, generator=torch.Generator().manual_seed(0)) + 0.1


def test_the_target_ignores_the_scale_of_the_scene(truth):
    torch.testing.assert_close(clip_target(truth), clip_target(7 * truth), rtol=1e-4, atol=1e-5)


def test_the_first_frame_sets_the_scale_of_the_clip(truth):
    later_frames_nearer = torch.cat([truth[:, :1], 2 * truth[:, 1:]], 1)
    torch.testing.assert_close(clip_target(truth)[:, 0], clip_target(later_frames_nearer)[:, 0])
    assert clip_target(later_frames_nearer)[:, 1:].mean() > clip_target(truth)[:, 1:].mean() + 0.5


def test_the_target_itself_costs_nothing(truth):
    loss, error = direct_loss(clip_target(truth) + OFFSET, clip_target(truth), gradient_weight=0.5)
    assert loss < 1e-5 and error < 1e-5


def test_gradient_matching_sees_edges_and_no_offset(truth):
    assert gradient_matching(torch.full_like(truth, 3.0)) == 0
    assert gradient_matching(truth) > 0.1


def test_temporal_losses_accept_any_fixed_scale_and_shift(truth):
    moving_little = truth[:, :1] + 0.01 * truth
    prediction = 3 * moving_little + 1
    assert temporal_gradient_matching(prediction, moving_little) < 1e-4
    assert scale_shift_consistency(prediction, moving_little) < 1e-4


def test_temporal_losses_punish_a_scale_that_wobbles(truth):
    still = truth[:, :1].expand(-1, 5, -1, -1)
    wobble = torch.tensor([1.0, 1.3, 0.8, 1.2, 0.9])[None, :, None, None]
    assert temporal_gradient_matching(still * wobble, still) > 0.05
    assert scale_shift_consistency(still * wobble, still) > 0.05

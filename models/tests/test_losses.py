import pytest
import torch

from leadline_models.losses import (
    OFFSET,
    GradientWeights,
    anchored_consistency,
    clip_target,
    direct_loss,
    edge_matching,
    gradient_matching,
    parameter_consistency,
    ssi_loss,
    temporal_gradient_matching,
    transfer_consistency,
)

TEMPORAL = [temporal_gradient_matching, transfer_consistency, parameter_consistency, anchored_consistency]


@pytest.fixture
def truth() -> torch.Tensor:
    return torch.rand(2, 5, 12, 16, generator=torch.Generator().manual_seed(0)) + 0.1


def everywhere(maps: torch.Tensor) -> torch.Tensor:
    return torch.ones_like(maps, dtype=torch.bool)


def test_the_target_ignores_the_scale_of_the_scene(truth):
    torch.testing.assert_close(clip_target(truth), clip_target(7 * truth), rtol=1e-4, atol=1e-5)


def test_the_first_frame_sets_the_scale_of_the_clip(truth):
    later_frames_nearer = torch.cat([truth[:, :1], 2 * truth[:, 1:]], 1)
    torch.testing.assert_close(clip_target(truth)[:, 0], clip_target(later_frames_nearer)[:, 0])
    assert clip_target(later_frames_nearer)[:, 1:].mean() > clip_target(truth)[:, 1:].mean() + 0.5


def test_the_target_itself_costs_nothing(truth):
    loss, error = direct_loss(clip_target(truth) + OFFSET, truth, GradientWeights(0.5))
    assert loss < 1e-5 and error < 1e-5


def test_the_invariant_loss_accepts_any_scale_and_shift_of_each_frame(truth):
    scale = torch.linspace(0.5, 3, 5)[None, :, None, None]
    loss, _ = ssi_loss(scale * truth + scale, truth, GradientWeights(0.5))
    assert loss < 1e-4
    assert ssi_loss(truth.flip(-1), truth, GradientWeights(0.5))[0] > 0.5


def test_gradient_matching_sees_edges_and_no_offset(truth):
    assert gradient_matching(torch.full_like(truth, 3.0), everywhere(truth)) == 0
    assert gradient_matching(truth, everywhere(truth)) > 0.1


@pytest.mark.parametrize("loss", TEMPORAL)
def test_temporal_losses_accept_any_fixed_scale_and_shift(truth, loss):
    moving_little = truth[:, :1] + 0.01 * truth
    assert loss(3 * moving_little + 1, moving_little) < 1e-4


@pytest.mark.parametrize("loss", TEMPORAL)
def test_temporal_losses_punish_a_scale_that_wobbles(truth, loss):
    still = truth[:, :1].expand(-1, 5, -1, -1)
    wobble = torch.tensor([1.0, 1.3, 0.8, 1.2, 0.9])[None, :, None, None]
    assert loss(still * wobble, still) > 0.05


def test_the_parameter_form_is_the_mean_change_of_scale_and_shift(truth):
    """Scales 1, 1/2, 1 undo a prediction of 1, 2, 1 times the truth: log 2 at each step, and no shift."""
    still = truth[:, :1].expand(-1, 3, -1, -1)
    prediction = still * torch.tensor([1.0, 2.0, 1.0])[None, :, None, None]
    assert parameter_consistency(prediction, still) == pytest.approx(0.6931, abs=1e-3)


def test_the_anchored_form_sees_a_drift_whole_of_which_each_step_is_small(truth):
    """Scales 1, 2, 4, 8, 16 of the first frame's: log 2 a step to form B, log 2 to log 16 to form C."""
    still = truth[:, :1].expand(-1, 5, -1, -1)
    prediction = still * torch.tensor([1.0, 2.0, 4.0, 8.0, 16.0])[None, :, None, None]
    assert parameter_consistency(prediction, still) == pytest.approx(0.6931, abs=1e-2)
    assert anchored_consistency(prediction, still) == pytest.approx(0.6931 * 2.5, abs=1e-2)


def direct_part(prediction, truth):
    return direct_loss(prediction, truth, GradientWeights(0.5))[0]


def ssi_part(prediction, truth):
    return ssi_loss(prediction, truth, GradientWeights(0.5))[0]


@pytest.mark.parametrize("loss", [direct_part, ssi_part, *TEMPORAL])
def test_unknown_pixels_neither_cost_nor_teach(truth, loss):
    prediction = torch.rand(truth.shape, generator=torch.Generator().manual_seed(1))
    holed = truth.clone()
    holed[:, :, 3:7, 2:9] = -1
    elsewhere = prediction.clone()
    elsewhere[:, :, 3:7, 2:9] += 50
    elsewhere.requires_grad_()
    cost = loss(elsewhere, holed)
    torch.testing.assert_close(cost, loss(prediction, holed), rtol=1e-4, atol=1e-5)
    cost.backward()
    assert torch.isfinite(elsewhere.grad).all()
    assert (elsewhere.grad[:, :, 3:7, 2:9] == 0).all()
    assert elsewhere.grad.abs().sum() > 0


@pytest.mark.parametrize("loss", [direct_part, ssi_part, *TEMPORAL])
def test_a_frame_of_which_nothing_is_known_leaves_the_loss_finite(truth, loss):
    truth[:, 0] = -1
    prediction = torch.rand(truth.shape, generator=torch.Generator().manual_seed(1)).requires_grad_()
    cost = loss(prediction, truth)
    cost.backward()
    assert torch.isfinite(cost) and torch.isfinite(prediction.grad).all()


def test_at_an_edge_blur_costs_many_times_what_it_costs_elsewhere():
    step = (torch.arange(16.0) >= 8).float().expand(1, 12, 16)
    blurred = torch.nn.functional.avg_pool1d(torch.nn.functional.pad(step, (2, 2), mode="replicate"), 5, 1)
    at_edge = edge_matching(blurred - step, step, everywhere(step))
    elsewhere = edge_matching(blurred - step, torch.zeros_like(step), everywhere(step))
    assert at_edge > 4 * elsewhere
    assert edge_matching(step - step, step, everywhere(step)) == 0

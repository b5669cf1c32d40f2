import numpy as np
import pytest

from leadline_models.scoring import flicker, score


@pytest.fixture
def truth_inverse() -> np.ndarray:
    return np.random.default_rng(0).uniform(0.1, 2, (4, 10, 12))


@pytest.mark.parametrize("how", ["first", "global", "frame"])
def test_any_affine_copy_of_the_truth_is_perfect(truth_inverse, how):
    result = score(5 * truth_inverse - 3, truth_inverse, how)
    assert result["absRel"] < 1e-6 and result["delta1"] == 1


def test_drift_shows_in_the_first_fit_and_less_in_the_global_one(truth_inverse):
    drifting = truth_inverse * np.linspace(1, 1.5, 4)[:, None, None]
    assert score(drifting, truth_inverse, "first")["absRel"] > score(drifting, truth_inverse, "global")["absRel"]
    assert score(drifting, truth_inverse, "frame")["absRel"] < 1e-6


def test_invalid_pixels_do_not_count(truth_inverse):
    prediction = truth_inverse.copy()
    prediction[:, 0], masked = 50, truth_inverse.copy()
    masked[:, 0] = 0
    assert score(prediction, masked, "global")["absRel"] < 1e-6


def test_a_constant_flickers_as_much_as_the_scene_moves(truth_inverse):
    moving = truth_inverse[:1] + np.array([0, 0.1, 0.2, 0.3])[:, None, None]
    deviation = np.abs(moving - np.median(moving)).mean()
    assert flicker(np.zeros_like(moving), moving) == pytest.approx(0.1 / deviation, rel=1e-6)
    assert flicker(moving, moving) < 1e-9

import numpy as np
import pytest

from leadline_models.edges import edge_score, mean_edge_scores


def step(at: int = 20) -> np.ndarray:
    """A near thing before a far wall: inverse depth (24, 40)."""
    return np.where(np.arange(40) >= at, 1.0, 0.25)[None].repeat(24, 0) + np.linspace(0, 0.01, 24)[:, None]


def blurred(truth: np.ndarray, width: int = 9) -> np.ndarray:
    padded = np.pad(truth, ((0, 0), (width // 2, width // 2)), mode="edge")
    return np.stack([padded[:, x : x + truth.shape[1]] for x in range(width)]).mean(0)


def test_the_truth_itself_in_any_scale_is_as_sharp_as_can_be():
    score = edge_score(3 * step() + 2, step())
    assert score["f1"] == pytest.approx(1) and score["contrast"] == pytest.approx(1)


def test_an_edge_may_lie_one_pixel_off_and_no_more():
    assert edge_score(step(21), step())["f1"] == pytest.approx(1)
    assert edge_score(step(23), step())["f1"] == 0


def test_blur_costs_contrast():
    assert 0.1 < edge_score(blurred(step()), step())["contrast"] < 0.6


def test_edges_beside_unknown_pixels_do_not_count_and_flat_frames_have_none():
    truth = step()
    truth[:, 20:] = 0
    assert edge_score(step(), truth) is None
    assert mean_edge_scores([step(), step()], [truth, step()])["f1"] == pytest.approx(1)
    assert mean_edge_scores([step()], [truth]) == {"f1": 0.0, "contrast": 0.0}

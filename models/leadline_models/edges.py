"""How sharp depth is: whether its edges lie where the true ones do, and how much of their contrast they have.

numpy, one frame (H, W) at a time, on fitted inverse depth. An edge is a jump between neighbours.
"""

import numpy as np

from .scoring import MAX_DEPTH_M, fit, valid_pixels

NEAREST_M = 0.05
EDGE_RATIO = 1.15  # of depths: an edge to be found
STRONG_RATIO = 1.25  # one whose contrast counts
MIN_EDGE_PIXELS = 20  # in a frame with fewer there is nothing to find
DECIMALS = 4


def near(mask: np.ndarray) -> np.ndarray:
    """Pixels of a mask and their eight neighbours."""
    padded = np.pad(mask, 1)
    rows, columns = mask.shape
    return np.any([padded[y : y + rows, x : x + columns] for y in range(3) for x in range(3)], axis=0)


def log_depth(inverse: np.ndarray) -> np.ndarray:
    return -np.log(np.clip(inverse, 1 / MAX_DEPTH_M, 1 / NEAREST_M))


def edge_pixels(logarithm: np.ndarray, known: np.ndarray) -> np.ndarray:
    """The right or lower pixel of every pair that jumps."""
    edges = np.zeros(logarithm.shape, bool)
    for axis in (0, 1):
        ahead = np.moveaxis(edges, axis, 0)[1:]  # a view
        values, sure = np.moveaxis(logarithm, axis, 0), np.moveaxis(known, axis, 0)
        ahead |= (np.abs(np.diff(values, axis=0)) > np.log(EDGE_RATIO)) & sure[1:] & sure[:-1]
    return edges


def contrast(predicted: np.ndarray, truth: np.ndarray, known: np.ndarray) -> float:
    """Change of predicted over that of true log depth, three pixels across strong true edges."""
    got = wanted = 0.0
    for axis in (0, 1):
        p, t, sure = (np.moveaxis(a, axis, 0) for a in (predicted, truth, known))
        step = t[2:-1] - t[1:-2]
        counts = (np.abs(step) > np.log(STRONG_RATIO)) & sure[3:] & sure[2:-1] & sure[1:-2] & sure[:-3]
        got += ((p[3:] - p[:-3]) * np.sign(step))[counts].sum()
        wanted += ((t[3:] - t[:-3]) * np.sign(step))[counts].sum()
    return float(got / max(wanted, 1e-9))


def edge_score(prediction: np.ndarray, truth_inverse: np.ndarray) -> dict[str, float] | None:
    """`f1` of edges that may lie one pixel off, and `contrast`; None for a frame without edges."""
    valid = valid_pixels(truth_inverse)
    known = ~near(~valid)
    scale, shift = fit(prediction, truth_inverse, valid)
    predicted, truth = log_depth(scale * prediction + shift), log_depth(truth_inverse)
    true_edges, found = edge_pixels(truth, known), edge_pixels(predicted, known)
    if true_edges.sum() < MIN_EDGE_PIXELS:
        return None
    recall = (true_edges & near(found)).sum() / true_edges.sum()
    precision = (found & near(true_edges)).sum() / max(found.sum(), 1)
    f1 = 2 * recall * precision / max(recall + precision, 1e-9)
    return {"f1": float(f1), "contrast": contrast(predicted, truth, known)}


def mean_edge_scores(predictions: list[np.ndarray], truths: list[np.ndarray]) -> dict[str, float]:
    """Over frames with edges; zeros where there is none."""
    scores = [score for p, t in zip(predictions, truths) if (score := edge_score(p, t))]
    names = ("f1", "contrast")
    return {name: round(float(np.mean([s[name] for s in scores])), DECIMALS) if scores else 0.0 for name in names}

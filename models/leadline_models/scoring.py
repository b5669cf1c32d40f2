"""The scoring protocol: fit scale and shift in inverse depth, compare depth in metres.

numpy, one sequence at a time. `first` and `global` are the paper's fits, their difference is drift;
`frame` fits every frame on its own and so measures stills.
"""

import numpy as np

MAX_DEPTH_M = 80.0


def fit(prediction: np.ndarray, truth_inverse: np.ndarray, valid: np.ndarray) -> tuple[float, float]:
    """Least squares a * prediction + b = 1 / depth on the valid pixels."""
    x, y = prediction[valid].astype(np.float64), truth_inverse[valid].astype(np.float64)
    variance = x.var()
    scale = ((x - x.mean()) * (y - y.mean())).mean() / variance if variance > 1e-12 else 0.0
    return scale, y.mean() - scale * x.mean()


def fit_sequence(prediction: np.ndarray, truth_inverse: np.ndarray, valid: np.ndarray, how: str) -> np.ndarray:
    """(T, H, W) -> the prediction in the truth's scale."""
    if how == "frame":
        pairs = [fit(p, t, v) for p, t, v in zip(prediction, truth_inverse, valid)]
        return np.stack([a * p + b for (a, b), p in zip(pairs, prediction)])
    scope = {"first": slice(0, 1), "global": slice(None)}[how]
    a, b = fit(prediction[scope], truth_inverse[scope], valid[scope])
    return a * prediction + b


def valid_pixels(truth_inverse: np.ndarray) -> np.ndarray:
    return truth_inverse > 1 / MAX_DEPTH_M


def score(prediction: np.ndarray, truth_inverse: np.ndarray, how: str, skip_first: bool = True) -> dict[str, float]:
    """AbsRel and delta1 of one sequence (T, H, W), pooled over its pixels."""
    valid = valid_pixels(truth_inverse)
    fitted = fit_sequence(prediction, truth_inverse, valid, how)
    if skip_first and len(prediction) > 1:
        fitted, truth_inverse, valid = fitted[1:], truth_inverse[1:], valid[1:]
    depth = np.clip(1 / np.maximum(fitted[valid], 1e-6), 0, MAX_DEPTH_M)
    truth = 1 / truth_inverse[valid]
    ratio = np.maximum(depth / truth, truth / np.maximum(depth, 1e-6))
    return {"absRel": float(np.mean(np.abs(depth - truth) / truth)), "delta1": float(np.mean(ratio <= 1.25))}


def flicker(prediction: np.ndarray, truth_inverse: np.ndarray) -> float:
    """Mean |change of prediction - change of truth| / deviation of truth, after the global fit.

    A constant scores the true motion, so below a constant is where a model begins to be steady.
    """
    valid = valid_pixels(truth_inverse)
    fitted = fit_sequence(prediction, truth_inverse, valid, "global")
    values = truth_inverse[valid]
    deviation = np.abs(values - np.median(values)).mean()
    both = valid[1:] & valid[:-1]
    error = np.abs(np.diff(fitted, axis=0) - np.diff(truth_inverse, axis=0))
    return float(error[both].mean() / max(deviation, 1e-6))


def mean_scores(scores: list[dict[str, float]]) -> dict[str, float]:
    return {name: round(float(np.mean([s[name] for s in scores])), 4) for name in scores[0]}

"""The service's `leadline eval` (TypeScript) scores the same fixture in test/cli/eval/scoring-fixture.test.ts.

After a change of the protocol: python models/tests/test_scoring_fixture.py writes it anew.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from leadline_models.scoring import flicker, score

FIXTURE = Path(__file__).parents[2] / "test" / "fixtures" / "scoring.json"


def measure(prediction: np.ndarray, depth_m: np.ndarray) -> dict:
    inverse = np.where(depth_m > 0, 1 / np.where(depth_m > 0, depth_m, 1), 0)
    return {
        "first": score(prediction, inverse, "first"),
        "global": score(prediction, inverse, "global"),
        "flicker": flicker(prediction, inverse),
    }


def make_sequence() -> tuple[np.ndarray, np.ndarray]:
    """Four frames of 6 x 7: a drifting, noisy prediction; unknown depth; fits below zero; depth beyond 80 m."""
    rng = np.random.default_rng(5)
    inverse = rng.uniform(0.02, 2, (4, 6, 7)) ** 2
    drift = np.linspace(1, 1.4, 4)[:, None, None]
    prediction = 3 * inverse * drift + 0.7 + rng.normal(0, 0.4, inverse.shape)
    depth_m = np.round(1 / inverse, 3)
    depth_m[rng.random(depth_m.shape) < 0.15] = 0
    return np.round(prediction, 3), depth_m


@pytest.mark.parametrize("key", ["first", "global", "flicker"])
def test_the_fixture_holds_what_this_scoring_gives(key):
    fixture = json.loads(FIXTURE.read_text())
    found = measure(np.array(fixture["prediction"]), np.array(fixture["depthM"]))
    assert found[key] == pytest.approx(fixture[key], rel=1e-9)


if __name__ == "__main__":
    prediction, depth_m = make_sequence()
    content = {"prediction": prediction.tolist(), "depthM": depth_m.tolist(), **measure(prediction, depth_m)}
    FIXTURE.write_text(json.dumps(content) + "\n")

"""The network against outputs of the official Video Depth Anything code, on a small seeded checkpoint.

The reference data is not part of the repository; it lies beside it, in ../shared/data/golden.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from leadline_models.architecture import Architecture
from leadline_models.latent_cache import AnchoredCache, LatentCache
from leadline_models.network import VideoDepthNetwork, normalize_image
from leadline_models.weights import load_state, read_weights

GOLDEN = Path(__file__).parents[3] / "shared" / "data" / "golden"
TOLERANCE = 1e-4  # of the largest reference value

pytestmark = pytest.mark.skipif(not GOLDEN.is_dir(), reason=f"no reference data in {GOLDEN}")


@pytest.fixture(scope="module")
def network() -> VideoDepthNetwork:
    network = VideoDepthNetwork(Architecture.from_json(json.loads((GOLDEN / "config.json").read_text()))).eval()
    load_state(network, read_weights(GOLDEN / "checkpoint.pth"))
    return network


@pytest.fixture(scope="module")
def frames() -> torch.Tensor:
    return normalize_image(torch.from_numpy(np.load(GOLDEN / "frames_140x196.npy")).permute(0, 3, 1, 2))


def relative_error(actual: torch.Tensor, reference: np.ndarray) -> float:
    return float(np.abs(actual.numpy() - reference).max() / np.abs(reference).max())


@torch.inference_mode()
def test_a_single_frame_gives_the_reference_depth(network, frames):
    reference = np.load(GOLDEN / "depth_single_140x196.npy")
    assert relative_error(network.forward_single(frames[[0, 47]]), reference) < TOLERANCE


@pytest.mark.parametrize(
    ("mode", "cache"),
    [
        ("ovda-c16-strict", LatentCache(16)),
        ("ovda-c8-strict", LatentCache(8)),
        ("ovda-c16-self", LatentCache(16, attend_self=True)),
        ("vda-stream31", AnchoredCache()),
    ],
)
@torch.inference_mode()
def test_a_stream_gives_the_reference_depth(network, frames, mode, cache):
    reference = np.load(GOLDEN / f"depth_{mode}_140x196.npy")
    depths = []
    for frame in frames:
        depth, cache = network.step(frame[None], cache)
        depths.append(depth)
    assert relative_error(torch.cat(depths), reference) < TOLERANCE


@torch.inference_mode()
def test_a_window_gives_the_reference_depth(network, frames):
    reference = np.load(GOLDEN / "depth_vda-window32_140x196.npy")
    assert relative_error(network.forward_window(frames[None, :32])[0], reference) < TOLERANCE

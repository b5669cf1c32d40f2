"""The goldens' weights in the official layout, and what distinguishes the modes."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from leadline_models.architecture import TINY, VITS, Architecture
from leadline_models.golden import golden_depth, golden_network, official_state
from leadline_models.latent_cache import AnchoredCache
from leadline_models.network import VideoDepthNetwork, normalize_image
from leadline_models.weights import load_state, read_weights

FIXTURES = Path(__file__).parents[2] / "test" / "fixtures"


def test_the_official_layout_has_all_its_keys():
    state = official_state(VideoDepthNetwork(VITS))
    assert len(state) == 351
    assert sum(tensor.numel() for name, tensor in state.items() if not name.endswith(".pe")) == 29_035_137


@torch.inference_mode()
def test_the_first_frame_of_vda_stream_stays_and_frames_from_the_middle_leave():
    network = golden_network(TINY)
    cache = AnchoredCache()
    images = torch.randn(50, 1, 3, 42, 42, generator=torch.Generator().manual_seed(1))
    first_windows = []
    for image in images:
        _, cache = network.step(image, cache)
        first_windows.append(cache.windows[0])
    stored = first_windows[-1]
    assert stored.shape[1] == 42
    newest = [window[:, -1] for window in first_windows]
    expected = torch.stack([newest[0], *newest[9:]], dim=1)
    torch.testing.assert_close(stored, expected)


@torch.inference_mode()
def test_a_window_sees_what_comes_later():
    network = golden_network(TINY)
    clip = torch.randn(1, 6, 3, 42, 42, generator=torch.Generator().manual_seed(2))
    before = network.forward_window(clip)
    clip[:, 5] += 1
    change = (network.forward_window(clip) - before).abs().amax((0, 2, 3))
    assert (change > 0).all()


@pytest.mark.parametrize(
    ("fixture", "mode", "size"),
    [("golden-nano", "ovda-c8-strict", "42x56"), ("golden-conv", "ovda-c8-strict", "32x64"),
     ("golden-conv", "vda-window32", "32x64"), ("golden-conv", "single", "64x96")],
)  # fmt: skip
@torch.inference_mode()
def test_the_fixtures_are_what_the_networks_of_today_give(fixture, mode, size):
    folder = FIXTURES / fixture
    network = VideoDepthNetwork(Architecture.from_json(json.loads((folder / "config.json").read_text()))).eval()
    load_state(network, read_weights(folder / "model.safetensors"))
    network.double()
    images = normalize_image(torch.from_numpy(np.load(folder / f"frames_{size}.npy")).permute(0, 3, 1, 2)).double()
    expected = torch.from_numpy(np.load(folder / f"depth_{mode}_{size}.npy"))
    depth = golden_depth(network, images, mode, whole=False)
    assert (depth - expected).abs().max() < 1e-4 * expected.max()

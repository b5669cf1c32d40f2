"""The goldens' weights in the official layout, and what distinguishes the modes."""

import torch

from leadline_models.architecture import TINY, VITS
from leadline_models.golden import golden_network, official_state
from leadline_models.latent_cache import AnchoredCache
from leadline_models.network import VideoDepthNetwork


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

import numpy as np
import pytest
import torch

from leadline_models.architecture import VITS
from leadline_models.latent_cache import LatentCache
from leadline_models.network import VideoDepthNetwork, normalize_image

FRAMES = 11


def clip(batch: int = 2, frames: int = FRAMES, height: int = 42, width: int = 56) -> torch.Tensor:
    return torch.randn(batch, frames, 3, height, width, generator=torch.Generator().manual_seed(1))


def stream(network, frames, cache_size, attend_self=False) -> torch.Tensor:
    cache, depths = LatentCache(cache_size, attend_self), []
    for t in range(frames.shape[1]):
        depth, cache = network.step(frames[:, t], cache)
        depths.append(depth)
    return torch.stack(depths, 1)


@pytest.mark.parametrize("attend_self", [False, True])
@pytest.mark.parametrize("cache_size", [2, 4, FRAMES, 16])
@torch.inference_mode()
def test_a_stream_equals_a_masked_clip(tiny_network, cache_size, attend_self):
    frames = clip()
    streamed = stream(tiny_network, frames, cache_size, attend_self)
    at_once = tiny_network.forward_clip(frames, cache_size, attend_self)
    assert (streamed - at_once).abs().max() < 1e-4 * streamed.abs().max()


# the ends of the range that training draws from, and four drawn between them
LONG_CLIP_WINDOWS = [4, *sorted(np.random.default_rng(64).choice(np.arange(5, 16), 4, replace=False).tolist()), 16]


@pytest.mark.parametrize("cache_size", LONG_CLIP_WINDOWS)
@torch.inference_mode()
def test_a_stream_of_64_frames_equals_a_banded_clip(tiny_network, cache_size):
    frames = clip(batch=1, frames=64)
    streamed = stream(tiny_network, frames, cache_size)
    at_once = tiny_network.forward_clip(frames, cache_size)
    assert streamed.std() > 0.01  # depth varies, so that equality says something
    assert (streamed - at_once).abs().max() < 1e-4 * streamed.abs().max()


@torch.inference_mode()
def test_without_the_causal_mask_the_future_changes_the_present(tiny_network):
    frames = clip()
    before = tiny_network.raw_clip(frames, cache_size=4, causal=False)
    frames[:, -1] += 1
    change = (tiny_network.raw_clip(frames, cache_size=4, causal=False) - before).abs().amax((0, 2, 3))
    assert (change > 0).all()


@torch.inference_mode()
def test_the_past_changes_the_present_and_the_future_does_not(tiny_network):
    frames = clip()
    before = tiny_network.forward_clip(frames, cache_size=8)
    frames[:, 5] += 1
    change = (tiny_network.forward_clip(frames, cache_size=8) - before).abs().amax((0, 2, 3))
    assert (change[:5] == 0).all()
    assert (change[5:] > 0).all()


@torch.inference_mode()
def test_streams_in_one_batch_do_not_touch_each_other(tiny_network):
    frames = clip()
    together = stream(tiny_network, frames, cache_size=4)
    alone = stream(tiny_network, frames[1:], cache_size=4)
    torch.testing.assert_close(together[1:], alone, rtol=1e-4, atol=1e-5)


@torch.inference_mode()
def test_a_step_leaves_the_cache_it_was_given_as_it_was(tiny_network):
    frames = clip()
    _, cache = tiny_network.step(frames[:, 0], LatentCache(4))
    kept = [window.clone() for window in cache.windows]
    first, _ = tiny_network.step(frames[:, 1], cache)
    again, _ = tiny_network.step(frames[:, 1], cache)
    torch.testing.assert_close(first, again)
    assert all(torch.equal(a, b) for a, b in zip(kept, cache.windows))


def test_the_small_network_has_the_official_number_of_parameters():
    network = VideoDepthNetwork(VITS)
    # the official 29,035,137 less mask_token and refinenet4's resConfUnit1, which nothing uses
    unused = VITS.embed_dim + 2 * (64 * 64 * 9 + 64)
    assert sum(p.numel() for p in network.parameters()) == 29_035_137 - unused


def test_pixels_are_scaled_by_dtype_and_not_by_value():
    dark = torch.ones(3, 2, 2, dtype=torch.uint8)
    torch.testing.assert_close(normalize_image(dark), normalize_image(dark.float() / 255))

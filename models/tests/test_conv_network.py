"""The network with the convolutional encoder: modes agree, and batch normalisation comes and goes without a trace."""

import numpy as np
import pytest
import torch

from leadline_models.architecture import CONV, PRESETS, TINY_CONV, Architecture
from leadline_models.export import fp16_state
from leadline_models.golden import golden_network
from leadline_models.latent_cache import AnchoredCache, LatentCache
from leadline_models.network import VideoDepthNetwork
from leadline_models.normed_conv import NormedConv, calibrate, use_batch_statistics
from leadline_models.resolution import model_size
from leadline_models.weights import initialize, load_state


def clip(batch: int = 2, frames: int = 11, height: int = 32, width: int = 64) -> torch.Tensor:
    return torch.randn(batch, frames, 3, height, width, generator=torch.Generator().manual_seed(1))


def stream(network, frames, cache) -> torch.Tensor:
    depths = []
    for t in range(frames.shape[1]):
        depth, cache = network.step(frames[:, t], cache)
        depths.append(depth)
    return torch.stack(depths, 1)


@pytest.fixture(scope="module")
def network() -> VideoDepthNetwork:
    return golden_network(TINY_CONV)


@pytest.fixture
def trained() -> VideoDepthNetwork:
    """With batch normalisation whose statistics are far from those of a start."""
    network = VideoDepthNetwork(TINY_CONV, normed=True)
    generator = torch.Generator().manual_seed(5)
    initialize(network, generator)
    with torch.no_grad():
        for part in network.modules():
            if isinstance(part, NormedConv):
                for tensor, low, high in ((part.mean, -1, 1), (part.variance, 0.5, 3), (part.gain, 0.5, 2)):
                    tensor.uniform_(low, high, generator=generator)
    return network.eval()


@pytest.mark.parametrize("attend_self", [False, True])
@pytest.mark.parametrize("cache_size", [2, 4, 16])
@torch.inference_mode()
def test_a_stream_equals_a_masked_clip(network, cache_size, attend_self):
    frames = clip()
    streamed = stream(network, frames, LatentCache(cache_size, attend_self))
    at_once = network.forward_clip(frames, cache_size, attend_self)
    assert streamed.std() > 0.1
    assert (streamed - at_once).abs().max() < 1e-5 * streamed.abs().max()


@torch.inference_mode()
def test_a_frame_of_a_vda_stream_sees_the_past_and_one_of_a_window_the_future_too(network):
    frames = clip(batch=1, frames=3)
    changed = frames.clone()
    changed[:, 1] += 1
    stream_change, window_change = (
        (after - before).abs().amax((0, 2, 3))
        for before, after in (
            (stream(network, frames, AnchoredCache()), stream(network, changed, AnchoredCache())),
            (network.forward_window(frames), network.forward_window(changed)),
        )
    )
    assert stream_change[0] == 0 and (stream_change[1:] > 0).all()
    assert (window_change > 0).all()


@torch.inference_mode()
def test_depth_has_the_size_of_the_image_and_motion_the_sites_of_the_family(network):
    frame = clip(frames=1, height=64, width=96)[:, 0]
    depth, cache = network.step(frame, LatentCache(8))
    assert depth.shape == (2, 64, 96)
    cells = [4 * 6, 2 * 3, 4 * 6, 8 * 12]
    assert [w.shape for w in cache.windows[::2]] == [
        (2 * rows, 1, channels) for rows, channels in zip(cells, (32, 32, 64, 32))
    ]


def test_a_frame_of_the_default_network_leaves_about_100k_floats():
    cells = [10 * 18, 5 * 9, 10 * 18, 20 * 36]
    channels = [*CONV.out_channels[2:], CONV.features, CONV.conv.fine_features]
    assert 2 * sum(c * n for c, n in zip(channels, cells)) == 103_680


@torch.inference_mode()
def test_folded_weights_give_the_same_depth(trained):
    plain = VideoDepthNetwork(TINY_CONV).eval()
    load_state(plain, trained.state_dict())
    assert not any(key.endswith((".gain", ".mean", ".variance")) for key in fp16_state(plain))
    image = clip()[:, 0]
    expected = trained.raw_still(image)
    torch.testing.assert_close(plain.raw_still(image), expected, rtol=1e-4, atol=1e-4)


@torch.inference_mode()
def test_a_bundle_starts_training_from_the_function_it_serves(network):
    training = VideoDepthNetwork(TINY_CONV, normed=True).eval()
    load_state(training, network.state_dict())
    images = clip(batch=8, height=64, width=96)[:, 0]
    before = training.raw_still(images)
    torch.testing.assert_close(before, network.raw_still(images), rtol=1e-3, atol=1e-3)
    calibrate(training, lambda: training.raw_still(images))
    torch.testing.assert_close(training.raw_still(images), before, rtol=1e-3, atol=1e-3)
    use_batch_statistics(training, True)  # as training runs
    torch.testing.assert_close(training.raw_still(images), before, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("name", PRESETS)
def test_an_architecture_survives_its_json(name):
    assert Architecture.from_json(PRESETS[name].to_json()) == PRESETS[name]


def test_network_sizes_are_multiples_of_what_the_architecture_says():
    assert CONV.size_multiple == 32
    assert model_size(168, 224, CONV.size_multiple, 160) == (160, 224)
    assert model_size(1080, 1920, CONV.size_multiple, 160) == (160, 288)
    assert np.prod(model_size(4000, 300, CONV.size_multiple, 160)) <= 68_600 * 1.1

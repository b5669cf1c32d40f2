"""Small networks with a live temporal path, for tests that run in seconds."""

import pytest
import torch

from leadline_models.architecture import TINY
from leadline_models.network import VideoDepthNetwork
from leadline_models.weights import initialize

# Networks this small gain nothing from more, and on a busy machine threads wait for each other many times longer.
torch.set_num_threads(1)


@pytest.fixture
def tiny_network() -> VideoDepthNetwork:
    generator = torch.Generator().manual_seed(3)
    network = VideoDepthNetwork(TINY).eval()
    initialize(network, generator)
    for motion in network.head.motion_modules:
        torch.nn.init.normal_(motion.temporal_transformer.proj_out.weight, std=0.2, generator=generator)
    return network

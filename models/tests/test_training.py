import json

import numpy as np
import pytest
import torch

from leadline_models.architecture import TINY
from leadline_models.dataset import Pool, crop, draw
from leadline_models.export import export_bundle
from leadline_models.network import VideoDepthNetwork
from leadline_models.optimizer import rate_factor
from leadline_models.train import DEFAULTS, Run, train
from leadline_models.weights import load_state, read_weights


@pytest.fixture
def pool(tmp_path) -> Pool:
    rng = np.random.default_rng(0)
    for kind, frames in (("stills", 1), ("clips", 6)):
        stem = tmp_path / f"{kind}_42x56_000001"
        np.save(f"{stem}_rgb.npy", rng.integers(0, 255, (4, frames, 42, 56, 3), dtype=np.uint8))
        np.save(f"{stem}_inv.npy", rng.uniform(0.1, 1, (4, frames, 42, 56)).astype(np.float16))
    return Pool(tmp_path)


def config(**changes) -> dict:
    batches = [
        {"share": 1, "kind": "stills", "size": [28, 42], "batch": 2, "frames": [1]},
        {"share": 1, "kind": "clips", "size": [28, 42], "batch": 1, "frames": [4, 6]},
    ]
    return {**DEFAULTS, "arch": "tiny", "steps": 4, "motion": True, "windows": [2, 5], "batches": batches, **changes}


def run_to(steps: int, out, pool) -> dict[str, torch.Tensor]:
    out.mkdir(exist_ok=True)
    run = Run(config(), None, "cpu")
    if (out / "checkpoint.pt").exists():
        run.restore(out / "checkpoint.pt")
    run.config["steps"] = steps
    train(run, pool, out, "test", "cpu", bf16=False)
    return run.network.state_dict()


def test_a_resumed_run_ends_where_an_unbroken_one_does(tmp_path, pool, monkeypatch):
    monkeypatch.setattr("leadline_models.train.rate_factor", lambda *_: 1.0)  # it depends on the number of steps
    unbroken = run_to(4, tmp_path / "a", pool)
    run_to(2, tmp_path / "b", pool)
    resumed = run_to(4, tmp_path / "b", pool)
    for name, tensor in unbroken.items():
        torch.testing.assert_close(resumed[name], tensor, rtol=1e-4, atol=1e-6)


def test_a_draw_has_the_asked_shape(pool):
    images, depth = draw(pool, "clips", 2, 3, (28, 42), np.random.default_rng(0))
    assert images.shape == (2, 3, 3, 28, 42) and depth.shape == (2, 3, 28, 42)


def test_a_crop_moves_image_and_depth_alike():
    ramp = torch.linspace(0, 1, 64)[None, None, None].expand(8, 1, 48, 64).contiguous()
    images, depth = crop(ramp[:, :, None].expand(-1, -1, 3, -1, -1), ramp, (42, 56), np.random.default_rng(1))
    assert (images[:, :, 0] - depth).abs().max() < 1.5 / 64


def test_the_rate_warms_up_and_then_falls_to_its_end():
    factors = [rate_factor(step, 100, 10, 0.2) for step in range(100)]
    assert factors[0] == 0.1 and max(factors) == 1 and factors[-1] == pytest.approx(0.2, abs=0.01)


def test_a_bundle_holds_the_weights_and_their_checksum(tmp_path):
    network = VideoDepthNetwork(TINY)
    manifest_path = export_bundle(network, tmp_path, "tiny", "Tiny", {}, {})
    manifest = json.loads(manifest_path.read_text())
    content = (tmp_path / "model.safetensors").read_bytes()
    assert manifest["weights"]["bytes"] == len(content)
    again = VideoDepthNetwork(TINY)
    load_state(again, read_weights(tmp_path / "model.safetensors"))
    for name, tensor in network.state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], tensor, rtol=1e-3, atol=1e-4)

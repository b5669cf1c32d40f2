import json
from pathlib import Path

import numpy as np
import pytest
import torch

from leadline_models.architecture import TINY, TINY_CONV
from leadline_models.batches import BatchReader
from leadline_models.config import DEFAULTS, check, load_config
from leadline_models.dataset import Pool, crop, draw
from leadline_models.export import Terms, export_bundle
from leadline_models.golden import golden_network
from leadline_models.network import VideoDepthNetwork
from leadline_models.normed_conv import use_batch_statistics
from leadline_models.optimizer import rate_factor
from leadline_models.run import Run, read_record
from leadline_models.train import Habits, train
from leadline_models.weights import load_state, read_weights


def write_shard(folder, kind: str, frames: int, height: int, width: int, source: str = "000001") -> None:
    rng = np.random.default_rng(frames)
    stem = folder / f"{kind}_{height}x{width}_{source}"
    np.save(f"{stem}_rgb.npy", rng.integers(0, 255, (4, frames, height, width, 3), dtype=np.uint8))
    np.save(f"{stem}_inv.npy", rng.uniform(0.1, 1, (4, frames, height, width)).astype(np.float16))


@pytest.fixture
def pool(tmp_path) -> Pool:
    write_shard(tmp_path, "stills", 1, 42, 56)
    write_shard(tmp_path, "clips", 6, 42, 56)
    return Pool(tmp_path)


# a conv network's sides are multiples of 32
CONV_BATCHES = [
    {"share": 1, "kind": "stills", "size": [32, 64], "batch": 2, "frames": [1]},
    {"share": 1, "kind": "clips", "size": [32, 64], "batch": 1, "frames": [4]},
]


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
    train(run, pool, out, "test")
    return run.network.state_dict()


def test_a_resumed_run_ends_where_an_unbroken_one_does(tmp_path, pool, monkeypatch):
    monkeypatch.setattr("leadline_models.train.rate_factor", lambda *_: 1.0)  # it depends on the number of steps
    unbroken = run_to(4, tmp_path / "a", pool)
    run_to(2, tmp_path / "b", pool)
    resumed = run_to(4, tmp_path / "b", pool)
    for name, tensor in unbroken.items():
        torch.testing.assert_close(resumed[name], tensor, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    "changes",
    [
        {"arch": "tiny-conv", "batches": CONV_BATCHES, "encoderOnClips": True},
        {"sascon": "none"},
        {"sascon": "parameter"},
        {"causalMask": False},
        {"spatialLoss": "ssi"},
        {"motion": False},
    ],
)
def test_every_setting_trains(tmp_path, pool, changes):
    start = Run(config(**changes), None, "cpu")
    before = {name: tensor.clone() for name, tensor in start.network.state_dict().items()}
    train(start, pool, tmp_path, "test")
    after = start.network.state_dict()
    assert all(torch.isfinite(tensor).all() for tensor in after.values())
    assert any(not torch.equal(after[name], tensor) for name, tensor in before.items())


def test_a_frozen_encoder_stays_while_the_head_learns(tmp_path, pool):
    """Started from a state dict in the official layout, which holds two things the network has no use for."""
    network = VideoDepthNetwork(TINY)
    official = tmp_path / "video_depth_anything_tiny.pth"
    unused = {
        "pretrained.mask_token": torch.zeros(1, 64),
        "head.scratch.refinenet4.resConfUnit1.conv1.weight": torch.zeros(32, 32, 3, 3),
    }
    torch.save({**network.state_dict(), **unused}, official)
    run = Run(config(freezeEncoder=True, spatialLoss="ssi"), official, "cpu")
    train(run, pool, tmp_path, "test")
    for name, tensor in run.network.state_dict().items():
        is_same = torch.equal(tensor, network.state_dict()[name])
        if name.startswith("pretrained.") or name.endswith(".pe"):
            assert is_same, name
        elif name.endswith("weight") and "layer" not in name and "norm" not in name:
            assert not is_same, name
    start = read_record(tmp_path / "checkpoint.pt")["start"]
    assert start.startswith("video_depth_anything_tiny.pth, sha256 ")


def test_a_run_leaves_curves_pictures_and_kept_weights_with_their_record(tmp_path, pool, monkeypatch):
    monkeypatch.setattr("leadline_models.train.LOG_EVERY", 2)
    run = Run(config(), None, "cpu")
    train(run, pool, tmp_path, "test", Habits(keep_every=2))
    assert "<polyline" in (tmp_path / "curves.svg").read_text()
    assert (tmp_path / "preview-000004.png").exists()
    kept = read_record(tmp_path / "weights-000002.pt")
    assert kept["runs"][-1]["steps"] == 2 and kept["start"] == "random weights"
    assert kept["runs"][-1]["poolSources"] == ["generator"]
    load_state(VideoDepthNetwork(TINY), read_weights(tmp_path / "weights-000002.pt"))


def test_an_exported_conv_network_is_a_start_that_goes_on_from_its_function(tmp_path, pool):
    settings = config(arch="tiny-conv", batches=CONV_BATCHES, motion=False)
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    first = Run(settings, None, "cpu")
    train(first, pool, tmp_path / "first", "test")
    plain = VideoDepthNetwork(TINY_CONV)
    load_state(plain, read_weights(tmp_path / "first" / "checkpoint.pt"))
    training = json.loads((tmp_path / "first" / "record.json").read_text())
    export_bundle(plain, tmp_path / "bundle", "conv", "Conv", training, {})
    second = Run({**settings, "steps": 0}, tmp_path / "bundle" / "model.safetensors", "cpu")
    train(second, pool, tmp_path / "second", "test")
    assert second.is_calibrated
    image = torch.randn(1, 3, 32, 64, generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        expected = plain.eval().raw_still(image)
        torch.testing.assert_close(second.network.eval().raw_still(image), expected, rtol=1e-2, atol=1e-2)


@torch.no_grad()
def test_a_bundle_with_motion_starts_a_training_with_motion_from_its_function(tmp_path):
    """What motion modules add is normalised with the rest: statistics taken without them lose what was learned."""
    bundle = tmp_path / "model.pt"
    torch.save(golden_network(TINY_CONV).state_dict(), bundle)
    run = Run(config(arch="tiny-conv", batches=CONV_BATCHES), bundle, "cpu")
    images = torch.randn(8, 3, 64, 96, generator=torch.Generator().manual_seed(3))
    network = run.network.eval()
    expected = network.raw_clip(images[:, None], 4)
    without_motion = network.raw_still(images)
    assert (expected - without_motion[:, None]).abs().max() > 0.1
    run.calibrate(images)
    use_batch_statistics(network, True)
    torch.testing.assert_close(network.raw_clip(images[:, None], 4), expected, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ({"sasCon": "none"}, "sasCon"),
        ({"sascon": "both"}, "none, transfer, parameter, anchored"),
        ({"windows": [4, 40]}, "2..32"),
        ({"causalMask": False, "batches": [{**DEFAULTS["batches"][0], "frames": [48]}]}, "at most 32 frames"),
    ],
)
def test_a_wrong_setting_is_named(setting, complaint):
    with pytest.raises(ValueError, match=complaint):
        check({**DEFAULTS, **setting})


def test_every_config_of_the_repository_is_sound():
    folder = Path(__file__).parents[1] / "configs"
    assert [load_config(path)["steps"] for path in sorted(folder.glob("*.json"))]


def test_a_draw_takes_no_clip_that_is_too_short(pool, tmp_path):
    write_shard(tmp_path, "clips", 12, 42, 60)
    pool.refresh()
    rng = np.random.default_rng(0)
    for _ in range(20):
        images, _ = draw(pool, "clips", 1, 9, (28, 42), rng)
        assert images.shape[1] == 9
    with pytest.raises(ValueError, match="13 frames .*longest: 12.*--frames"):
        draw(pool, "clips", 1, 13, (28, 42), rng)


def test_a_reader_ahead_gives_the_same_batches_in_the_same_order(pool):
    def first_batches(ahead: int) -> list[torch.Tensor]:
        with BatchReader(config(), pool, 1, "cpu", ahead) as reader:
            return [reader.take().images for _ in range(3)]

    for ahead, on_demand in zip(first_batches(2), first_batches(0)):
        torch.testing.assert_close(ahead, on_demand)


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
    assert manifest["resolution"] == {"multiple": 14, "lowerBound": 196, "maxArea": 196 * 350}
    again = VideoDepthNetwork(TINY)
    load_state(again, read_weights(tmp_path / "model.safetensors"))
    for name, tensor in network.state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], tensor, rtol=1e-3, atol=1e-4)


def test_weights_that_learned_from_restricted_data_are_not_passed_on_freely(tmp_path):
    training = {"runs": [{"poolSources": ["generator", "pointodyssey"]}]}
    arguments = (VideoDepthNetwork(TINY), tmp_path, "tiny", "Tiny", training, {})
    with pytest.raises(ValueError, match="pointodyssey .CC BY-NC-SA 4.0.*--non-commercial"):
        export_bundle(*arguments)
    manifest = json.loads(export_bundle(*arguments, Terms("CC-BY-NC-SA-4.0", non_commercial=True)).read_text())
    assert manifest["nonCommercial"] and manifest["license"] == "CC-BY-NC-SA-4.0"

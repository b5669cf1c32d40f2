import pytest
import torch

from leadline_models import muon
from leadline_models.architecture import TINY
from leadline_models.muon import Muon, orthogonalize
from leadline_models.network import VideoDepthNetwork
from leadline_models.optimizer import build_optimizers


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(4))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("shape", [(24, 60), (60, 24), (32, 32)])
def test_an_orthogonalized_matrix_has_its_singular_vectors_and_values_near_one(shape, dtype):
    # values from 1 to 3: small ones take more iterations than an optimiser can spend
    left, _, right = torch.linalg.svd(noise(*shape), full_matrices=False)
    direction = orthogonalize(left * torch.linspace(1, 3, left.shape[1]) @ right, dtype)
    in_place = left.T @ direction @ right.T
    assert direction.dtype == torch.float32
    assert (in_place.diagonal() > 0.5).all() and (in_place.diagonal() < 1.4).all()
    assert (in_place - torch.diag(in_place.diagonal())).abs().max() < 0.1


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="PyTorch before 2.9 has no Muon to compare with")
def test_in_bf16_a_step_is_that_of_pytorchs_muon(monkeypatch):
    monkeypatch.setattr(muon, "has_fast_bf16", lambda _device: True)
    ours, theirs = (torch.nn.Parameter(noise(16, 40)) for _ in range(2))
    settings = {"lr": 0.1, "weight_decay": 0.05}
    reference = torch.optim.Muon([theirs], adjust_lr_fn="match_rms_adamw", ns_steps=muon.ITERATIONS, **settings)
    optimizer = Muon([ours], **settings)
    for step in range(3):
        ours.grad = theirs.grad = noise(16, 40) * (step + 1) + step
        optimizer.step()
        reference.step()
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-3)


def test_without_fast_bf16_every_product_is_float32(monkeypatch):
    monkeypatch.setattr(muon, "has_fast_bf16", lambda _device: False)
    seen = []
    monkeypatch.setattr(muon, "orthogonalize", lambda matrix, dtype: seen.append(dtype) or matrix)
    weight = torch.nn.Parameter(noise(8, 8))
    weight.grad = noise(8, 8)
    Muon([weight], lr=0.1).step()
    assert seen == [torch.float32]


def test_every_weight_is_in_one_optimizer_and_convolutions_are_muons():
    network = VideoDepthNetwork(TINY)
    muons, rest = [
        {id(p) for group in optimizer.param_groups for p in group["params"]}
        for optimizer in build_optimizers(network, 1e-3, 0.1)
    ]
    scratch = network.head.scratch
    assert id(scratch.refinenet1.resConfUnit1.conv1.weight) in muons
    assert {id(network.pretrained.pos_embed), id(scratch.output_conv2[2].weight)} <= rest
    assert muons | rest == {id(p) for p in network.parameters()} and not muons & rest

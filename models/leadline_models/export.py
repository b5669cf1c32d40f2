"""Write a bundle: `model.safetensors` (fp16, official key names) and `manifest.json` beside it.

    python -m leadline_models.export --checkpoint run/checkpoint.pt --out models/leadline-nano \
        --metrics run/metrics.json --record run/record.json
"""

import argparse
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file

from .architecture import PRESETS, Architecture
from .network import VideoDepthNetwork
from .readers import RESTRICTED
from .resolution import LOWER_BOUND, max_area_of
from .weights import UNUSED_KEYS, initialize, load_state, read_weights

MANIFEST_SCHEMA = 1


def fp16_state(network: VideoDepthNetwork) -> dict[str, torch.Tensor]:
    state = {key: tensor.detach().to(torch.float16).contiguous() for key, tensor in network.state_dict().items()}
    overflowing = [key for key, tensor in state.items() if not torch.isfinite(tensor).all()]
    if overflowing:
        raise ValueError(f"not finite in fp16: {', '.join(overflowing)}")
    return state


@dataclass(frozen=True)
class Terms:
    """Under which a bundle is passed on."""

    license: str = "Apache-2.0"
    non_commercial: bool = False


def check_terms(terms: Terms, training: dict) -> None:
    """Weights that learned from restricted data are not for every use, whatever the code's licence."""
    sources = {source for run in training.get("runs", []) for source in run.get("poolSources", [])}
    restricted = [f"{source} ({RESTRICTED[source]})" for source in sorted(sources & set(RESTRICTED))]
    if restricted and not terms.non_commercial:
        raise ValueError(
            f"trained on {', '.join(restricted)}: export with --non-commercial and the --license that follows from it"
        )


def manifest(
    name: str,
    title: str,
    arch: Architecture,
    weights: Path,
    training: dict,
    metrics: dict,
    terms: Terms,
    lower_bound: int,
    cpu_precision: str | None,
) -> dict:
    content = weights.read_bytes()
    return {
        "schema": MANIFEST_SCHEMA,
        "name": name,
        "title": title,
        "license": terms.license,
        "nonCommercial": terms.non_commercial,
        "quantity": "relative-inverse-depth",
        "weights": {
            "file": weights.name,
            "sha256": hashlib.sha256(content).hexdigest(),
            "bytes": len(content),
            "dtype": "float16",
            "omittedKeys": list(UNUSED_KEYS),
        },
        "architecture": arch.to_json(),
        "temporal": {
            # The last two were not trained for; docs/models.md has what they give all the same.
            "modes": ["single", "ovda", "vda-stream", "vda-window"],
            "cacheSizes": list(range(4, 17)),  # the windows that training draws from
            "defaultCacheSize": 16,
            "attendSelf": False,
        },
        "resolution": {
            "multiple": arch.size_multiple,
            "lowerBound": lower_bound,
            "maxArea": max_area_of(lower_bound),
        },
        **({"cpuPrecision": cpu_precision} if cpu_precision else {}),
        "training": training,
        "metrics": metrics,
    }


def export_bundle(
    network: VideoDepthNetwork,
    folder: Path,
    name: str,
    title: str,
    training: dict,
    metrics: dict,
    terms: Terms = Terms(),
    lower_bound: int = LOWER_BOUND,
    cpu_precision: str | None = None,
) -> Path:
    check_terms(terms, training)
    folder.mkdir(parents=True, exist_ok=True)
    weights = folder / "model.safetensors"
    save_file(fp16_state(network), str(weights), metadata={"format": "pt"})
    weights.chmod(0o644)  # the writer leaves it readable by its owner only
    content = manifest(name, title, network.arch, weights, training, metrics, terms, lower_bound, cpu_precision)
    (folder / "manifest.json").write_text(json.dumps(content, indent=2) + "\n")
    return folder / "manifest.json"


def read_json(path: Path | None) -> dict:
    return json.loads(path.read_text()) if path else {}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arch", choices=PRESETS, default="conv")
    parser.add_argument("--checkpoint", type=Path, help="training checkpoint; without it, random weights (--seed)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--name", default="leadline-nano")
    parser.add_argument("--title", default="Leadline Nano: streaming relative depth, 5 M parameters")
    parser.add_argument("--record", type=Path, help="JSON with the training record")
    parser.add_argument("--metrics", type=Path, help="JSON with the measured figures")
    parser.add_argument(
        "--lower-bound", type=int, default=LOWER_BOUND, help="pixels that the service scales the shorter side to"
    )
    parser.add_argument(
        "--cpu-precision",
        choices=["fp32", "int8"],
        help="the encoder's arithmetic in service, on CPUs made for it",
    )
    parser.add_argument("--license", default=Terms.license)
    parser.add_argument("--non-commercial", action="store_true")
    options = parser.parse_args()

    network = VideoDepthNetwork(PRESETS[options.arch])
    if options.checkpoint:
        load_state(network, read_weights(options.checkpoint))
    else:
        initialize(network, torch.Generator().manual_seed(options.seed))
    training = read_json(options.record) or {"note": "random weights, never trained", "seed": options.seed}
    terms = Terms(options.license, options.non_commercial)
    metrics = read_json(options.metrics)
    path = export_bundle(
        network,
        options.out,
        options.name,
        options.title,
        training,
        metrics,
        terms,
        options.lower_bound,
        options.cpu_precision,
    )
    print(path)


if __name__ == "__main__":
    main()

"""The best weights of a background training as a bundle, if they are better than those it holds."""

import argparse
import json

from ..evaluate import baselines, evaluate_holdout, evaluate_rgbd, load_network
from ..export import export_bundle
from ..holdout import holdout
from ..learning_curve import MODE
from .home import Home
from .trainer import read_best, score


def export_best(home: Home, options: argparse.Namespace) -> str:
    """-> what was done, and why."""
    best = read_best(home)
    if best is None:
        return f"{home.folder}: nothing measured yet, nothing to export"
    manifest_path = options.out / "manifest.json"
    earlier = bundle_score(json.loads(manifest_path.read_text())) if manifest_path.exists() else None
    if earlier is not None and best["row"]["score"] >= earlier:
        return f"{options.out} keeps its weights: score {earlier:.4f}, the best here {best['row']['score']:.4f}"
    network = load_network(home.best, best["arch"])
    data = holdout(home.holdout)
    metrics = {
        "baselines": baselines(data),
        "holdout": evaluate_holdout(network, data, options.lower_bound),
        **({"rgbd": evaluate_rgbd(network, options.rgbd, options.lower_bound)} if options.rgbd else {}),
    }
    record = json.loads(best["record"])
    export_bundle(
        network,
        options.out,
        options.name,
        options.title,
        record,
        metrics,
        lower_bound=options.lower_bound,
        cpu_precision=options.cpu_precision,
    )
    before = "no bundle" if earlier is None else f"score {earlier:.4f}"
    return f"{manifest_path}: score {best['row']['score']:.4f} after {best['row']['images']:,} images, before {before}"


def bundle_score(manifest: dict) -> float | None:
    """None for a bundle whose figures do not tell."""
    figures = manifest.get("metrics", {}).get("holdout", {})
    if "stills" not in figures or MODE not in figures:
        return None
    streamed = figures[MODE]
    return score({"stills": figures["stills"], "clips": streamed["global"], "flicker": streamed["flicker"]})

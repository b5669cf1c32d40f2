"""What goes over the wire, as test/vectors has it for every implementation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[3] / "test" / "vectors"


def read(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def message(name: str) -> bytes:
    return (FOLDER / f"{name}.bin").read_bytes()

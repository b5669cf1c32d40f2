"""A run's `log.csv` and the picture of it, `curves.svg`."""

import csv
from pathlib import Path

from .chart import Line, write_chart

FIELDS = ["step", "images", "cpu_s", "rate", "loss", "error", "tgm", "sascon", "gradient_norm"]
DRAWN = ["loss", "error", "tgm", "sascon"]
SMOOTHED_ROWS = 8  # a curve shows the mean of this many rows: batches of several kinds alternate


class LossLog:
    def __init__(self, out: Path, step: int):
        """Keeps the rows up to the step that training continues from."""
        self.path, self.picture = out / "log.csv", out / "curves.svg"
        rows = list(csv.DictReader(self.path.open())) if self.path.exists() else []
        self.rows = [row for row in rows if int(row["step"]) <= step]
        with self.path.open("w", newline="") as file:
            writer = csv.DictWriter(file, FIELDS)
            writer.writeheader()
            writer.writerows(self.rows)

    def add(self, row: dict) -> None:
        self.rows.append(row)
        with self.path.open("a", newline="") as file:
            csv.DictWriter(file, FIELDS).writerow(row)

    def draw(self) -> None:
        if self.rows:
            lines = [Line(name, smooth([(float(r["step"]), float(r[name])) for r in self.rows])) for name in DRAWN]
            used = [line for line in lines if any(y for _, y in line.points)]
            write_chart(self.picture, "training loss", "step", used)


def smooth(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Mean of each point and those before it."""
    windows = [points[max(0, i + 1 - SMOOTHED_ROWS) : i + 1] for i in range(len(points))]
    return [(window[-1][0], sum(y for _, y in window) / len(window)) for window in windows]

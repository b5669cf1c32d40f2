"""Line charts as SVG, without a plotting library."""

from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10
from pathlib import Path

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 400, 60, 130, 36, 44  # pixels
COLORS = ["#1f6fb4", "#d9622b", "#2a8f5b", "#8a4fa3", "#b8860b", "#666666"]


@dataclass
class Line:
    name: str
    points: list[tuple[float, float]]  # (x, y), in order of x


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers that cover low..high; a single value gets room above it."""
    high = high if high > low else low + max(abs(low), 1)
    raw = (high - low) / about
    unit = 10 ** floor(log10(raw))
    step = unit * next(factor for factor in (1, 2, 5, 10) if factor * unit >= raw)
    return [round(i * step, 12) for i in range(floor(low / step), ceil(high / step) + 1)]


def label(value: float) -> str:
    return f"{value / 1000:g}k" if abs(value) >= 10_000 else f"{value:g}"


def write_chart(path: Path, title: str, x_label: str, lines: list[Line], marks: bool = False) -> None:
    """The y axis starts at zero. `marks` puts a dot on every point, for curves of few."""
    xs = [x for line in lines for x, _ in line.points] or [0.0]
    ys = [y for line in lines for _, y in line.points] or [0.0]
    x_ticks, y_ticks = ticks(min(xs), max(xs)), ticks(0, max(ys))

    def place(x: float, y: float) -> tuple[float, float]:
        across = (x - x_ticks[0]) / (x_ticks[-1] - x_ticks[0]) * (WIDTH - LEFT - RIGHT)
        up = (y - y_ticks[0]) / (y_ticks[-1] - y_ticks[0]) * (HEIGHT - TOP - BOTTOM)
        return round(LEFT + across, 1), round(HEIGHT - BOTTOM - up, 1)

    def text(x: float, y: float, content: str, anchor: str = "middle", color: str = "#333") -> str:
        return f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="{color}">{escape(content)}</text>'

    parts = [text(LEFT, 22, title, "start"), text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, x_label)]
    for value in y_ticks:
        x, y = place(x_ticks[0], value)
        parts.append(f'<path d="M{x} {y}H{WIDTH - RIGHT}" stroke="#ddd"/>' + text(x - 6, y + 4, label(value), "end"))
    for value in x_ticks:
        x, y = place(value, y_ticks[0])
        parts.append(f'<path d="M{x} {y}v5" stroke="#999"/>' + text(x, y + 18, label(value)))
    for index, line in enumerate(lines):
        color = COLORS[index % len(COLORS)]
        places = [place(*point) for point in line.points]
        trail = " ".join(f"{x},{y}" for x, y in places)
        parts.append(f'<polyline points="{trail}" fill="none" stroke="{color}" stroke-width="2"/>')
        parts += [f'<circle cx="{x}" cy="{y}" r="3" fill="{color}"/>' for x, y in places if marks]
        parts.append(text(WIDTH - RIGHT + 12, TOP + 12 + 20 * index, line.name, "start", color))
    body = "\n".join(parts)
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'font-family="sans-serif" font-size="12">\n<rect width="100%" height="100%" fill="#fff"/>\n{body}\n</svg>\n'
    )

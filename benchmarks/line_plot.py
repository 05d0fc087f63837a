"""Draws lines over logarithmic axes, as SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

_WIDTH, _HEIGHT, _LEFT, _TOP = 560, 320, 60, 30


@dataclass(frozen=True)
class Line:
    """One line."""

    name: str
    values: Sequence[float]
    """Above zero, one for each place on the horizontal axis."""


def draw(labels: Sequence[str], places: Sequence[float], lines: Sequence[Line], colors: Sequence[str]) -> str:
    """The plot. `labels` and `places` are those of the horizontal axis."""
    values = [value for line in lines for value in line.values]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    high = max(high, low + 1)
    first, last = math.log10(places[0]), math.log10(places[-1])

    def x(place: float) -> float:
        return _LEFT + (math.log10(place) - first) / max(last - first, 1) * (_WIDTH - 2 * _LEFT)

    def y(value: float) -> float:
        return _HEIGHT - _TOP - (math.log10(value) - low) / (high - low) * (_HEIGHT - 2 * _TOP)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}"',
        ' font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
    ]
    for power in range(low, high + 1):
        at = y(10.0**power)
        parts.append(f'<line x1="{_LEFT}" x2="{_WIDTH - _LEFT}" y1="{at:.1f}" y2="{at:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{10.0**power:g}</text>')
    parts += [
        f'<text x="{x(place):.1f}" y="{_HEIGHT - 10}" text-anchor="middle">{label}</text>'
        for label, place in zip(labels, places, strict=True)
    ]
    for number, (line, color) in enumerate(zip(lines, colors, strict=False)):
        points = " ".join(f"{x(place):.1f},{y(value):.1f}" for place, value in zip(places, line.values, strict=True))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2"/>')
        parts.append(f'<text x="{_LEFT + 8}" y="{_TOP + 16 * number}" fill="{color}">{line.name}</text>')
    return "\n".join([*parts, "</svg>", ""])

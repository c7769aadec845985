"""docs/dashboard.svg: the dashboard as its template lays it out, drawn from sample metrics. `python docs/dashboard.py` writes it.

In: the template of an environment. Out: an SVG; the same input gives the same bytes. Never: asks AWS; the samples tell one made-up evening,
in which a deployment is followed by errors.
"""

from __future__ import annotations

import json
import math
import sys
from html import escape
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

PICTURE = ROOT / "docs" / "dashboard.svg"
UNIT_X, UNIT_Y, GAP = 54, 34, 8
POINTS, EVENT = 72, 50
"""Samples of a graph, and the one at which the deployment happens."""
COLOURS = ("#1f77b4", "#2ca02c", "#9467bd", "#8c564b", "#17becf")
_STYLE = """
  svg { color-scheme: light dark; font: 12px system-ui, sans-serif } .page { fill: #f2f4f7 } .card { fill: #ffffff; stroke: #c3cad4 }
  text { fill: #1c2430 } .title { font-weight: 600 } .heading { font-size: 17px; font-weight: 600 } .soft { fill: #4a5361; font-size: 10px }
  .axis { stroke: #c3cad4 } .line { fill: none; stroke-width: 1.8 }
  @media (prefers-color-scheme: dark) {
    .page { fill: #12161c } .card { fill: #1b212a; stroke: #3a4350 } text { fill: #e6e9ee }
    .soft { fill: #b4bcc8 } .axis { stroke: #3a4350 }
  }
"""


def picture(body: dict[str, Any]) -> str:
    """The whole dashboard."""
    drawn = [part for widget in body["widgets"] for part in _widget(widget)]
    width = 24 * UNIT_X + 2 * GAP
    height = max(widget["y"] + widget["height"] for widget in body["widgets"]) * UNIT_Y + 2 * GAP
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">'
    told = f"<title>The dashboard, drawn from sample metrics</title><style>{_STYLE}</style>"
    return "\n".join([head, told, f'<rect class="page" width="{width}" height="{height}"/>', *drawn, "</svg>", ""])


def sample(name: str, options: dict[str, Any]) -> list[float | None]:
    """Values of a metric over the evening, in its own unit."""
    wave = [0.5 + 0.35 * math.sin(i / 11) + 0.04 * math.sin(i * 2.4) for i in range(POINTS)]
    bad = [max(0.0, 1 - abs(i - EVENT - 4) / 7) if i >= EVENT else 0.0 for i in range(POINTS)]
    late = {"p50": 22, "p90": 60, "p99": 140}.get(str(options.get("stat")), 0)
    if name == "ConsumedWriteCapacityUnits":
        return [2.0 if i in (EVENT, EVENT + 1, 12) else None for i in range(POINTS)]
    daily: dict[str, list[float | None]] = {
        "NumberOfObjects": [float(140 + 12 * (i * 14 // POINTS // 3)) for i in range(POINTS)],
        "DaysToExpiry": [float(212 - i * 14 // POINTS) for i in range(POINTS)],
        "EstimatedCharges": [(4.1 if options.get("label") == "CloudFront" else 15.4) * i / POINTS for i in range(POINTS)],
    }
    if name in daily:
        return daily[name]
    found = {
        "HealthCheckStatus": [0.0 if b > 0.8 else 1.0 for b in bad],
        "Requests": [5_200 * w * (1 - 0.6 * b) for w, b in zip(wave, bad, strict=True)],
        "BytesDownloaded": [8.4e8 * w for w in wave],
        "5xxErrorRate": [0.05 + 38 * b for b in bad],
        "4xxErrorRate": [3 + 2 * w for w in wave],
        "401ErrorRate": [1.2 + 0.6 * w for w in wave],
        "403ErrorRate": [0.1 for _ in wave],
        "404ErrorRate": [1.6 + 1.2 * w for w in wave],
        "CacheHitRate": [94 - 30 * b for b in bad],
        "OriginLatency": [late * (0.8 + 0.4 * w + 2.2 * b) for w, b in zip(wave, bad, strict=True)],
        "BlockedRequests": [30 * w for w in wave],
        "CountedRequests": [9 * w for w in wave],
    }
    return list(found.get(name, [6 * b for b in bad] if name.endswith(("ExecutionError", "ExecutionErrors")) else [0.0] * POINTS))


def _widget(widget: dict[str, Any]) -> list[str]:
    x, y = GAP + widget["x"] * UNIT_X, GAP + widget["y"] * UNIT_Y
    width, height = widget["width"] * UNIT_X - GAP, widget["height"] * UNIT_Y - GAP
    properties = widget["properties"]
    if widget["type"] == "text":
        lines = properties["markdown"].split("\n")
        kinds = ("heading" if line.startswith("#") else "" for line in lines)
        return [_text(x + 10, y + 22 + 22 * n, line.lstrip("# "), kind) for n, (line, kind) in enumerate(zip(lines, kinds, strict=True))]
    box = f'<rect class="card" x="{x}" y="{y}" width="{width}" height="{height}" rx="4"/>'
    return [box, _text(x + 10, y + 18, properties["title"], "title"), *_lines(properties, x + 44, y + 30, width - 88, height - 62)]


def _lines(properties: dict[str, Any], x: int, y: int, width: int, height: int) -> list[str]:
    """The axes with their highest values, each metric's line, and the names below."""
    read = [(metric[1], metric[-1] if isinstance(metric[-1], dict) else {}) for metric in properties["metrics"]]
    series = [(options, sample(name, {"stat": properties["stat"], **options})) for name, options in read]
    out = [f'<path class="axis" d="M{x} {y}V{y + height}H{x + width}" fill="none"/>']
    for axis, at in (("left", x - 38), ("right", x + width + 6)):
        values = [v for options, found in series if options.get("yAxis", "left") == axis for v in found if v is not None]
        if values:
            top = properties.get("yAxis", {}).get(axis, {}).get("max") or max(values) or 1
            out.append(_text(at, y + 6, _short(top), "soft"))
            out += [
                part
                for number, (options, found) in enumerate(series)
                if options.get("yAxis", "left") == axis
                for part in _line(found, top, options.get("color") or COLOURS[number % len(COLOURS)], (x, y, width, height))
            ]
    legend = x
    for number, (options, _) in enumerate(series):
        colour, label = options.get("color") or COLOURS[number % len(COLOURS)], str(options.get("label", ""))
        out.append(f'<rect x="{legend}" y="{y + height + 10}" width="9" height="9" fill="{colour}"/>')
        out.append(_text(legend + 13, y + height + 18, label, "soft"))
        legend += 24 + 6 * len(label)
    return out


def _line(values: list[float | None], top: float, colour: str, place: tuple[int, int, int, int]) -> list[str]:
    x, y, width, height = place
    at = [(x + i * width / (POINTS - 1), y + height - height * min(v / top, 1)) for i, v in enumerate(values) if v is not None]
    if len(at) < POINTS:  # Single moments: CloudWatch draws points that have no neighbours as dots; here as bars, which print better.
        return [f'<path d="M{px:.1f} {y + height}V{py:.1f}" stroke="{colour}" stroke-width="4"/>' for px, py in at]
    path = "L".join(f"{px:.1f} {py:.1f}" for px, py in at)
    return [f'<path class="line" d="M{path}" stroke="{colour}"/>']


def _short(value: float) -> str:
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.1f}{letter}"
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"


def _text(x: int, y: int, text: str, kind: str = "") -> str:
    return f'<text class="{kind}" x="{x}" y="{y}">{escape(text)}</text>'


def made() -> str:
    """The picture of the firewalled environment, which has every widget."""
    from environments.loader import load
    from stacks.dashboard import dashboard

    platform = load(ROOT / "environments", ("prod",))
    return picture(json.loads(json.dumps(dashboard(platform.environments["prod"]))))


if __name__ == "__main__":
    PICTURE.write_text(made(), encoding="utf-8")

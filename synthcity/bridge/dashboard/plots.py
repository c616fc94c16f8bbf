"""Small plots as SVG that take their colours from the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 460.0, 180.0, 58.0, 22.0
_LINE = 14.0  # what a label needs above and below


def curves(trials: Sequence[Mapping[str, Any]]) -> Markup:
    """Draw the lead of each trial by rung, minus (better) below; the best one is drawn strong."""
    drawn = [trial for trial in trials if trial["leads"]]
    if not drawn:
        return Markup()
    best = min(drawn, key=lambda trial: trial["leads"][-1])
    values = [lead for trial in drawn for lead in trial["leads"]]
    scale = _Scale(values, max(len(trial["leads"]) for trial in drawn))
    lines = []
    for trial in sorted(drawn, key=lambda trial: trial is best):
        points = " ".join(f"{scale.x(at):.1f},{scale.y(lead):.1f}" for at, lead in enumerate(trial["leads"]))
        kind = "best" if trial is best else "other"
        title = f"<title>trial {escape(trial['id'])}: {escape(trial['architecture'])}</title>"
        lines.append(f'<g class="{kind}">{title}<polyline points="{points}"/>{_dots(points)}</g>')
    return _svg(scale, lines, f"Lead of {len(drawn)} trials by rung; the best is trial {best['id']}")


def trend_line(timeline: Sequence[Mapping[str, Any]]) -> Markup:
    """Draw the lead of each run and the best proven one so far, oldest first."""
    if not timeline:
        return Markup()
    leads = [point["lead"]["mean"] for point in timeline]
    scale = _Scale(leads, len(leads))
    best = [(at, point["running_best_lead"]) for at, point in enumerate(timeline)]
    steps = " ".join(f"{scale.x(at):.1f},{scale.y(lead):.1f}" for at, lead in best if lead is not None)
    lines = [f'<g class="best"><polyline points="{steps}"/></g>'] if steps else []
    for at, (lead, point) in enumerate(zip(leads, timeline, strict=True)):
        kind = "proven" if point["verdict"] == "proven" else "open"
        title = f"<title>{escape(point['id'])}: {lead:+.2f} %, {escape(point['verdict'])}</title>"
        lines.append(f'<circle class="{kind}" cx="{scale.x(at):.1f}" cy="{scale.y(lead):.1f}" r="4">{title}</circle>')
    return _svg(scale, lines, f"Leads of {len(leads)} runs, oldest first")


class _Scale:
    """From counts and percents to the plane; zero is always in sight, better is lower."""

    def __init__(self, values: Sequence[float], count: int) -> None:
        ordered = sorted(values)
        middle = ordered[len(ordered) // 2]
        self.low = min(0.0, ordered[0])
        # what lies far above the rest would flatten all others, and is cut off at the edge
        self.high = max(0.0, min(ordered[-1], middle + 3 * (middle - self.low)))
        room = 0.1 * (self.high - self.low) or 0.1
        self.low, self.high, self._count = self.low - room, self.high + room, count

    def x(self, at: int) -> float:
        return _LEFT + 8 + (_WIDTH - _LEFT - 16) * (at / (self._count - 1) if self._count > 1 else 0.5)

    def y(self, lead: float) -> float:
        share = (self.high - min(lead, self.high)) / (self.high - self.low)
        return 8 + (_HEIGHT - _BOTTOM - 16) * share


def _dots(points: str) -> str:
    pairs = (point.split(",") for point in points.split())
    return "".join(f'<circle cx="{x}" cy="{y}" r="2.5"/>' for x, y in pairs)


def _svg(scale: _Scale, lines: Sequence[str], label: str) -> Markup:
    zero = scale.y(0.0)
    axis = f'<line class="zero" x1="{_LEFT}" x2="{_WIDTH}" y1="{zero:.1f}" y2="{zero:.1f}"/>'
    for value in (scale.low, 0.0, scale.high):
        if value and abs(scale.y(value) - zero) < _LINE:
            continue
        text = f"{value:+.2g} %".replace("-", "\N{MINUS SIGN}") if value else "0"
        axis += f'<text x="{_LEFT - 6}" y="{scale.y(value) + 4:.1f}" text-anchor="end">{text}</text>'
    head = f'<svg viewBox="0 0 {_WIDTH:g} {_HEIGHT - _BOTTOM + 8:g}" role="img" aria-label="{escape(label)}">'
    return Markup(f"{head}{axis}{''.join(lines)}</svg>")

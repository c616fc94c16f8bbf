"""The pictures of a card, as PNG."""

from __future__ import annotations

import io
from collections.abc import Mapping

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from synthcity.search.finals.verdict import LeadInterval
from synthcity.search.report.model import Report


def draw_plots(report: Report) -> dict[str, tuple[str, bytes]]:
    """Return caption and picture by file name: the leads over every baseline, and over the strongest one by asset."""
    leads = report["leads"]
    best = report["verdict"]["best_baseline"]
    found = {"leads.png": ("Lead over every baseline, with 95 % intervals", _intervals(leads))}
    if best in leads and len(leads[best]["by_asset"]) > 1:
        found["assets.png"] = (f"Lead over {best} by asset", _intervals(leads[best]["by_asset"]))
    return found


def _intervals(rows: Mapping[str, LeadInterval]) -> bytes:
    figure = Figure(figsize=(6.4, 0.8 + 0.4 * len(rows)), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for at, row in enumerate(rows.values()):
        low, high = row["low"], row["high"]
        if low is not None and high is not None:
            axes.plot([low, high], [at, at], color="#2f6f8f", linewidth=2)
        axes.plot([row["mean"]], [at], "o", color="#2f6f8f")
    axes.axvline(0, color="#888888", linewidth=1)
    axes.set_yticks(range(len(rows)), list(rows))
    axes.invert_yaxis()
    axes.set_xlabel("percent of its score, minus is better")
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    content = io.BytesIO()
    figure.savefig(content, format="png")
    return content.getvalue()

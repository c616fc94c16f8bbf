"""The model card of a publication, and its pictures: what was proven, by how much, on what, what it does not say."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from synthcity.documents import write_yaml
from synthcity.market.store.series import SIMULATED
from synthcity.publish.publication import LeadFacts, Publication
from synthcity.search.finals.verdict import LeadInterval
from synthcity.search.report.model import Report
from synthcity.wording import bounds, duration, moment, percent

_REHEARSAL = "**REHEARSAL: found on a simulated market, at a stand-in for the Hub; worth nothing to anybody.**"
TAGS = ["bittensor", "sn50", "synth", "synthcity", "time-series-forecasting", "probabilistic-forecasting"]


def write_card(publication: Publication, report: Report, repo: str, plots: Sequence[tuple[str, str]]) -> str:
    """Return the card as Markdown with its front matter.

    Args:
        publication: what is told of the run.
        report: the run's own.
        repo: where it goes, ``owner/name``.
        plots: captions and paths of pictures in the repository.
    """
    front = {
        "library_name": "synthcity",
        "pipeline_tag": "time-series-forecasting",
        "tags": [*TAGS, publication.competition],
    }
    parts = [
        f"---\n{write_yaml(front).strip()}\n---",
        f"# {publication.competition}: {', '.join(publication.assets)}",
        *(_REHEARSAL for venue in publication.venues if venue == SIMULATED),
        report["verdict"]["sentence"],
        "## Leads on the test period",
        _leads(publication.leads, report),
        "Percent of the baseline's score (CRPS in basis points as Bittensor's subnet 50 counts it); minus is better. "
        "Intervals are of paired differences between days.",
        *(f"![{caption}]({path})" for caption, path in plots),
        "## Periods",
        _table(["period", "from, to (UTC)"], [[name, text] for name, text in publication.periods.items()]),
        f"The test period was looked at {_times(publication.looks)}, on {publication.num_prompts:,} prompts, after the "
        "winner was frozen.",
        "## Data",
        _table(
            ["what", "which"],
            [
                ["prices", ", ".join(publication.venues)],
                ["assets", ", ".join(publication.assets)],
                ["competition", f"{publication.competition}, rules of {publication.rules}"],
                ["search", f"{publication.trials} candidates in {duration(report['run']['seconds'])}"],
                ["finished", moment(publication.finished)],
                ["bundle", f"`{publication.bundle}`"],
            ],
        ),
        "## Limits",
        _limits(publication, report),
        "## Load, check and serve",
        _usage(publication, repo),
        "## Files",
        f"`{publication.folder}/bundle` is the forecaster (safetensors and JSON, no pickle), `report.json` the whole "
        "report, `test_prompts.parquet` some test prompts with prices and figures, from which `synthcity pull` scores "
        "the bundle again.",
    ]
    return "\n\n".join(parts) + "\n"


def draw_plots(report: Report) -> dict[str, tuple[str, bytes]]:
    """Return caption and picture by file name: the leads over every baseline, and over the strongest one by asset."""
    leads = report["leads"]
    best = report["verdict"]["best_baseline"]
    found = {"leads.png": ("Lead over every baseline, with 95 % intervals", _intervals(leads))}
    if best in leads and len(leads[best]["by_asset"]) > 1:
        found["assets.png"] = (f"Lead over {best} by asset", _intervals(leads[best]["by_asset"]))
    return found


def _leads(leads: Sequence[LeadFacts], report: Report) -> str:
    proven, rows = report["verdict"]["proven_against"], []
    for lead in leads:
        rows.append(
            [lead.baseline, percent(lead.mean), bounds(lead.low, lead.high), "yes" if proven[lead.baseline] else "no"]
        )
    return _table(["against", "lead", "95 % interval", "proven"], rows)


def _limits(publication: Publication, report: Report) -> str:
    lines = [
        f"Made for prompts of {publication.competition} about {', '.join(publication.assets)}, and for no others.",
        "Proven on the days of its test period. Markets change: nothing here promises a lead on other days.",
        f"Judged by the rules of {publication.rules}; the subnet changes its rules now and then.",
    ]
    if publication.looks > 1:
        lines.append("Its test period was looked at more than once, so the verdict counts for less.")
    if publication.has_code:
        lines.append("It holds code that a language model wrote; read `bundle/**/code` before you trust it.")
    lines += report["warnings"]
    return "\n".join(f"- {' '.join(line.split())}" for line in lines)


def _usage(publication: Publication, repo: str) -> str:
    folder = publication.folder.replace("/", "-")
    return "\n".join(
        [
            "```bash",
            "pip install 'synth-city[publish]'",
            f"synthcity pull {repo} --to {folder}",
            f"synthcity backtest {folder} fhs --data STORE --competition {publication.competition}",
            f"synthcity serve {folder} --data STORE",
            "```",
            "",
            "```python",
            "import synthcity",
            "",
            f'forecaster = synthcity.load("{folder}")',
            "```",
        ]
    )


def _table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', ' ') for cell in line)} |" for line in lines)


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


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

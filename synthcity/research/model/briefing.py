"""What an experimenter is told: market, test, contract, examples, and what earlier rounds came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from synthcity.agents.loop import LoopConfig
from synthcity.authored.declared import MAX_COLUMNS
from synthcity.authored.examples import FEATURES, FORECASTERS
from synthcity.authored.vocabulary import NUMPY
from synthcity.market.times import format_time
from synthcity.research.bench import Bench, Found
from synthcity.research.config import ResearchConfig
from synthcity.research.control.recipes import is_schedule
from synthcity.research.known import Known
from synthcity.research.labbook import DROP, KEEP, LEAST_GAIN, MEND, Decided, LabBook, Tried
from synthcity.research.measuring.cases import Cases
from synthcity.research.model.tables import bounded
from synthcity.research.model.trying import told

_SHOWN = 2  # of the best, with their text
_ENTRIES = 40
_IMPORTS = {**NUMPY.modules, **NUMPY.names}
DECISIONS: Mapping[str, object] = {
    "type": "object",
    "properties": {
        "decisions": {
            "type": "array",
            "maxItems": 20,
            "items": {
                "type": "object",
                "properties": {
                    "name": {
                        "type": "string",
                        "description": "of an input or forecaster that was tested in this round",
                    },
                    "decision": {
                        "type": "string",
                        "enum": [KEEP, MEND, DROP],
                        "description": "what is dropped is not claimed; of two that say the same drop one",
                    },
                    "reason": {"type": "string", "maxLength": 400},
                },
                "required": ["name", "decision", "reason"],
                "additionalProperties": False,
            },
        },
        "summary": {"type": "string", "maxLength": 1000, "description": "what is known now and worth trying next"},
    },
    "required": ["decisions", "summary"],
    "additionalProperties": False,
}


def values(bench: Bench, cases: Cases, known: Known, config: ResearchConfig, turns: int) -> dict[str, str]:
    """Return the text of each place of the experimenter's prompt."""
    return {
        "market": _market(cases, known, config),
        "tests": str(config.trials),
        "turns": str(turns),
        "calls": str(LoopConfig.calls_per_turn),
        "claims": str(config.claims),
        "least": f"{LEAST_GAIN:g}",
        "columns": str(MAX_COLUMNS),
        "imports": "\n".join(f"- {name}: {' '.join(sorted(listed))}" for name, listed in _IMPORTS.items()),
        "builtins": " ".join(sorted(NUMPY.builtins)),
        "examples": "\n".join(f"```python\n{source}```\n" for source in FEATURES.values()),
        "forecasters": "\n".join(f"```python\n{source}```\n" for source in FORECASTERS.values()),
        "labbook": _labbook(bench.book, bench.arm),
        "best": "\n\n".join(_shown(found) for found in bench.best[:_SHOWN]),
    }


def _market(cases: Cases, known: Known, config: ResearchConfig) -> str:
    hours = cases.horizon * known.step / 3600
    folds = "; ".join(f"{name} {period}" for name, period in config.folds.finding.items())
    lines = [
        f"Assets: {', '.join(known.assets)}. Bars of {known.step} s. A prompt asks for the next {hours:g} hours, "
        f"{cases.horizon} steps; prompts start every {config.every / 3600:g} hours.",
        f"Folds for finding: {folds}. What you see and fit begins on {format_time(int(cases.start.min()))} and ends "
        "before the fold for confirming.",
        f"The baseline is {config.baseline}: a daily profile for weekdays and week-ends, bursts within the hour by "
        "hour of the day, and the asset's own volatility of minutes to days.",
    ]
    for name, (_, series) in known.series.items():
        kind = "a schedule; each value is when something is due, unix seconds, and is published ahead"
        lines.append(f"Series {name}: {len(series)} values, {kind if is_schedule(known, name) else 'of numbers'}.")
    return "\n".join(lines)


def _labbook(book: LabBook, arm: str) -> str:
    reasons = {(entry.name, entry.round): entry for entry in book.of(Decided, arm)}
    lines = []
    for entry in reversed(book.of(Tried, arm)):
        made = reasons.get((entry.name, entry.round))
        decided = f"; {made.decision}: {made.reason}" if made else ""
        lines.append((f"round {entry.round} {entry.name}", f"{entry.hypothesis} -> {told(entry)}{decided}"))
    summaries = [entry for entry in book.of(Decided, arm) if not entry.name]
    lines = [(f"round {entry.round} summary", entry.reason) for entry in reversed(summaries)] + lines
    return bounded("newest first", lines, _ENTRIES) if lines else ""


def _shown(found: Found) -> str:
    return f"{told(found.entry)}\n{found.entry.origin.text or ''}"


def tests_of(book: LabBook, arm: str, number: int) -> Sequence[Tried]:
    """Return what an arm had tested in a round."""
    return [entry for entry in book.of(Tried, arm) if entry.round == number]

"""What a language model is told of a search: the values of the planner's prompt, written from the history alone.

Every list has its longest and every text of a trial is cut, so a briefing does not grow with the search.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from synthcity.agents.prompts.components import describe_components
from synthcity.search.candidate import Config
from synthcity.search.history import FAILED, History, TrialRecord
from synthcity.search.space import Space, canonical

_TOP, _LAST, _OTHERS = 5, 10, 5
_CURVE_POINTS = 5
_NEAREST = 20  # known configs told as tried
_EXAMPLES = 3  # whole configs; more made models repeat them (arXiv 2512.24120)
_INSIGHTS = 12
_CAUSES = 8  # groups of failures, the largest first
_LONGEST = 240  # characters of a message, reason or rationale that others wrote
_FLAT = 0.001  # relative gain of a last rung below which a curve is a plateau
_QUICK_SCORED = 10  # scored trials from which quantiles say something


def briefing(space: Space, history: History, *, task: str, budget: str, rule: str, count: int) -> dict[str, str]:
    """Return the text of each place in the planner's prompt; ``rule`` says what kind of change is wanted."""
    shown = _shown(history)
    curves = list({r.candidate.id: r for r in (*history.scored[:_TOP], *history.finished[-_TOP:])}.values())
    return {
        "task": task,
        "rules": rule,
        "budget": budget,
        "components": describe_components(space.describe()),
        "history": "\n".join([_HEADER, *map(_row, shown)]) if shown else "",
        "curves": "\n".join(_curve(record) for record in curves if record.rungs),
        "failures": "\n".join([*_failures(history), *_refusals(history)]),
        "sampler": _sampler(space, history),
        "insights": "\n".join(_insights(history)),
        "tried": "\n".join(_tried(space, history)),
        "examples": "\n".join(json.dumps(record.candidate.config) for record in history.scored[:_EXAMPLES]),
        "count": str(count),
    }


def differences(config: Config) -> dict[str, Any]:
    """Return the part of a canonical config that differs from its defaults; names and lists stay whole."""
    names = [{"name": block["name"]} for block in config["blocks"]]
    default = canonical({"blocks": names, "head": {"name": config["head"]["name"]}})
    return {key: value for key in config if (value := _changed(config[key], default[key])) or key in ("blocks", "head")}


def _changed(value: Any, default: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: v for k, v in value.items() if k == "name" or v != default[k]}
    if isinstance(value, list):
        return [_changed(v, d) for v, d in zip(value, default, strict=True)]
    return value if value != default else None


_HEADER = "id\tsource\tscore\tseconds\tstatus\tconfig"


def _row(record: TrialRecord) -> str:
    score = "-" if record.score is None else f"{record.score:.1f}"
    candidate = record.candidate
    cells = [candidate.id, candidate.source, score, f"{record.seconds:.0f}", record.status]
    return "\t".join([*cells, json.dumps(differences(candidate.config))])


def _shown(history: History) -> list[TrialRecord]:
    """The best, the latest, and others from all over the ranking; worst first, what has no score before all."""
    scored = history.scored
    rest = scored[_TOP:]
    others = [rest[at * len(rest) // _OTHERS] for at in range(_OTHERS)] if len(rest) >= _OTHERS else rest
    chosen = {r.candidate.id: r for r in (*scored[:_TOP], *history.records[-_LAST:], *others)}
    return sorted(chosen.values(), key=lambda r: -(r.score if r.score is not None else float("inf")))


def _curve(record: TrialRecord) -> str:
    scores = [float(rung.get("rung_score", rung["score"])) for rung in record.rungs]
    last = len(scores) - 1
    picked = sorted({round(at * last / (_CURVE_POINTS - 1)) for at in range(_CURVE_POINTS)})
    return f"{record.candidate.id}: {' '.join(f'{scores[at]:.1f}' for at in picked)} ({shape(scores)})"


def shape(scores: list[float]) -> str:
    """Name a learning curve in one word or two."""
    if len(scores) < 2:
        return "one point"
    if scores[-1] > scores[0]:
        return "diverged"
    return "plateau" if scores[-2] - scores[-1] < _FLAT * abs(scores[-2]) else "still falling"


def _failures(history: History) -> Iterable[str]:
    groups: dict[str, list[TrialRecord]] = defaultdict(list)
    for record in history.records:
        if record.status == FAILED:
            failure = record.failure or {}
            lines = str(failure.get("message", "")).strip().splitlines()
            groups[_cut(f"{failure.get('class', 'unknown')}: {lines[0] if lines else ''}")].append(record)
    for cause, records in sorted(groups.items(), key=lambda item: -len(item[1]))[:_CAUSES]:
        yield f"{cause}, {len(records)}x, e.g. {json.dumps(differences(records[-1].candidate.config))}"


def _refusals(history: History) -> Iterable[str]:
    groups: dict[str, list[str]] = defaultdict(list)
    for rejection in history.rejections:
        groups[rejection.stage].append(rejection.reason)
    for stage, reasons in sorted(groups.items(), key=lambda item: -len(item[1])):
        yield f"refused untrained ({stage}), {len(reasons)}x, e.g. {_cut(reasons[-1])}"


def _sampler(space: Space, history: History) -> str:
    """Ranges and choices of the better quarter, as a Parzen estimator sees them."""
    scored = history.scored
    if len(scored) < _QUICK_SCORED:
        return ""
    values: dict[str, list[Any]] = defaultdict(list)
    for record in scored[: max(3, len(scored) // 4)]:
        try:
            flat = space.flatten(record.candidate.config)
        except ValueError:  # a hand-written candidate may lie outside the sampled space
            continue
        for name, value in flat.items():
            values[name].append(value)
    lines = []
    for name, found in values.items():
        if all(isinstance(v, int | float) and not isinstance(v, bool) for v in found):
            lines.append(f"{name}: {min(found):g} to {max(found):g}")
        else:
            lines.append(f"{name}: {', '.join(sorted(set(map(str, found))))}")
    return "In the better quarter of all trials:\n" + "\n".join(lines)


def _insights(history: History) -> list[str]:
    """Parent, change and outcome of the latest derived candidates, those that did not help included."""
    lines = []
    for record in history.finished:
        parent = history.trials.get(record.candidate.parent or "")
        if parent is None or parent.score is None:
            continue
        if record.score is None:
            outcome = record.status
        else:
            change = 100 * (record.score / parent.score - 1)
            outcome = f"{'helped' if change < 0 else 'did not help'}, {change:+.2f} %"
        lines.append(f"{record.candidate.id} from {parent.candidate.id}: {_cut(record.candidate.rationale)}: {outcome}")
    return lines[-_INSIGHTS:]


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def _tried(space: Space, history: History) -> list[str]:
    best = [record.candidate.config for record in history.scored[:3]]

    def far(record: TrialRecord) -> float:
        try:
            return min((space.distance(record.candidate.config, config) for config in best), default=0.0)
        except ValueError:
            return 1.0

    return [json.dumps(differences(r.candidate.config)) for r in sorted(history.records, key=far)[:_NEAREST]]

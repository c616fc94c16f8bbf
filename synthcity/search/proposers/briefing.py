"""What a language model is told of a search: the values of the planner's prompt, written from the history alone.

Every list has its longest and every text of a trial is cut, so a briefing does not grow with the search: over the
default space it stays below 4,000 tokens of four bytes, what earlier runs taught not counted.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from contextlib import suppress

import numpy as np

from synthcity.agents.prompts.components import brief_components
from synthcity.errors import ConfigError
from synthcity.search.candidates.candidate import Config
from synthcity.search.candidates.notation import changes, differences, short
from synthcity.search.candidates.space import Space, canonical
from synthcity.search.debugger.failure import Failure
from synthcity.search.journal.history import FAILED, TrialHistory, TrialRecord
from synthcity.search.journal.standings import common, extent
from synthcity.search.proposers.curves import FLAT, curve, slices
from synthcity.search.proposers.stall import seeds_of, spread

_TOP, _LAST, _OTHERS = 5, 4, 2
_NEAREST = 3  # known configs told as tried, beside those of the history
_EXAMPLES = 1  # configs as they are to be answered; many make models repeat them (arXiv 2512.24120)
_FOCUS = 3  # components of the best trials, explained in full
_INSIGHTS = 7
_CAUSES, _STAGES = 4, 3  # groups of failures and of refusals, the largest first
_LONGEST = 120  # characters of a message or reason that others wrote
_LONGEST_RATIONALE = 40
_MOST_USED = 8  # components told in the good region
_QUICK_SCORED = 10  # scored trials from which quantiles say something
_FEW = 3  # values from which a range says something, and trials that count as the best


def briefing(
    space: Space, history: TrialHistory, *, task: str, budget: str, rule: str, count: int, earlier: str = ""
) -> dict[str, str]:
    """Return the text of each place in the planner's prompt.

    ``rule`` says what kind of change is wanted, ``earlier`` what is known from other runs.
    """
    shown = _shown(history)
    ranked = history.ranked
    curves = list({r.candidate.id: r for r in (*ranked[:_TOP], *history.finished[-_FEW:])}.values())
    return {
        "task": task,
        "rules": rule,
        "budget": budget,
        "components": brief_components(space.describe(), _focus(history)),
        "baselines": _baselines(history),
        "history": _table(history, shown),
        "flat": FLAT if any(record.rungs for record in curves) else "",
        "curves": "\n".join(curve(record) for record in curves if record.rungs),
        "slices": "\n".join(slices(history)),
        "failures": "\n".join([*_failures(history), *_refusals(history)]),
        "sampler": _sampler(space, history),
        "insights": "\n".join(insights(history, _INSIGHTS)),
        "earlier": earlier,
        "tried": "\n".join(_tried(space, history, shown)),
        "examples": "\n".join(
            json.dumps(differences(record.candidate.config), separators=(",", ":")) for record in ranked[:_EXAMPLES]
        ),
        "count": _asked(count),
    }


def _focus(history: TrialHistory) -> list[str]:
    """Components of the best trials, the best's first."""
    configs = [record.candidate.config for record in history.ranked[:_FEW]]
    names = [part["name"] for config in configs for part in (*config["blocks"], config["head"])]
    return list(dict.fromkeys(names))[:_FOCUS]


def _asked(count: int) -> str:
    return "one proposal that differs" if count == 1 else f"{count} proposals that differ in kind from each other and"


def _baselines(history: TrialHistory) -> str:
    ranked = sorted(history.baselines.items(), key=lambda item: item[1])
    return ", ".join(f"{name} {score:.1f}" for name, score in ranked[:_TOP])


def _table(history: TrialHistory, shown: list[TrialRecord]) -> str:
    if not shown:
        return ""
    seeds = seeds_of(history)
    noise = spread(seeds)
    known = "not measured yet" if noise is None else f"{noise:.1f}"
    lines = [
        f"Spread of a score over seeds (one standard deviation): {known}",
        "id\tsource\tscore\tseconds\tstatus\tconfig",
    ]
    for record in shown:
        candidate, several = record.candidate, seeds.get(record.candidate.hash, [])
        score = "-" if record.score is None else f"{record.score:.1f}"
        if record.score is not None and (part := extent(record)):
            score += f" at {part}"
        if len(several) > 1:
            score = f"{np.mean(several):.1f} over {len(several)} seeds"
        cells = [candidate.id, candidate.source, score, f"{record.seconds:.0f}", record.status]
        lines.append("\t".join([*cells, short(candidate.config)]))
    return "\n".join(lines)


def _shown(history: TrialHistory) -> list[TrialRecord]:
    """The best, the latest, and others from all over the ranking; worst first, what has no score before all."""
    scored = history.ranked
    rest = scored[_TOP:]
    others = [rest[at * len(rest) // _OTHERS] for at in range(_OTHERS)] if len(rest) >= _OTHERS else rest
    latest = history.first_trainings[-_LAST:]
    chosen = {r.candidate.hash: r for r in (*latest, *others, *scored[:_TOP])}
    place = {record.candidate.hash: at for at, record in enumerate(scored)}
    return sorted(chosen.values(), key=lambda record: -place.get(record.candidate.hash, len(place)))


def _failures(history: TrialHistory) -> Iterable[str]:
    groups: dict[str, list[TrialRecord]] = defaultdict(list)
    for record in history.records:
        if record.status == FAILED:
            groups[Failure.of(record.failure).fingerprint].append(record)
    for records in sorted(groups.values(), key=lambda group: -len(group))[:_CAUSES]:
        cause = _cut(Failure.of(records[-1].failure).text, _LONGEST)
        yield f"{cause}, {len(records)}x, e.g. {short(records[-1].candidate.config)}"


def _refusals(history: TrialHistory) -> Iterable[str]:
    groups: dict[str, list[str]] = defaultdict(list)
    for rejection in history.rejections:
        groups[rejection.stage].append(rejection.reason)
    for stage, reasons in sorted(groups.items(), key=lambda item: -len(item[1]))[:_STAGES]:
        yield f"refused untrained ({stage}), {len(reasons)}x, e.g. {_cut(reasons[-1], _LONGEST)}"


def _sampler(space: Space, history: TrialHistory) -> str:
    """Where the better quarter lies, as a Parzen estimator sees it: numbers by their middle half, names by counts."""
    scored = history.ranked
    if len(scored) < _QUICK_SCORED:
        return ""
    better = scored[: max(_FEW, len(scored) // 4)]
    values: dict[str, list[float]] = defaultdict(list)
    told = {*(parameter.name.partition(".")[0] for parameter in space.shared), "num_blocks", *_focus(history)}
    for record in better:
        try:
            flat = space.flatten(record.candidate.config)
        except ValueError:  # a hand-written candidate may lie outside the sampled space
            continue
        for name, value in flat.items():
            key = name if name.startswith("training.") else ".".join(name.split(".")[-2:])
            if not isinstance(value, str | bool) and key.partition(".")[0] in told:
                values[key].append(value)
    lines = [f"In the better quarter ({len(better)} of {len(scored)} trials with a score) half of the values lie in"]
    for name, found in values.items():
        if len(found) >= _FEW:
            low, high = np.quantile(found, [0.25, 0.75], method="inverted_cdf")
            lines.append(f"{name}: {low:.3g} to {high:.3g}")
    for kind in ("blocks", "head"):
        all_of, best_of = _used(scored, kind), _used(better, kind)
        shares = [f"{name} {count} of {all_of[name]}" for name, count in best_of.most_common(_MOST_USED)]
        lines.append(f"{kind} of these, of all trials that use it: {', '.join(shares) or 'none'}")
    return "\n".join(lines)


def _used(records: list[TrialRecord], kind: str) -> Counter[str]:
    """How many trials use each block or head."""
    configs = [record.candidate.config[kind] for record in records]
    return Counter(
        name for part in configs for name in {each["name"] for each in (part if kind == "blocks" else [part])}
    )


def insights(history: TrialHistory, most: int, *, named: bool = True) -> list[str]:
    """Parent, change, reason and outcome of derived candidates, in the order of admission.

    Both are compared as far as both were trained, on the seed that all first trainings share. Where there are more than
    ``most``, half are the greatest gains and half the greatest losses. What is within the spread over seeds is told so;
    what failed is told by its cause, elsewhere. ``named`` tells ids.
    """
    noise = spread(seeds_of(history)) or 0.0
    trained: dict[str, TrialRecord] = {}
    for record in history.first_trainings:
        trained.setdefault(record.candidate.hash, record)
    found: list[tuple[float, str]] = []
    for record in history.first_trainings:
        candidate, named_parent = record.candidate, history.trials.get(record.candidate.parent or "")
        parent = None if named_parent is None else trained.get(named_parent.candidate.hash)
        both = common(parent, record) if parent is not None and record.finished else None
        if parent is None or both is None:
            continue
        before, after, rung = both
        gain = before - after
        word = "no difference beyond seeds" if abs(gain) <= noise else "helped" if gain > 0 else "did not help"
        outcome = f"{word}, {-100 * gain / before:+.2f} %"
        outcome += "" if rung is None else f" at rung {rung}, which both have"
        name = f"{candidate.id} from {parent.candidate.id}" if named else parent.candidate.architecture
        why = f" ({_cut(candidate.rationale, _LONGEST_RATIONALE)})" if candidate.rationale else ""
        found.append((gain, f"{name}: {changes(parent.candidate.config, candidate.config)}{why}: {outcome}"))
    ranked = sorted(range(len(found)), key=lambda at: -found[at][0])
    if len(ranked) > most:
        helped = sum(gain > 0 for gain, _ in found)
        first = max(min(helped, most // 2), most - (len(found) - helped))
        ranked = ranked[:first] + ranked[len(ranked) - (most - first) :]
    return [found[at][1] for at in sorted(ranked)]


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 3] + "..."


def _tried(space: Space, history: TrialHistory, shown: list[TrialRecord]) -> list[str]:
    """What was proposed and waits, then those nearest to the best that the history does not show."""
    best = [record.candidate.config for record in history.ranked[:_FEW]]
    told = {record.candidate.hash for record in shown}

    def far(record: TrialRecord) -> float:
        try:
            return min((space.distance(record.candidate.config, config) for config in best), default=0.0)
        except ValueError:
            return 1.0

    others = {r.candidate.hash: r for r in history.records if r.candidate.hash not in told}
    waiting = (each.config for source in {a.source: None for a in history.answers} for each in history.waiting(source))
    nearest = (r.candidate.config for r in sorted(others.values(), key=far)[:_NEAREST])
    return [*_known(waiting), *map(short, nearest)]


def _known(configs: Iterable[Config]) -> Iterable[str]:
    for config in configs:
        with suppress(ConfigError):  # the gate has not looked at it yet
            yield short(canonical(config))

"""How trainings went, in lines for a language model: learning curves, and where a score comes from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from synthcity.search.journal.history import TrialHistory
from synthcity.search.journal.record import TrialRecord, own_score
from synthcity.search.journal.standings import extent

_CURVE_POINTS = 5
# relative: less is no difference between two rungs; twice what the draws of validation add to one (docs/experiments.md)
_FLAT = 0.0003
FLAT = f"{_FLAT:.2%}".replace("%", " %")
_SLICED = 2  # trials told by slices
_SLICES = ("scores_by_asset", "scores_by_interval", "scores_by_hour")


def curve(record: TrialRecord) -> str:
    """Return the scores of a trial's rungs, a word for their shape, and the loss of its first and last rung."""
    scores = record.curve
    last = len(scores) - 1
    picked = sorted({round(at * last / (_CURVE_POINTS - 1)) for at in range(_CURVE_POINTS)})
    losses = [rung["train_loss"] for rung in record.rungs if "train_loss" in rung]
    trained = f", training loss {losses[0]:.4g} to {losses[-1]:.4g}" if len(losses) > 1 else ""
    part = extent(record) and f", {record.status} at {extent(record)}"
    return f"{record.id}: {' '.join(f'{scores[at]:.1f}' for at in picked)} ({shape(record)}{part}){trained}"


def shape(record: TrialRecord) -> str:
    """Name a learning curve by its last rung beside the best before it.

    * ``still falling``: better by more than ``FLAT``;
    * ``plateau``: within it;
    * ``overfitted``: worse by more, while the training loss went on falling (or is not known);
    * ``diverged``: worse by more, and so is the training loss.
    """
    scores, losses = record.curve, [rung.get("train_loss") for rung in record.rungs]
    if len(scores) < 2:
        return "one rung"
    before = min(scores[:-1])
    if abs(scores[-1] - before) <= _FLAT * abs(before):
        return "plateau"
    if scores[-1] < before:
        return "still falling"
    last, earlier = losses[-1], losses[-2]
    return "diverged" if last is not None and earlier is not None and last > earlier else "overfitted"


def slices(history: TrialHistory) -> Iterable[str]:
    """Tell what the best baseline and the best whole trials score by asset, part of the score and hour.

    Those of a trial are of its best rung; a part of the score is what it adds to the whole.
    """
    trials = [record for record in history.scored if not extent(record)]
    found: dict[str, Mapping[str, Mapping[str, float]]] = {}
    for record in trials[:_SLICED]:
        rung = min(record.rungs, key=own_score)
        told = {name: rung[name] for name in _SLICES if name in rung}  # type: ignore[literal-required]
        if told:
            found[record.id] = told
    if not found:
        return
    columns = {kind: list({key: None for each in found.values() for key in each.get(kind, {})}) for kind in _SLICES}
    hours = [f"{hour}h" for hour in columns["scores_by_hour"]]
    yield "\t".join(["", *columns["scores_by_asset"], *columns["scores_by_interval"], *hours])
    if history.baselines and history.baseline_slices:
        best = min(history.baselines, key=lambda name: history.baselines[name])
        found = {best: history.baseline_slices, **found}
    for name, each in found.items():
        cells = [each.get(kind, {}).get(key) for kind in _SLICES for key in columns[kind]]
        yield "\t".join([name, *("-" if cell is None else f"{cell:.1f}" for cell in cells)])

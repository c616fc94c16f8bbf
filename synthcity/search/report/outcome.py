"""What a finished search hands on: intervals of the lead, the report, and a few lines for the person who waited."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from synthcity.forecast.baselines import BASELINES
from synthcity.forecast.evaluation.compare import Lead, lead
from synthcity.forecast.evaluation.interval import block_days
from synthcity.forecast.evaluation.regimes import GroupsTold, lead_by_group, trailing_volatility
from synthcity.forecast.quantise import MARK
from synthcity.search.arms import OPEN
from synthcity.search.config import SearchConfig
from synthcity.search.data import SearchData
from synthcity.search.finals.final import TEST_SCORES, WINNER, TestLook
from synthcity.search.finals.verdict import LeadInterval, LeadTable, score_rows
from synthcity.search.journal.events import ArmTold, SeenTest, VerdictTold
from synthcity.search.journal.reading import Reading
from synthcity.search.journal.recorder import Recorder
from synthcity.search.proposers.arm_table import arm_rows
from synthcity.search.report.model import Report
from synthcity.search.report.report import build_report
from synthcity.search.report.saving import save_report
from synthcity.vault.mirror import Mirrored


@dataclass(frozen=True, eq=False, kw_only=True)
class SearchResult:
    """A finished search. ``report`` is the content of ``report.json``; its tables are data frames, too.

    ``vault`` says whether the run lies in its vault, None where it was given none.
    """

    folder: Path
    report: Report
    vault: Mirrored | None = None

    @property
    def page(self) -> Path:
        """The report to open in a browser."""
        return self.folder / "report.html"

    @property
    def winner(self) -> Path:
        """The bundle that was frozen on validation."""
        return self.folder / WINNER

    @property
    def trials(self) -> pd.DataFrame:
        """One row a candidate: id, source, architecture, config, state, score, seconds and more."""
        return pd.DataFrame([{k: v for k, v in row.items() if k != "curve"} for row in self.report["trials"]])

    @property
    def curves(self) -> pd.DataFrame:
        """One row a rung: the trial's id, the steps trained, the validation score in basis points."""
        rows = [(trial["id"], *point) for trial in self.report["trials"] for point in trial["curve"]]
        return pd.DataFrame(rows, columns=["id", "steps", "score"])

    @property
    def scores(self) -> pd.DataFrame:
        """One row a test prompt and forecaster, as ``Backtest.scores``: what the verdict was judged from."""
        return pd.read_parquet(self.folder / TEST_SCORES)


def conclude(
    *,
    folder: Path,
    config: SearchConfig,
    data: SearchData,
    recorder: Recorder,
    look: TestLook,
    versions: Mapping[str, str],
    command: str,
    tell: Callable[[Report], Sequence[str]] = lambda report: (),
) -> SearchResult:
    """Judge the test scores, journal the verdict once and write the report.

    ``tell`` passes the result on before it is written, and returns what of that went wrong, a sentence each.
    """
    leads, groups = {}, None
    baselines = baselines_of(look.scores)
    if look.challenger is not None:
        leads = leads_over(look.scores, look.challenger, data.weights, block_days(data.competition.time_length))
        groups = _groups(look, data)
    build = partial(
        build_report,
        scores=look.scores,
        challenger=look.challenger,
        baselines=baselines,
        leads=leads,
        weights=data.weights,
        diagnostics=look.diagnostics,
        groups=groups,
        config=config.to_dict(),
        versions=versions,
        command=command,
        venues=data.venues,
        arms=arm_rows(recorder.history, config.search.arms, reasons(recorder)),
        warnings=warnings(recorder),
    )
    report = build(history=recorder.history)
    if not recorder.last(VerdictTold):
        recorder.emit("verdict", **report["verdict"])
    if notes := tell(report):
        for note in notes:
            recorder.emit("degraded", note=note, tracking=True)
        report = build(history=recorder.history)
    save_report(folder, report)
    recorder.history.write_trials(folder / "trials.jsonl")
    return SearchResult(folder=folder, report=report)


def baselines_of(scores: pd.DataFrame) -> list[str]:
    """Return the baselines of the test period, the one with quantised paths among them."""
    names = scores["forecaster"].unique()
    return [str(name) for name in names if str(name).removesuffix(MARK) in BASELINES]


def warnings(reading: Reading) -> list[str]:
    """Return what of the look and of a language model's answers ran degraded, a sentence each."""
    seen = reading.last(SeenTest)
    lost = seen.get("lost", {}) if seen else {}
    dropped = seen["num_dropped"] - sum(lost.values()) if seen else 0
    notes = [f"{count} test prompts are lost for all forecasters: {reason}." for reason, count in lost.items()]
    notes += [f"{dropped} test prompts could not be scored: their last price was never observed."] if dropped else []
    uncorrected = [answer for answer in reading.history.answers if answer.error and answer.proposals]
    if uncorrected:
        last = uncorrected[-1]
        notes.append(
            f"{len(uncorrected)} answers of a language model went uncorrected, last {last.source}: {last.error}"
        )
    return notes


def reasons(reading: Reading) -> dict[str, str]:
    """Return why each arm was last away."""
    return {event["source"]: event["reason"] for event in reading.all(ArmTold) if event["state"] != OPEN}


def leads_over(scores: pd.DataFrame, challenger: str, weights: Mapping[str, float], days: int) -> dict[str, LeadTable]:
    """Return the challenger's lead over each baseline of the test period."""
    return {name: lead_table(scores, challenger, name, weights, days) for name in baselines_of(scores)}


def lead_table(
    scores: pd.DataFrame, challenger: str, baseline: str, weights: Mapping[str, float], days: int
) -> LeadTable:
    """Return the challenger's lead over one baseline, over all assets and by asset."""
    by_asset = {
        str(asset): _interval(lead(part, challenger, baseline, weights=weights, block_days=days))
        for asset, part in scores.groupby("asset", sort=True)
    }
    return LeadTable(
        **_interval(lead(scores, challenger, baseline, weights=weights, block_days=days)), by_asset=by_asset
    )


def _interval(found: Lead) -> LeadInterval:
    def known(value: float) -> float | None:
        return value if math.isfinite(value) else None

    return LeadInterval(mean=found.mean, low=known(found.low), high=known(found.high))


def _groups(look: TestLook, data: SearchData) -> GroupsTold:
    """Return the lead over the best baseline by hour of day and by volatility regime."""
    assert look.challenger is not None
    rows = score_rows(look.scores, look.challenger, baselines_of(look.scores), data.weights)
    best = next(row["name"] for row in rows if row["kind"] == "baseline")
    volatility = {
        (prompt.asset, prompt.start_time): trailing_volatility(data.market.as_of(prompt.start_time), prompt)
        for prompt in data.test_prompts()
    }
    days = block_days(data.competition.time_length)
    return lead_by_group(look.scores, look.challenger, best, volatility, weights=data.weights, block_days=days)

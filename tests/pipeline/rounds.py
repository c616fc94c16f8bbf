"""Rounds with searches that train, on a simulated market that goes on: does whoever answers get better than FHS?

``python -m tests.pipeline.rounds FOLDER --rounds 30``

It is the rehearsal of ``synthcity pipeline``, all of it, with small searches: an hour ahead of two assets whose
volatility comes and goes within minutes, which no baseline here knows. The same command goes on where it was stopped,
and ``--report`` only tells what there is. FHS answers at first. At the end it is put to all prompts that were settled,
on the same prices, and each champion is compared with it: on the prompts that the miner sent while it answered, and
once more all of them on the same days, after the last that any round looked at.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from synthcity.documents import write_yaml
from synthcity.durations import DAY
from synthcity.forecast.bundles.choose import choose
from synthcity.forecast.evaluation.backtest import backtest
from synthcity.forecast.evaluation.compare import Lead, lead
from synthcity.forecast.named import Named
from synthcity.market.simulated import SimulatedMarket
from synthcity.pipeline.config import Opening, load_pipeline
from synthcity.pipeline.events import Crowned, Deployed, Renewed
from synthcity.pipeline.journal import read_told
from synthcity.pipeline.run import run_pipeline
from synthcity.pipeline.state import PROVEN, State
from synthcity.pipeline.worlds.rehearsed_miner import longer
from synthcity.serve.answering.answer_ledger import LEDGER
from synthcity.serve.settlement.settle import read_scores
from synthcity.sn50.competitions import get_competition
from synthcity.sn50.prompt import Prompt

FHS = "fhs"
SWEEP = Path(__file__).parents[2] / "configs" / "quickstart.yaml"
LAW = {
    "days": 152, "fast_half_life_hours": 0.2, "fast_spread": 1.2, "slow_spread": 0.1, "seasonality": 0.0,
    "degrees_of_freedom": 30.0, "jumps_per_day": 0.0, "market_jumps_per_day": 0.0,
}  # fmt: skip
SEARCH = {
    "trials": 1, "rungs": 1, "max_steps": 300, "finalists": 1, "candidates": ["summary_gbm"], "time_budget": None,
    "trial_time": None, "workers": 1,
}  # fmt: skip
_EVERY = 3 * 3600  # seconds between two prompts of the last comparison


@dataclass(frozen=True, kw_only=True)
class Tenure:
    """A champion against FHS: ``sent`` on what it was asked while it answered, ``same`` on the days of all."""

    name: str
    since: int
    sent: Lead | None
    same: Lead


def write_pipeline(folder: Path, rounds: int) -> Path:
    """Write the pipeline file and its sweep file into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = ["competition=crypto-1h", "data.assets=[BTC, ETH]", "data.validation_every=19h", "data.test_every=3h"]
    settings += ["data.bursts=false", "data.calendar=false"]
    settings += [f"data.simulated.{name}={value}" for name, value in LAW.items()]
    values = {name: str(value).replace("None", "null").replace("'", "") for name, value in SEARCH.items()}
    settings += [f"search.{name}={value}" for name, value in values.items()]
    plain = {
        "sweeps": [str(SWEEP)], "folder": str(folder), "periods": "last 4 months", "settings": settings,
        "download": False, "publish": True, "deploy": str(folder / "miner"), "rounds": rounds, "every": "1s",
        "retries": 2, "budget_usd": 0,
    }  # fmt: skip
    path = folder / "pipeline.yaml"
    path.write_text(write_yaml(plain))
    return path


def tenures(opening: Opening, days: int) -> list[Tenure]:
    """Compare every champion with FHS; ``days`` of prices after the last look are for all of them."""
    [sweep] = opening.sweeps.values()
    told = read_told(opening.folder)
    state, competition = State.of(told), get_competition(sweep.config.competition)
    settled = read_scores(opening.folder / "miner" / LEDGER)
    end = (
        max([state.looked_until(competition.name) or 0, *(settled["start_time"] + competition.time_length)])
        // DAY
        * DAY
        + DAY
    )
    assets = list(sweep.config.data.assets or ())
    law = SimulatedMarket(longer(sweep, end + days * DAY))
    market = law.market(assets, end=end + days * DAY, resolution=competition.time_increment)
    grid = {"time_length": competition.time_length, "time_increment": competition.time_increment}
    crowned = [(one.event, one.time) for one in told if isinstance(one.event, Crowned)]

    def scored(names: Sequence[Named], asked: Iterable[tuple[str, int]]) -> pd.DataFrame:
        prompts = [Prompt(asset=asset, start_time=at, **grid) for asset, at in asked]
        done = backtest(names, market, prompts, competition).scores
        return done[["asset", "start_time", "forecaster", "total"]]

    fhs = Named(choose(FHS, quantised=True), FHS)
    champions = [Named(choose(one.folder, quantised=True), one.bundle) for one, _ in crowned]
    later = range(end, end + days * DAY - competition.time_length, _EVERY)
    same = scored([fhs, *champions], [(asset, at) for at in later for asset in assets])
    found = []
    for event, time in crowned:
        own = settled[(settled["bundle"] == event.bundle) & settled["sent"]]
        asked = sorted({(str(asset), int(at)) for asset, at in zip(own["asset"], own["start_time"], strict=True)})
        sent = _against(pd.concat([_plain(own), scored([fhs], asked)]), event.bundle) if asked else None
        name = Path(event.folder).name
        found.append(Tenure(name=name, since=int(time), sent=sent, same=_against(same, event.bundle)))
    return found


def _plain(settled: pd.DataFrame) -> pd.DataFrame:
    return settled.rename(columns={"bundle": "forecaster"})[["asset", "start_time", "forecaster", "total"]]


def _against(scores: pd.DataFrame, bundle: str) -> Lead:
    both = scores[scores["forecaster"].isin([bundle, FHS])]
    return lead(both, bundle, FHS, block_days=1)


def lines(opening: Opening, days: int) -> list[str]:
    """Return what there is to tell."""
    told = read_told(opening.folder)
    state = State.of(told)
    proven = [one.began.round for one in state.rounds if one.ended and one.ended.outcome == PROVEN]
    offers = [one.event for one in told if isinstance(one.event, Deployed | Renewed)]
    found = [
        f"{len(state.rounds)} rounds, {len(proven)} proven {proven}, {len(offers)} offers, {state.seconds:,.0f} s of "
        "searching"
    ]
    for number, one in enumerate(tenures(opening, days), start=1):
        sent = "nothing settled" if one.sent is None else f"{_told(one.sent)} on what it sent"
        found.append(f"champion {number} ({one.name}): {sent}; {_told(one.same)} on the same {days} days")
    return found


def _told(one: Lead) -> str:
    return f"{one.mean:+.2f} % on FHS ({one.low:+.2f} to {one.high:+.2f})"


def main() -> None:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--days", type=int, default=30, help="after the last look, for the comparison of all")
    parser.add_argument("--report", action="store_true", help="only tell what there is")
    args = parser.parse_args()
    opening = load_pipeline(write_pipeline(args.folder.absolute(), args.rounds))
    if not args.report:
        run_pipeline(opening, resume=True, tell=lambda line: print(line, flush=True))
    print("\n".join(lines(opening, args.days)), flush=True)


if __name__ == "__main__":
    main()

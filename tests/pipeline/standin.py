"""Work that is done in no time: a stand-in for searches, Hub and miner, whose faults and kills a test sets.

What it does outside the journal is kept in a folder as a real step would keep it, so that a test can count what was
done twice: searches that were paid for, publications and offers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from synthcity.durations import DAY
from synthcity.forecast.quantise import Quantised
from synthcity.market.periods import Periods
from synthcity.pipeline.config import PipelineConfig
from synthcity.pipeline.events import (
    Began,
    Crowned,
    Deployed,
    Ended,
    Failed,
    Judged,
    Opened,
    Planned,
    Published,
    Researched,
    Searched,
    Waiting,
)
from synthcity.pipeline.loop import CURABLE
from synthcity.pipeline.spending import level
from synthcity.pipeline.state import State, level_of
from synthcity.pipeline.steps.unseen import TooEarly, unseen_periods
from synthcity.publish.standin.shelf import Shelf
from synthcity.serve.settlement.offer import Offer
from synthcity.strict_json import loads
from tests.publish.proven import NAME, _Saving, config, made_data, made_prices, winner

START = 1_735_689_600  # 2025-01-01
CONFIG = PipelineConfig(sweeps=("sweep.yaml",), rounds=3, publish=True, deploy="miner", every=0.0)
Fault = Callable[[str, State], None]


def no_fault(step: str, state: State) -> None:
    """Nothing goes wrong."""


@dataclass
class StandIn:
    """``skill`` says by how much (percent, minus is better) a round beats the champion; None: it finds nothing.

    Less than half a percent proves nothing, and may race on trial.

    ``fault`` is called before and after what a step does (``search``, ``search done``, ...); it may raise or kill.
    """

    folder: Path
    fault: Fault = no_fault
    skill: Callable[[int], float | None] = lambda number: -1.0
    usd: float = 0.25

    def opened(self) -> Opened:
        return Opened(competitions=("crypto-24h",), world="REHEARSAL")

    def now(self, state: State) -> float:
        return max(state.clock, START + 360 * DAY)

    def wait(self, until: float) -> None:
        raise AssertionError(f"its clock is a stand-in's, so {until} has come")

    def news(self, state: State) -> list[Crowned]:
        """A miner promotes a challenger at once."""
        self.fault("news", state)
        done = next((one.deployed for one in reversed(state.rounds) if one.deployed), None)
        known = state.champions.get("crypto-24h")
        if done is None or (known and known.bundle == done.bundle):
            return []
        offer = Offer.read(self.folder / "miner")
        assert offer is not None
        assert offer.bundle == done.bundle
        return [Crowned(competition="crypto-24h", folder=done.folder, bundle=done.bundle, reason="it won")]

    def begin(self, state: State) -> Began | Waiting:
        self.fault("begin", state)
        end = int(self.now(state)) // DAY * DAY
        periods = unseen_periods(START, end, state.looked_until("crypto-24h"), DAY)
        if isinstance(periods, TooEarly):
            return Waiting(until=periods.until, reason="too few prices")
        look, level = level_of(state, "crypto-24h")
        return Began(
            round=len(state.rounds) + 1,
            competition="crypto-24h",
            periods=periods,
            assets=("BTC",),
            look=look,
            level=level,
        )

    def research(self, state: State) -> Researched:
        self.fault("research", state)
        assert state.current is not None
        return Researched(round=state.current.began.round, sentence="nothing", seconds=5.0)

    def plan(self, state: State) -> Planned | Ended:
        self.fault("plan", state)
        assert state.current is not None
        number, attempt = state.current.began.round, len(state.current.failed) + 1
        return Planned(
            round=number, attempt=attempt, by="rule", reason="a test", settings=(), fingerprint=f"{number}-{attempt}"
        )

    def search(self, state: State) -> Searched | Failed:
        """Pay once a run; the run's folder is the receipt."""
        assert state.current is not None
        plan = state.current.planned[-1]
        run = self.folder / "runs" / f"round-{plan.round}-{plan.attempt}"
        try:
            self.fault("search", state)
            if not (run / "paid").exists():
                run.mkdir(parents=True, exist_ok=True)
                (run / "paid.tmp").write_text(f"{self.usd}")
                (run / "paid.tmp").rename(run / "paid")
                with (self.folder / "money").open("a") as file:
                    file.write(f"{run.name}\n")
            self.fault("search done", state)
        except CURABLE as error:
            return Failed(round=plan.round, attempt=plan.attempt, reason=str(error), seconds=1.0)
        return Searched(
            round=plan.round, attempt=plan.attempt, run=run.name, sentence="Proven.", seconds=60.0, usd=self.usd
        )

    def check(self, state: State) -> Judged:
        self.fault("check", state)
        assert state.current is not None
        number = state.current.began.round
        found = self.skill(number)
        passed = found is not None and found <= -0.5
        on_trial = found is not None and -0.5 < found < 0
        bundle = f"{number:064x}"
        return Judged(round=number, passed=passed, reason="by the stand-in", bundle=bundle, on_trial=on_trial)

    def publish(self, state: State) -> Published:
        assert state.current is not None
        number, shelf = state.current.began.round, Shelf(folder=self.folder / "hub")
        self.fault("publish", state)
        shelf.create(private=True)
        mark = f"[round {number}]"
        commit = shelf.commit_of(mark) or shelf.commit({f"{number}.json": b"{}"}, mark, shelf.head().commit)
        self.fault("publish done", state)
        return Published(round=number, where=shelf.repo, commit=commit, bundle=f"{number:064x}")

    def deploy(self, state: State) -> Deployed:
        assert state.current is not None
        number, miner = state.current.began.round, self.folder / "miner"
        self.fault("deploy", state)
        bundle, folder = f"{number:064x}", str(miner / f"{number}")
        judged = state.current.judged
        on_trial = judged is not None and judged.on_trial
        Offer(folder=folder, bundle=bundle, reason="it leads", on_trial=on_trial).write(miner)
        self.fault("deploy done", state)
        return Deployed(round=number, state=str(miner), folder=folder, bundle=bundle)

    def paid(self) -> list[str]:
        """Runs that were paid for, once for each time."""
        path = self.folder / "money"
        return path.read_text().split() if path.exists() else []

    def commits(self) -> list[str]:
        """Titles on the stand-in for the Hub."""
        folder = self.folder / "hub" / "commits"
        titles = self.folder / "hub" / "titles"
        return [(titles / f"{path.name}.txt").read_text() for path in sorted(folder.glob("*"))]


def made_bundle(folder: Path) -> Path:
    """A bundle of one hour of BTC, as a search leaves its winner."""
    data = made_data(config(folder), made_prices(), "binance")
    Quantised(_Saving(winner(), NAME)).save(folder, metrics={}, manifest={**data.facts.to_manifest(), "seed": 0})
    return folder


def periods_of(days: int = 30) -> Periods:
    """Some periods, the test so many days long."""
    found = unseen_periods(START, START + 360 * DAY, START + (360 - days) * DAY, DAY)
    assert isinstance(found, Periods)
    return found


def began(number: int = 1, look: int = 1, **changes: object) -> Began:
    """The beginning of a round."""
    told: dict[str, object] = {"periods": periods_of(), "assets": ("BTC",), "competition": "crypto-24h", **changes}
    return Began(round=number, look=look, level=level(look), **told)  # type: ignore[arg-type]


def story(folder: Path) -> list[dict[str, object]]:
    """Return the journal's lines without what differs from run to run."""
    text = (folder / "pipeline.jsonl").read_text().replace(str(folder), "FOLDER")
    lines = [loads(line) for line in text.splitlines()]
    plain = [{key: value for key, value in line.items() if key not in ("time", "crc")} for line in lines]
    return [line for line in plain if line["kind"] not in ("resumed", "stopped", "troubled")]

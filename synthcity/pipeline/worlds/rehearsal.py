"""The rehearsal: a simulated market that goes on in time, a stand-in for the Hub, and a rehearsed miner.

Time is a stand-in's: what would be waited for has come at once. The miner keeps the same files as a real one, takes
what it is offered by the same rules, and promotes by the same verdict; instead of asking it, the prompts of the days
since are put to champion and challenger on the simulated prices.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import pandas as pd

from synthcity.durations import DAY
from synthcity.errors import ConfigError
from synthcity.files import make_folder
from synthcity.forecast.bundles.choose import choose, identify
from synthcity.forecast.bundles.suitability import facts_of, is_simulated
from synthcity.forecast.evaluation.backtest import backtest, backtest_prompts
from synthcity.forecast.evaluation.interval import block_days
from synthcity.forecast.named import Named
from synthcity.lines import append_line
from synthcity.market.periods import recent_start
from synthcity.market.simulated import SimulatedConfig, SimulatedMarket
from synthcity.pipeline.config import Opening, Sweep
from synthcity.pipeline.state import State
from synthcity.pipeline.worlds.world import Fresh
from synthcity.publish.standin.shelf import MARK, Shelf
from synthcity.serve.settlement.challenge import CHALLENGES, ChallengeConfig, ChallengeVerdict, Decision, decide
from synthcity.serve.settlement.offer import Offer, is_new, lost
from synthcity.serve.settlement.succession import Succession, begin, is_won
from synthcity.sn50.competitions import Competition, get_competition, get_rules

LEDGER = "ledger"
_TOOK = "took.json"
WARM_UP_DAYS = 30
"""Of the simulated market that nobody learns from, so that every window has a past."""


class Rehearsal:
    """See above; everything lies in the pipeline's folder."""

    mark = MARK
    patience = 17.0 * DAY  # until the next look of a race of blocks of two days

    def __init__(self, opening: Opening) -> None:
        self._opening = opening

    def now(self, state: State) -> float:
        """How far the simulated market has come: as far as was waited for, at first to the end of the sweeps' own."""
        return max(state.clock, *(one.config.data.simulated.end for one in self._opening.sweeps.values()))

    def wait(self, until: float) -> None:
        """The stand-in's clock is set ahead instead, by the event that says until when."""

    def fresh(self, sweep: Sweep, state: State) -> Fresh:
        """Let the market go on to the present; it begins with the same bars however long it is."""
        simulated = sweep.config.data.simulated
        end = int(self.now(state)) // DAY * DAY
        start = max(recent_start(self._opening.config.periods, end), simulated.epoch + WARM_UP_DAYS * DAY)
        competition = get_competition(sweep.config.competition, get_rules(sweep.config.rules))
        days = (end - simulated.epoch) // DAY + 1
        changes = {"simulated": {**_section(sweep), "days": days}}
        assets = sweep.config.data.assets or tuple(competition.assets)
        return Fresh(start=start, end=end, assets=assets, changes=changes)

    def looked_until(self, sweep: Sweep) -> int | None:
        """Nobody else has this market."""
        return None

    def hub(self) -> Shelf:
        """The stand-in."""
        return Shelf(folder=self._opening.folder / "hub")

    def settle(self, state: State) -> None:
        """Let the rehearsed miner take what it is offered, answer until now, and promote what has won."""
        folder = self._opening.config.deploy
        if folder is not None:
            for sweep in self._opening.sweeps.values():
                RehearsedMiner(Path(folder), sweep).look(self.now(state))


def check_rehearsal(opening: Opening) -> None:
    """Refuse to rehearse in the folder of a miner that validators may know.

    Raises:
        ConfigError: ``deploy`` is such a folder.
    """
    state = None if opening.config.deploy is None else Path(opening.config.deploy)
    if state is not None and state.is_dir() and any(state.iterdir()) and not (state / MARK).exists():
        raise ConfigError(
            f"deploy: {state} belongs to no rehearsed miner, and these prices are SIMULATED; name another"
        )


class RehearsedMiner:
    """A miner that answers nobody: its folder says so, and its prices are those of one simulated sweep."""

    def __init__(self, state: Path, sweep: Sweep) -> None:
        self._state, self._sweep = state, sweep
        make_folder(state)
        (state / MARK).touch()

    def look(self, now: float) -> Succession:
        """Do what a miner does meanwhile, up to ``now`` (unix s), and return who answers."""
        succession = Succession.read(self._state) or begin(self._state, "fhs", None)
        offer = Offer.read(self._state)
        if offer is not None and is_new(offer, succession) and not self._is_racing(succession):
            offer.check()
            if not is_simulated(facts_of(offer.folder)):
                raise ConfigError(f"{offer.folder} was not trained on simulated prices; it is no rehearsal")
            choose(offer.folder)
            (self._state / _TOOK).write_text(f"{int(now)}")
            succession = succession.challenged(offer.folder, offer.reason).write(self._state)
        if not self._is_racing(succession):
            return succession
        verdicts = self._verdicts(succession, now)
        if is_won(verdicts):
            reason = "; ".join(f"{one.competition}: {one.reason}" for one in verdicts)
            succession = succession.promoted(f"{MARK} {reason}").write(self._state)
        for one in verdicts:
            if one.decision is not Decision.TOO_EARLY:
                append_line(self._state / LEDGER / CHALLENGES, {**asdict(one), "judged_at": now})
        return succession

    @property
    def _competition(self) -> Competition:
        config = self._sweep.config
        return get_competition(config.competition, get_rules(config.rules))

    def _is_racing(self, succession: Succession) -> bool:
        challenger = succession.challenger
        if challenger is None or succession.champion == challenger:
            return False
        return lost(self._state / LEDGER, identify(challenger), self._competition.name) is None

    def _verdicts(self, succession: Succession, now: float) -> list[ChallengeVerdict]:
        competition = self._competition
        assert succession.challenger is not None
        made_for = {one.competition for one in facts_of(succession.challenger)}
        if competition.name not in made_for:
            return []
        pair = identify(succession.champion), identify(succession.challenger)
        scores = self._scores(succession, pair, competition, now)
        return [decide(scores, *pair, competition, now)]

    def _scores(
        self, succession: Succession, pair: tuple[str, str], competition: Competition, now: float
    ) -> pd.DataFrame:
        """Put the prompts of the days since the challenger came to both, as its ledger would hold them."""
        data, took = self._sweep.config.data, int((self._state / _TOOK).read_text())
        first, last = -(-took // DAY) * DAY, int(now) // DAY * DAY
        assets = data.assets or tuple(competition.assets)
        columns = ["asset", "start_time", "bundle", "total"]
        table = pd.DataFrame(columns=columns)
        if last - first > competition.time_length:
            a_day = -(-ChallengeConfig().min_per_block // (block_days(competition.time_length) * len(assets))) + 1
            every = DAY // a_day // competition.time_increment * competition.time_increment
            prompts = backtest_prompts(competition, assets, first, last, every, rules=get_rules())
            law = SimulatedMarket(_longer(self._sweep, last))
            market = law.market(assets, end=last + DAY, resolution=competition.time_increment)
            named = (succession.champion, succession.challenger)
            both = [Named(choose(str(name), quantised=True), mark) for name, mark in zip(named, pair, strict=True)]
            table = backtest(both, market, prompts, competition).scores.rename(columns={"forecaster": "bundle"})
        return table[columns].assign(competition=competition.name, fallback=None, time_length=competition.time_length)


def _section(sweep: Sweep) -> dict[str, object]:
    simulated: dict[str, object] = asdict(sweep.config.data.simulated)
    return simulated


def _longer(sweep: Sweep, end: int) -> SimulatedConfig:
    simulated = sweep.config.data.simulated
    return replace(simulated, days=(end - simulated.epoch) // DAY + 2)

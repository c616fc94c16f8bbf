"""A miner that answers nobody: it keeps a real miner's files, and takes and promotes challengers by the same rules.

Instead of asking it, the prompts of the days since are put to champion and challenger on the simulated prices, and what
they score goes into its ledger.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

from synthcity.durations import DAY
from synthcity.errors import ConfigError, DataError, RunError
from synthcity.files import atomic_write, make_folder
from synthcity.forecast.bundles.choose import choose, identify
from synthcity.forecast.bundles.suitability import facts_of, is_simulated
from synthcity.forecast.evaluation.backtest import backtest
from synthcity.forecast.evaluation.interval import block_days
from synthcity.forecast.named import Named
from synthcity.lines import LineWriter
from synthcity.market.simulated import SimulatedConfig, SimulatedMarket
from synthcity.pipeline.config import Sweep
from synthcity.publish.standin.shelf import MARK
from synthcity.serve.answering.answer_ledger import LEDGER, SCORES
from synthcity.serve.challengers.candidacy import race_of
from synthcity.serve.settlement.challenge import ChallengeConfig, ChallengeVerdict, Pair, judge
from synthcity.serve.settlement.offer import Offer, is_new, lost
from synthcity.serve.settlement.settle import ScoreRecord, read_scores
from synthcity.serve.settlement.succession import Succession, begin, is_won
from synthcity.sn50.competitions import Competition, get_competition, get_rules
from synthcity.sn50.prompt import Prompt

_TOOK = "took.json"


class RehearsedMiner:
    """A miner that answers nobody: its folder says so, and its prices are those of one simulated sweep."""

    def __init__(self, state: Path, sweep: Sweep) -> None:
        self._state, self._sweep = state, sweep
        make_folder(state)
        (state / MARK).touch()

    def look(self, now: float) -> Succession:
        """Do what a miner does meanwhile, up to ``now`` (unix s), and return who answers."""
        succession = Succession.read(self._state) or begin(self._state, "fhs", None, now)
        offer = Offer.read(self._state)
        if offer is not None and is_new(offer, succession) and not self._is_racing(succession):
            offer.check()
            if not is_simulated(facts_of(offer.folder)):
                raise ConfigError(f"{offer.folder} was not trained on simulated prices; it is no rehearsal")
            choose(offer.folder)
            try:
                atomic_write(self._state / _TOOK, f"{int(now)}")
            except OSError as error:
                raise RunError(f"cannot write {self._state / _TOOK} ({error.strerror or error})") from error
            succession = offer.taken(succession).write(self._state)
        if not self._is_racing(succession):
            return succession
        verdicts = self._verdicts(succession, now)
        if is_won(verdicts):
            reason = "; ".join(f"{one.competition}: {one.reason}" for one in verdicts)
            succession = succession.promoted(f"{MARK} {reason}", now).write(self._state)
        return succession

    @property
    def _competition(self) -> Competition:
        config = self._sweep.config
        return get_competition(config.competition, get_rules(config.rules))

    def _is_racing(self, succession: Succession) -> bool:
        challenger = succession.challenger
        if challenger is None or succession.champion == challenger:
            return False
        race = _race(succession, challenger)
        return lost(self._state / LEDGER, race.challenger, self._competition.name, is_refit=race.is_refit) is None

    def _verdicts(self, succession: Succession, now: float) -> list[ChallengeVerdict]:
        competition = self._competition
        assert succession.challenger is not None
        made_for = {one.competition for one in facts_of(succession.challenger)}
        if competition.name not in made_for:
            return []
        self._answer(succession, succession.challenger, now)
        pair = _race(succession, succession.challenger)
        try:
            return [judge(self._state / LEDGER, *pair[:2], competition, now, config=pair.config)]
        except DataError:  # not one prompt of theirs is over
            return []

    def _answer(self, succession: Succession, challenger: str, now: float) -> None:
        """Put the prompts since the challenger came to both, and write to the ledger what they scored, once each."""
        competition, ledger = self._competition, self._state / LEDGER
        bundles = {identify(name): name for name in (succession.champion, challenger)}
        known = read_scores(ledger)
        known = known[known["bundle"].isin(bundles)]
        took = max([self._took(), *known["start_time"] // DAY * DAY])
        done = set(zip(known["bundle"], known["asset"], known["start_time"], strict=True))
        last = int(now) // DAY * DAY
        prompts = self._prompts(-(-took // DAY) * DAY, last)
        missing = [one for one in prompts if any((each, one.asset, one.start_time) not in done for each in bundles)]
        if not missing:
            return
        law = SimulatedMarket(longer(self._sweep, last))
        assets = sorted({one.asset for one in missing})
        market = law.market(assets, end=last + DAY, resolution=competition.time_increment)
        both = [Named(choose(str(name), quantised=True), bundle) for bundle, name in bundles.items()]
        scores = backtest(both, market, missing, competition).scores[["asset", "start_time", "forecaster", "total"]]
        make_folder(ledger)
        with LineWriter(ledger / SCORES, exclusive=True) as lines:
            for asset, start, bundle, total in scores.itertuples(index=False):
                if (bundle, asset, start) not in done:
                    sent = bundle == identify(succession.champion)
                    lines.append(asdict(self._record(str(asset), int(start), str(bundle), float(total), sent=sent)))

    def _took(self) -> int:
        """When the challenger came, unix seconds."""
        path = self._state / _TOOK
        try:
            return int(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            told = f"does not say when the challenger came ({error}); write the unix time into it"
            raise RunError(f"{path} {told}") from error

    def _prompts(self, first: int, last: int) -> list[Prompt]:
        """Those of the days in ``[first, last)`` that are over by its end: enough for a block of days to count."""
        competition = self._competition
        assets = self._sweep.config.data.assets or tuple(competition.assets)
        a_day = -(-ChallengeConfig().min_per_block // (block_days(competition.time_length) * len(assets))) + 1
        every = DAY // a_day // competition.time_increment * competition.time_increment
        grid = {"time_length": competition.time_length, "time_increment": competition.time_increment}
        starts = [day + at * every for day in range(first, last, DAY) for at in range(a_day)]
        starts = [start for start in starts if start + competition.time_length <= last]
        return [Prompt(asset=asset, start_time=start, **grid) for start in starts for asset in assets]

    def _record(self, asset: str, start: int, bundle: str, total: float, *, sent: bool) -> ScoreRecord:
        competition = self._competition
        return ScoreRecord(
            answer=f"{MARK}-{asset}-{start}-{bundle}",
            asset=asset,
            start_time=start,
            time_length=competition.time_length,
            bundle=bundle,
            sent=sent,
            fallback=None,
            price_age=0.0,
            competition=competition.name,
            rules=get_rules(self._sweep.config.rules).date,
            total=total,
            reason=None,
        )


def _race(found: Succession, challenger: str) -> Pair:
    return race_of(found.champion, challenger, from_place=found.from_place, on_trial=found.on_trial)


def longer(sweep: Sweep, end: int) -> SimulatedConfig:
    """Return the market of a sweep, long enough to hold prices up to ``end`` (unix s)."""
    simulated = sweep.config.data.simulated
    return replace(simulated, days=(end - simulated.epoch) // DAY + 2)

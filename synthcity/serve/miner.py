"""A miner at work: looks at what is served, lets verdicts and hands decide who answers, and says how it all stands."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from synthcity.errors import SynthcityError
from synthcity.forecast.bundles.choose import identify
from synthcity.serve.answering.answer_ledger import LEDGER
from synthcity.serve.answering.prices import Prices
from synthcity.serve.answering.tally import Status
from synthcity.serve.build import ServeConfig
from synthcity.serve.challengers.candidacy import race_of
from synthcity.serve.operations.facts import Facts, Surroundings
from synthcity.serve.operations.recent import Recent
from synthcity.serve.operations.recording import Recorded
from synthcity.serve.operations.view import View
from synthcity.serve.settlement.challenge import ChallengeVerdict, Pair
from synthcity.serve.settlement.offer import Offer, had_its_race, is_new, is_over
from synthcity.serve.settlement.settler import Settler
from synthcity.serve.settlement.succession import Succession, begin, is_won, starting

TRIAL_ANSWERS = 10
"""Prompts for a new champion after which more fallbacks than paths of its own send it back."""

_log = logging.getLogger(__name__)


class Serving(Protocol):
    """What is being served; ``deployment.Deployed`` is one."""

    config: ServeConfig

    def status(self) -> Status:
        """How it stands; raises ``SynthcityError`` where nobody tells."""

    def roll_out(self, config: ServeConfig) -> None:
        """Serve something else without a failed answer; raises ``SynthcityError`` where the old one stays."""


def start_config(config: ServeConfig) -> ServeConfig:
    """What to serve at the start: ``config``, or the challenger that was promoted over its model.

    Raises:
        RunError: the file that says so is damaged.
    """
    return _serving(config, starting(Path(config.state), config.model, config.challenger))


class Miner:
    """Looks once a second or so; every look acts on what it finds and returns what to show."""

    def __init__(
        self,
        config: ServeConfig,
        serving: Serving,
        prices: Prices,
        settler: Settler,
        *,
        assets: Sequence[str],
        auto_promote: bool = False,
        watched: Callable[[], Mapping[str, str | None]] = dict,
        admit: Callable[[str], object] | None = None,
        surroundings: Callable[[], Surroundings] = Surroundings,
        recording: Callable[[], tuple[Recorded, ...]] = tuple,
        show: Callable[[View], None] = lambda view: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Build a miner.

        Args:
            config: that of the command.
            serving: what answers.
            prices: whose ages are told.
            settler: what the answers were worth.
            assets: to be shown.
            auto_promote: let a challenger that has won answer without a hand.
            watched: says what is wrong with what runs beside it, by its name.
            admit: raises ``SynthcityError`` where a bundle may not be taken as challenger; without it none is taken.
            surroundings: what is slow to find out.
            recording: what the feed holds of each asset.
            show: gets every view.
            clock: unix seconds.
        """
        self._config, self._serving, self._prices, self._settler = config, serving, prices, settler
        self._assets, self._auto, self._watched, self._clock = tuple(assets), auto_promote, watched, clock
        self._surroundings, self._recording, self._show, self._admit = surroundings, recording, show, admit
        self._state = Path(config.state)
        self._started_at, self._recent = clock(), Recent()
        self._on_trial = False
        self._told: str | None = None
        self._refused: str | None = None
        self._declined: Offer | None = None
        self._status = Status(replica=0)
        self._pair: Pair | None = None

    def look(self) -> View:
        """Act on verdicts and on the file of succession, and return what to show."""
        troubles: dict[str, list[str | None]] = {
            **{where: [problem] for where, problem in self._watched().items()},
            "venues": [self._prices.problem],
            "settlement": [self._settler.problem],
        }
        decided: str | None = None
        try:
            self._status = self._serving.status()
        except SynthcityError as error:
            troubles["replicas"] = [str(error)]
        try:
            decided = self._succeed()
        except SynthcityError as error:
            troubles["succession"] = [str(error)]
        troubles["door"] = [self._status.shut]
        troubles["answers"] = [*self._status.problems]
        troubles["drift"] = [*self._settler.latest.alarms]
        now = self._clock()
        recent, window = self._recent.of(now, self._status.figures)
        facts = Facts(
            title=f"{Path(self._serving.config.model).name}  {self._status.bundle[:12]}",
            now=now,
            started_at=self._started_at,
            assets=self._assets,
            ages={asset: self._age(asset, now) for asset in self._assets},
            status=self._status,
            recent=recent,
            window_seconds=window,
            settled=self._settler.latest,
            troubles={where: tuple(filter(None, dict.fromkeys(found))) for where, found in troubles.items()},
            surroundings=self._surroundings(),
            recorded=self._recording(),
        )
        view = View.of(facts, *filter(None, (decided, self._told)))
        self._show(view)
        return view

    def race(self) -> Pair | None:
        """Champion and challenger while one is shadowed; None until it is written down which."""
        config = self._serving.config
        if config.challenger is None:
            return None
        pair = identify(config.model), identify(config.challenger)
        if self._pair is None or self._pair[:2] != pair:  # asked once a second, and each hash has one answer
            succession = Succession.read(self._state)
            if succession is None or succession.challenger != config.challenger:
                return None
            self._pair = race_of(
                config.model, config.challenger, from_place=succession.from_place, on_trial=succession.on_trial
            )
        return self._pair

    def wants_challenger(self) -> bool:
        """Whether nothing is judged in the shadow, and nothing that is offered will be taken into it.

        Raises:
            RunError: a file of the state folder is damaged.
        """
        succession = Succession.read(self._state)
        return succession is not None and self._is_free() and self._offered(succession) is None

    def _succeed(self) -> str | None:
        """Follow the file, which a verdict or a failing champion may change; return what there is to decide."""
        succession = Succession.read(self._state) or begin(self._state, self._config.model, self._config.challenger)
        succession = self._challenged(succession)
        told, verdicts = None, self._verdicts()
        won = is_won(verdicts) and succession.champion == succession.named
        if won and self._serving.config.challenger is not None:
            reason = "; ".join(f"{v.competition}: {v.reason}" for v in verdicts)
            told = f"the challenger has won ({reason}); promote it by `synthcity mine promote {self._state}`"
            if self._auto and self._refused is None:  # a challenger that had to go back is promoted by hand alone
                succession, told = succession.promoted(reason, self._clock()).write(self._state), None
        if self._on_trial and self._is_failing() and succession.champion != succession.named:
            self._refused = succession.champion
            succession = self._back(succession, "it failed on most of its first prompts")
        wanted = _serving(self._config, succession)
        if wanted.model != self._serving.config.model:
            self._roll_out(wanted, succession)
        return told

    def _verdicts(self) -> tuple[ChallengeVerdict, ...]:
        """What is known of the race that goes on; the settler may yet tell of the one before."""
        race = self.race()
        latest = self._settler.latest.verdicts
        return () if race is None else tuple(v for v in latest if (v.champion, v.challenger) == race[:2])

    def _challenged(self, succession: Succession) -> Succession:
        """Take the challenger that is offered, if one is and no other is being judged."""
        offer = self._offered(succession)
        if offer is None or not self._is_free():
            return succession
        assert self._admit is not None
        try:
            offer.check()
            self._admit(offer.folder)
            taken = offer.taken(succession)
            self._serving.roll_out(_serving(self._config, taken))
        except SynthcityError as error:
            self._decline(offer, str(error))
            return succession
        self._on_trial, self._refused = False, None
        self._tell(f"{offer.folder} is the challenger: {offer.reason}")
        return taken.write(self._state)

    def _offered(self, succession: Succession) -> Offer | None:
        """What is offered and may yet be taken; one whose race is over and that was offered before it is not."""
        offer = None if self._admit is None else Offer.read(self._state)
        if offer is None or offer == self._declined or not is_new(offer, succession):
            return None
        if had_its_race(self._state / LEDGER, offer.bundle):
            self._decline(offer, f"{offer.folder} had its race; the ledger's challenges.jsonl tells how it ended")
            return None
        return offer

    def _decline(self, offer: Offer, reason: str) -> None:
        self._declined = offer
        self._tell(f"the challenger that was offered is not taken: {reason}")
        offer.decline(self._state, reason)

    def _is_free(self) -> bool:
        return self._serving.config.challenger is None or is_over(self._verdicts())

    def _roll_out(self, wanted: ServeConfig, succession: Succession) -> None:
        before = self._serving.config.model
        try:
            self._serving.roll_out(wanted)
        except SynthcityError as error:
            self._refused = succession.champion
            if succession.champion != succession.named:
                self._back(succession, f"{succession.champion} could not be served")
            self._tell(f"{before} stays champion: {error}")
            return
        self._on_trial = succession.champion != succession.named
        self._tell(f"{wanted.model} answers in place of {before}: {succession.reason}")

    def _back(self, succession: Succession, reason: str) -> Succession:
        return succession.revoked(reason, self._clock()).write(self._state)

    def _is_failing(self) -> bool:
        foreign = sum(self._status.foreign.values())
        asked, failed = (sum(counts.values()) - foreign for counts in (self._status.answered, self._status.fallbacks))
        return asked >= TRIAL_ANSWERS and 2 * failed > asked

    def _tell(self, text: str) -> None:
        _log.warning(text)
        self._told = text

    def _age(self, asset: str, now: float) -> float:
        try:
            return self._prices.age(asset, now)
        except SynthcityError:
            return math.inf


def _serving(config: ServeConfig, succession: Succession) -> ServeConfig:
    challenger = succession.challenger if succession.champion == succession.named else None
    return replace(config, model=succession.champion, challenger=challenger)

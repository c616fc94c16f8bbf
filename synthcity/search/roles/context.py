"""What an agent works with: the sweep's prices, the run's history, the gate, and what it tried itself."""

from __future__ import annotations

import time
from functools import cached_property
from pathlib import Path
from typing import TypeVar, cast

from synthcity.errors import ConfigError, SynthcityError
from synthcity.nets.registry import blocks, heads
from synthcity.search.candidates.candidate import Candidate, Config, Proposal
from synthcity.search.candidates.space import Space
from synthcity.search.config import SearchConfig, load_config
from synthcity.search.data import SearchData, load_data
from synthcity.search.gate import Gate, GateLimits, Rejected
from synthcity.search.journal.check import check, kind_of
from synthcity.search.journal.events import Earlier, Event
from synthcity.search.journal.folder import read_run
from synthcity.search.journal.history import COMPLETED, FAILED, TrialHistory
from synthcity.search.journal.parts import EarlierRun
from synthcity.search.roles.authoring import restore
from synthcity.search.vaulted import fetch_prices
from synthcity.sn50.prompt import Prompt

E = TypeVar("E")


class RoleContext:
    """The context of all roles' tools; prices are loaded when first needed."""

    def __init__(
        self, config: SearchConfig, events: list[Event], trial: str | None = None, folder: Path | None = None
    ) -> None:
        """Args: ``trial`` is what the work is about, where it is about one; ``folder`` is that of the run."""
        self.config = config
        self.folder = folder
        self.trial = trial
        self._num_found = len(events)
        self.events = events
        self.history = TrialHistory.replay(events)
        self.space = Space.from_registry(config.search.max_blocks, config.search.recipe)

    @classmethod
    def of_run(cls, folder: Path, *, trust_code: bool = False, trial: str | None = None) -> RoleContext:
        """Read a run folder; the run may be going on.

        Args:
            folder: of the run.
            trust_code: register the components that a language model wrote for it, which runs their code here.
            trial: what the work is about, where it is about one.

        Raises:
            RunError: it is none, or is damaged.
        """
        config, events = read_run(folder)
        if trust_code:
            restore(events, folder)
        return cls(config, events, trial, folder)

    def check_known(self) -> None:
        """Refuse a history whose trials hold components that are not registered here.

        Raises:
            ConfigError: the first of them, with the remedy.
        """
        for event in self.events:
            if event["kind"] != "authored":
                continue
            kind, name = event["component"], event["name"]
            if name not in (blocks() if kind == "block" else heads()):
                raise ConfigError(
                    f"a language model wrote the {kind} {name} for this run; add --trust-code to run such code here"
                )

    @classmethod
    def of_config(cls, path: Path, settings: tuple[str, ...] = ()) -> RoleContext:
        """Begin with a sweep file and an empty history."""
        return cls(load_config(path, settings), [])

    @cached_property
    def data(self) -> SearchData:
        """The prices; simulated or loaded when first needed."""
        return load_data(fetch_prices(self.config))

    @cached_property
    def gate(self) -> Gate:
        """The search's own gate, dry run included."""
        from synthcity.nets.training import Trainer

        budget = self.config.search
        limits = GateLimits(max_parameters=budget.max_parameters, max_step_seconds=budget.max_step_seconds)
        return Gate(self.space, lambda config: Trainer.check(dict(config), self.data.dataset), limits)

    def task(self) -> str:
        """Say what is forecast."""
        data = self.data
        return f"Competition {data.competition.name}: paths of {', '.join(data.assets)}, judged by their CRPS."

    def rules(self) -> str:
        """Say how it is judged, from the dated rules themselves."""
        data = self.data
        competition, num_paths = data.competition, Prompt(asset=data.assets[0], start_time=0).num_simulations
        weights = ", ".join(f"{asset} {weight:g}" for asset, weight in data.weights.items())
        terms = ", ".join(term.name for term in competition.horizons)
        return (
            f"Rules of {data.rules.date}: {num_paths:,} paths of {competition.num_points} prices, one every "
            f"{competition.time_increment} seconds over {competition.time_length // 3600} hours, finite and positive. "
            f"The score is a CRPS in basis points summed over {terms}; lower is better. Coefficients: {weights}."
        )

    def judge(self, proposal: Config) -> str:
        """Return the gate's verdict on a config in one line."""
        try:
            self.gate.admit(Proposal(config=proposal), "agent", self.history)
        except Rejected as rejection:
            return f"refused ({rejection.stage}): {rejection}"
        return "admitted"

    def train(self, config: Config, steps: int) -> dict[str, object]:
        """Train a config for one rung, in this process, and return its record.

        Raises:
            Rejected: the gate refuses it.
        """
        from synthcity.nets.training import Trainer

        candidate = self.gate.admit(Proposal(config=config), "agent", self.history)
        self.tell("candidate", **candidate.to_dict())
        self.tell("trial_started", id=candidate.id, from_rung=0)
        try:
            trainer = Trainer(
                dict(candidate.config), self.data.dataset, seed=self.config.search.seed, num_rungs=1, max_steps=steps
            )
            self.tell("rung", id=candidate.id, num_rungs=1, **trainer.advance())
        except (SynthcityError, ValueError, RuntimeError) as error:
            failure = {"class": type(error).__name__, "message": str(error), "traceback": ""}
            self.tell("trial_finished", id=candidate.id, status=FAILED, failure=failure)
        else:
            self.tell("trial_finished", id=candidate.id, status=COMPLETED)
        return self.result(candidate)

    def result(self, candidate: Candidate | str) -> dict[str, object]:
        """Return a trial's record as plain data.

        Raises:
            ValueError: there is none of this name.
        """
        name = candidate if isinstance(candidate, str) else candidate.id
        if name not in self.history.trials:
            raise ValueError(f"there is no trial {name!r}; there are {', '.join(self.history.trials) or 'none'}")
        record = self.history.trials[name].to_dict()
        kept = ("id", "source", "architecture", "config", "status", "score", "curve", "seconds", "parameters")
        return {key: record[key] for key in (*kept, "reason", "failure")}

    def last(self, cls: type[E]) -> E | None:
        """Return the run's latest event that ``cls`` describes."""
        kind = kind_of(cls)
        return next((cast(E, event) for event in reversed(self.events) if event["kind"] == kind), None)

    @property
    def earlier(self) -> list[EarlierRun]:
        """What the run was told of earlier ones."""
        told = self.last(Earlier)
        return told["runs"] if told else []

    @property
    def own(self) -> list[Event]:
        """What happened at this context, after all that the run had told."""
        return self.events[self._num_found :]

    def tell(self, kind: str, **fields: object) -> None:
        """Note that something happened; it stays on this context."""
        event = check({**fields, "kind": kind, "time": time.time()})
        self.events.append(event)
        self.history = self.history.after(event)

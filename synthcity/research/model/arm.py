"""The model's rounds: one agent's work each, with looks and tests, and a decision for all that it tested."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from synthcity.agents.client import LLMClient
from synthcity.agents.loop import LoopConfig, run_agent
from synthcity.agents.prompts import render
from synthcity.authored.panel import Panel
from synthcity.research.bench import Bench
from synthcity.research.config import ResearchConfig
from synthcity.research.known import Known
from synthcity.research.labbook import Decided, Noted
from synthcity.research.measuring.residuals import Residuals
from synthcity.research.model.briefing import DECISIONS, tests_of, values
from synthcity.research.model.desk import ROLE, Desk
from synthcity.research.model.trying import toolset
from synthcity.research.setting import Setting
from synthcity.research.written import panel_of

NAME = "model"
_TASK = "Find what the baseline does not know. Look first, then write and test."
_FAILED = 2  # rounds in a row; a third would be no better
_ROUND_SECONDS = 3_600.0  # unless less is left
_TURNS = 8  # beside one for each test


@dataclass(eq=False)
class Experimenter:
    """A language model at its desk; ``ended`` says why it works no more.

    ``failed`` counts the last rounds, in a row, that ended with a question without an answer.
    """

    client: LLMClient
    bench: Bench
    setting: Setting
    config: ResearchConfig
    residuals: Residuals
    known: Known
    panel: Panel
    ended: str = ""
    failed: int = 0

    @property
    def usd(self) -> float:
        """What it has cost, earlier sessions included, and nothing that others ask the same client."""
        spent = self.client.ledger.accounts
        return sum((one.usd for name, one in spent.items() if name.startswith(f"{ROLE}-")), 0.0)

    @classmethod
    def of(cls, client: LLMClient, bench: Bench, setting: Setting, config: ResearchConfig) -> Experimenter:
        """Put what was known and left unexplained before the confirming fold onto the desk."""
        return cls(
            client=client,
            bench=bench,
            setting=setting,
            config=config,
            residuals=Residuals.of(setting.cases, config.folds.confirm.start),
            known=setting.known.before(config.folds.confirm.start),
            panel=panel_of(setting.market, setting.known),
        )

    def run_round(self, number: int, left: Callable[[], float]) -> int:
        """Let the model work one round, and return how many inputs and forecasters it had tested.

        Args:
            number: of the round, from 1.
            left: seconds that finding may still take; asked before each question, which may take no longer.
        """
        available = self.client.availability
        if not available.ready:
            self.ended = available.reason
            return 0
        config, bench = self.config, self.bench
        desk = Desk(
            bench=bench,
            residuals=self.residuals,
            known=self.known,
            panel=self.panel,
            round=number,
            tests=config.trials,
        )
        turns = _TURNS + config.trials
        end = time.monotonic() + _ROUND_SECONDS
        seconds = min(left(), _ROUND_SECONDS)
        prompt = render(ROLE, values(bench, self.setting.cases, self.known, config, turns))
        result = run_agent(
            self.client,
            toolset(desk),
            system=prompt.text,
            task=f"Round {number} of {config.rounds}. {_TASK}",
            account=f"{ROLE}-{number}",
            purpose=f"research:{ROLE}",
            finish=DECISIONS,
            config=LoopConfig(turns=turns, context=120_000, seconds=seconds),
            prompt_version=prompt.version,
            clock=lambda: seconds - min(left(), end - time.monotonic()),  # what is left may become less meanwhile
        )
        tried = tests_of(bench.book, bench.arm, number)
        self.failed = self.failed + 1 if result.status == "failed" else 0
        if result.result is None:
            bench.book.add(Noted(text=f"round {number} of the model ended early ({result.status}): {result.reason}"))
            if result.status == "failed" and (self.failed == _FAILED or not self.client.availability.ready):
                self.ended = result.reason
        else:
            names = {entry.name for entry in tried}
            for one in result.result["decisions"]:
                if one["name"] in names:
                    self._decided(number, one["name"], one["decision"], one["reason"])
            self._decided(number, "", "summary", result.result["summary"])
        return len(tried)

    def _decided(self, number: int, name: str, decision: str, reason: str) -> None:
        self.bench.book.add(Decided(arm=self.bench.arm, round=number, name=name, decision=decision, reason=reason))

"""The plan of a round by a language model: what the rounds before came to goes in, settings of the sweep file come out.

It says what to try and why, within the space below; whatever it says else is not an answer. What it was paid for is in
the pipeline's transcript before it is used, so a killed process asks for nothing again. Where it is away, out of money
or of no help, the rule plans, and the plan says so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict, cast

from synthcity.agents.asking.answers import check
from synthcity.agents.client import LLMClient
from synthcity.agents.prompts import render
from synthcity.agents.structured import complete_json
from synthcity.errors import ConfigError, LLMError
from synthcity.history.lessons import lessons
from synthcity.history.local import list_local
from synthcity.pipeline.config import Sweep
from synthcity.pipeline.state import Round, State
from synthcity.pipeline.steps.rule import Plan, fingerprint, rule
from synthcity.search.candidates.presets import presets

_PROMPT = "pipeline"
_RECENT = 8


class Answer(TypedDict):
    """What a model gives: a reason, and values for some keys of the sweep file."""

    reason: str
    settings: Mapping[str, object]


class Agent:
    """A planner for ``work.Rounds`` that asks a language model."""

    def __init__(self, client: LLMClient, runs: Path, budget_usd: float | None = None) -> None:
        """Plan for one pipeline.

        Args:
            client: who is asked; its folder keeps what was said.
            runs: the folder of what may teach a round.
            budget_usd: of all rounds, searches included; None for no bound.
        """
        self._client, self._runs, self._budget = client, runs, budget_usd

    def __call__(self, sweep: Sweep, state: State, found: Round, temperature: float) -> Plan:
        """Return the model's plan, or the rule's with the reason why."""
        account = f"round-{found.began.round}-{len(found.failed) + 1}"

        def instead(reason: str) -> Plan:
            return _instead(sweep, state, found, temperature, reason, usd=self._paid(account))

        ready = self._client.availability
        if not ready.ready:
            return instead(ready.reason)
        dearest = self._client.config.caps.usd_per_proposal or 0.0
        if self._budget is not None and self._budget - state.usd <= dearest:
            left = f"{max(0.0, self._budget - state.usd):.2f} USD of the budget are left"
            return instead(f"{left}, and a plan may take {dearest:.2f}")
        try:
            answer = self._asked(sweep, state, found, temperature, account)
            settings = _settings(answer)
            fingerprint(sweep, settings)  # within the space of sweep files, or no plan
        except (LLMError, ConfigError) as error:
            return instead(str(error))
        own = rule(sweep, state, found, temperature).settings
        kept = [one for one in own if one.partition("=")[0] in ("search.seed", "search.earlier")]
        return Plan(settings=(*kept, *settings), reason=answer["reason"], by="agent", usd=self._paid(account))

    def _paid(self, account: str) -> float:
        """What an attempt's plan was charged, by processes that were killed before it was journalled, too."""
        return self._client.ledger.account(account).usd

    def _asked(self, sweep: Sweep, state: State, found: Round, temperature: float, account: str) -> Answer:
        schema = plan_schema(sweep)
        if earlier := self._client.earlier(account):
            value, errors = check(earlier[-1].text or earlier[-1].thinking, schema)
            if not errors:
                return cast(Answer, value)
        prompt = render(_PROMPT, self._values(sweep, state, found))
        done = complete_json(
            self._client,
            [{"role": "user", "content": prompt.text}],
            schema,
            account=account,
            purpose="plan",
            temperature=temperature,
            prompt_version=prompt.version,
        )
        return cast(Answer, done.value)

    def _values(self, sweep: Sweep, state: State, found: Round) -> dict[str, str]:
        began, search = found.began, sweep.config.search
        told = lessons(
            list_local(self._runs).rows,
            competition=began.competition,
            is_simulated=sweep.is_simulated,
            before=began.periods.test.start,
        )
        rounds = [_line(one) for one in state.rounds[:-1] if one.began.competition == began.competition][-_RECENT:]
        failed = [f"attempt {one.attempt} of this round came to nothing: {one.reason}" for one in found.failed]
        usual = {name: getattr(search, name) for name in ("trials", "max_steps", "max_blocks", "finalists", "rungs")}
        return {
            "task": f"Round {began.round}: {began.competition} of {', '.join(began.assets)}, {began.periods.test}.",
            "usual": json.dumps(usual),
            "rounds": "\n".join([*rounds, *failed]),
            "lessons": "\n".join(told),
        }


def plan_schema(sweep: Sweep) -> dict[str, object]:
    """Return the JSON Schema of an answer: a part of what a sweep file may say, no dearer than the file itself."""
    search = sweep.config.search
    settings: dict[str, object] = {
        "search.trials": {"type": "integer", "minimum": 1, "maximum": search.trials},
        "search.max_steps": {"type": "integer", "minimum": search.rungs, "maximum": 4 * search.max_steps},
        "search.max_blocks": {"type": "integer", "minimum": 1, "maximum": 4},
        "search.finalists": {"type": "integer", "minimum": 1, "maximum": max(4, search.finalists)},
        "search.candidates": {
            "type": "array",
            "minItems": 1,
            "maxItems": 8,
            "uniqueItems": True,
            "items": {"enum": list(presets())},
        },
        "data.bursts": {"type": "boolean"},
        "data.calendar": {"type": "boolean"},
    }
    return {
        "type": "object",
        "properties": {
            "reason": {"type": "string", "minLength": 10, "maxLength": 600},
            "settings": {
                "type": "object",
                "properties": settings,
                "minProperties": 1,
                "additionalProperties": False,
            },
        },
        "required": ["reason", "settings"],
        "additionalProperties": False,
    }


def _settings(answer: Answer) -> tuple[str, ...]:
    return tuple(f"{name}={json.dumps(value)}" for name, value in sorted(answer["settings"].items()))


def _instead(sweep: Sweep, state: State, found: Round, temperature: float, reason: str, usd: float) -> Plan:
    plan = rule(sweep, state, found, temperature)
    told = f"the language model is of no help ({reason}), so by rule: {plan.reason}"
    return Plan(settings=plan.settings, reason=told, by="rule", usd=usd)


def _line(one: Round) -> str:
    """A round before this one: what was planned and what came of it."""
    plan = one.planned[-1] if one.planned else None
    tried = f"{plan.reason} ({', '.join(plan.settings)})" if plan else "nothing was planned"
    judged = f"; {one.judged.reason}" if one.judged else ""
    return f"round {one.began.round}: {tried}{judged}"

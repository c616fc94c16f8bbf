"""A language model asked about one failure at a time, on a daemon thread: nobody ever waits for it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from synthcity.agents.client import LLMClient
from synthcity.agents.loop import LoopConfig, run_agent
from synthcity.agents.prompts import render
from synthcity.agents.prompts.components import describe_components
from synthcity.agents.tools import build_toolset
from synthcity.errors import ConfigError
from synthcity.search.arms import CLOSED, DEBUGGER, RESTING, ArmState
from synthcity.search.candidates.candidate import Proposal
from synthcity.search.candidates.space import config_hash
from synthcity.search.debugger.catalogue import describe_catalogue
from synthcity.search.debugger.failure import Failure, parts
from synthcity.search.debugger.patch import paths
from synthcity.search.debugger.tools import CHANGES, Case
from synthcity.search.gate import Rejected

ROUNDS = 3  # of one case, those with refused patches included
_FAILURES = 3  # of the endpoint over one case, rests not counted
_WARMER = 0.2  # a round, so that the same question does not get the same answer
_WARMEST = 1.2
_BOUNDS = LoopConfig(turns=8, seconds=600.0)
_RULES = (
    "You can change values of the candidate's configuration by their paths, and nothing else. A block is left out by "
    "setting its path to null; a new name gives a part its default options."
)
FINISH: Mapping[str, object] = {
    "type": "object",
    "properties": {
        "cause": {"type": "string", "maxLength": 120, "description": "in a few words"},
        "evidence": {"type": "string", "maxLength": 300, "description": "the line of the error that shows it"},
        "changes": {**CHANGES, "description": "the patch; empty where no change of the configuration can help"},
    },
    "required": ["cause", "evidence", "changes"],
    "additionalProperties": False,
}


@dataclass(frozen=True, kw_only=True)
class Advice:
    """What came of a case: a patch that passed the gate's cheap checks, or why there is none."""

    proposal: Proposal | None = None
    reason: str = ""
    usd: float = 0.0


class Consultant:
    """Asks about cases one after the other."""

    def __init__(self, client: LLMClient, task: str) -> None:
        self._client, self._task = client, task
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._answers: dict[str, Advice] = {}
        self._failures: Counter[str] = Counter()
        self._closed = False

    @property
    def standing(self) -> ArmState:
        """Whether the model may be asked now, else why not."""
        found = self._client.availability
        if found.ready:
            return ArmState()
        return ArmState(state=CLOSED if found.until is None else RESTING, reason=str(found))

    def answer(self, case: Case) -> Advice | None:
        """Return what came of a case, None while it is thought about or another one is; never wait."""
        name = case.record.candidate.id
        with self._lock:
            if name in self._answers:
                return self._answers.pop(name)
            thinking = self._thread is not None and self._thread.is_alive()
            if not thinking and not self._closed and self._client.availability.ready:
                self._thread = threading.Thread(target=self._think, args=(case,), name=DEBUGGER, daemon=True)
                self._thread.start()
        return None

    def close(self) -> None:
        """Ask nothing more; an answer on its way is thrown away."""
        with self._lock:
            self._closed = True

    def _think(self, case: Case) -> None:
        try:
            answer = self._ask(case)
        except Exception as error:  # noqa: BLE001 - told as the reason why there is no patch
            answer = Advice(reason=f"{type(error).__name__}: {error}")
        if answer is not None and not self._closed:
            with self._lock:
                self._answers[case.record.candidate.id] = answer

    def _ask(self, case: Case) -> Advice | None:
        """Ask until a patch passes, the rounds are used, or a patch comes again; None when the model went away."""
        account = f"{DEBUGGER}-{case.record.candidate.id}"
        before = self._client.ledger.account(account).usd
        refused, seen, reason = list(case.refused), set[str](), ""
        first = len(case.lineage) - 1 + len(refused)
        for round_ in range(first, max(first + 1, ROUNDS)):
            prompt = render("debugger", values_of(case, self._task, refused))
            result = run_agent(
                self._client,
                build_toolset("debugger", case),
                system=prompt.text,
                task="Find the cause and end with `finish`.",
                account=account,
                purpose="debug",
                finish=FINISH,
                config=_BOUNDS,
                temperature=self._temperature(round_),
                prompt_version=prompt.version,
            )
            usd = self._client.ledger.account(account).usd - before
            if result.result is None:
                reason = f"the model gave no patch: {result.reason}"
                if result.status == "failed":  # the endpoint, not the model's wit: later it may answer
                    self._failures[account] += self.standing.state != RESTING
                    return Advice(reason=reason, usd=usd) if self._failures[account] >= _FAILURES else None
                continue
            cause, changes = result.result["cause"], result.result["changes"]
            if not changes:
                return Advice(reason=f"{cause} ({result.result['evidence']})", usd=usd)
            try:
                return Advice(proposal=replace(case.patched(changes, cause), usd=usd))
            except (ConfigError, Rejected) as error:
                reason = f"its patch was refused: {error}"
                refused.append(f"{changes}: refused: {error}")
            if (digest := config_hash({"changes": changes})) in seen:
                return Advice(reason=f"the same patch came again; {reason}", usd=usd)
            seen.add(digest)
        return Advice(reason=reason, usd=self._client.ledger.account(account).usd - before)

    def _temperature(self, round_: int) -> float | None:
        base = self._client.config.temperature
        return None if base is None else max(base, min(base + _WARMER * round_, _WARMEST))


def values_of(case: Case, task: str, refused: Sequence[str]) -> dict[str, str]:
    """Return the text of each place of the debugger's prompt; ``refused`` are patches that the gate refused."""
    config = case.record.candidate.config
    failure = Failure.of(case.record.failure)
    space = case.space.describe()
    for plural in ("blocks", "heads"):
        used = {name for _, kind, name in parts(config) if f"{kind}s" == plural}
        space[plural] = {name: entry for name, entry in space[plural].items() if name in used}
    earlier = [f"{record.candidate.rationale}: then {Failure.of(record.failure).text}" for record in case.lineage[1:]]
    scores = ", ".join(f"{score:.1f}" for score in case.record.curve[-3:])
    return {
        "task": task,
        "rules": f"{_RULES} Paths: {', '.join(paths(config))}.",
        "components": describe_components(space),
        "catalogue": describe_catalogue(),
        "config": f"{config}",
        "error": failure.trimmed + (f"\nScores of its last rungs: {scores}" if scores else ""),
        "attempts": "\n".join([*earlier, *refused]),
    }

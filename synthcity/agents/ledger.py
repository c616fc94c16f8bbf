"""The ledger: what a run's language model has cost, and the caps it must stay under.

A call is reserved at its worst case before anything is sent and settled at what it really cost. What is spent plus
what is reserved never passes a cap, however many threads ask, so a cap holds before the money is gone, not after.
"""

from __future__ import annotations

import logging
import math
import threading
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from synthcity.agents.config import CapsConfig
from synthcity.agents.messages import Spend
from synthcity.errors import LLMBudgetExceeded

_log = logging.getLogger(__name__)
_WARN_AT = (0.5, 0.8)
_MOST_TOKENS = 10**12  # of one call, told by a server that cannot count


@dataclass(frozen=True)
class Price:
    """USD per million prompt and completion tokens."""

    prompt: float
    completion: float

    def usd(self, prompt_tokens: int, completion_tokens: int) -> float:
        """Return the price of so many tokens."""
        return (self.prompt * prompt_tokens + self.completion * completion_tokens) / 1e6


@dataclass(frozen=True)
class Reservation:
    """What a call may cost at worst, held back from ``account`` until it is settled."""

    account: str
    worst: Spend


class Ledger:
    """Accounts of one run. Thread-safe; pickles as plain numbers."""

    def __init__(self, caps: CapsConfig | None = None) -> None:
        self.caps = CapsConfig() if caps is None else caps
        self._run = Spend()
        self._spent: dict[str, Spend] = defaultdict(Spend)
        self._held: dict[str, Spend] = defaultdict(Spend)  # of calls in flight
        self._warned: set[tuple[str, float]] = set()
        self._agents: set[str] = set()
        self._lock = threading.Lock()

    @property
    def run(self) -> Spend:
        """What the run has cost so far."""
        return self._run

    @property
    def accounts(self) -> dict[str, Spend]:
        """What each account has cost so far."""
        with self._lock:
            return dict(self._spent)

    def account(self, name: str) -> Spend:
        """What one account has cost so far."""
        with self._lock:
            return self._spent.get(name, Spend())

    def open_agent(self, account: str) -> None:
        """Let an account be that of an agent's whole work: its questions are capped one by one, and together apart."""
        with self._lock:
            self._agents.add(account)

    def reserve(self, account: str, prompt_tokens: int, completion_tokens: int, price: Price | None) -> Reservation:
        """Hold back the worst case of one call.

        Raises:
            LLMBudgetExceeded: it would pass a cap, or its price is unknown while money is capped.
        """
        caps = self.caps
        per_work = caps.usd_per_agent if account in self._agents else None
        if price is None and (caps.usd_per_run, caps.usd_per_proposal, per_work) != (None, None, None):
            raise LLMBudgetExceeded(
                "the endpoint lists no price for this model, so its cost cannot be capped; set llm.price, or set "
                "the money caps in llm.caps to null"
            )
        usd = 0.0 if price is None else price.usd(prompt_tokens, completion_tokens)
        worst = Spend(calls=1, prompt_tokens=prompt_tokens, completion_tokens=completion_tokens, usd=usd)
        with self._lock:
            own = self._spent.get(account, Spend()) + self._held.get(account, Spend()) + worst
            total = self._run + sum(self._held.values(), worst)
            one = (caps.usd_per_proposal, caps.tokens_per_proposal)
            scopes = [(f"proposal {account!r}", own, *one)]
            if account in self._agents:
                scopes = [
                    (f"question of {account!r}", worst, *one),
                    (f"agent {account!r}", own, caps.usd_per_agent, caps.tokens_per_agent),
                ]
            for scope, spend, dollars, tokens in (*scopes, ("run", total, caps.usd_per_run, caps.tokens_per_run)):
                if dollars is not None and spend.usd > dollars:
                    raise LLMBudgetExceeded(
                        f"a call of up to {usd:.4f} USD would take the {scope} to {spend.usd:.4f} USD, past its cap "
                        f"of {dollars:g} USD in llm.caps"
                    )
                if tokens is not None and spend.tokens > tokens:
                    raise LLMBudgetExceeded(
                        f"a call of up to {worst.tokens:,} tokens would take the {scope} to {spend.tokens:,} tokens, "
                        f"past its cap of {tokens:,} in llm.caps"
                    )
            self._held[account] += worst
        return Reservation(account, worst)

    def settle(self, reservation: Reservation, spend: Spend) -> None:
        """Give a reservation back and charge what the call really cost."""
        with self._lock:  # in one step: in between, the money would belong to nobody
            left = self._held.pop(reservation.account) - reservation.worst
            if left.calls:
                self._held[reservation.account] = left
            self._charge(reservation.account, spend)
        self._warn()

    def charge(self, account: str, spend: Spend) -> None:
        """Charge what was spent already: in an earlier part of the run, or by a recording."""
        with self._lock:
            self._charge(account, spend)
        self._warn()

    def _charge(self, account: str, spend: Spend) -> None:
        self._spent[account] += spend
        self._run += spend

    def _warn(self) -> None:
        run, caps = self.run, self.caps
        for unit, spent, cap in (("USD", run.usd, caps.usd_per_run), ("tokens", run.tokens, caps.tokens_per_run)):
            for part in _WARN_AT:
                if cap is not None and spent >= part * cap and (unit, part) not in self._warned:
                    self._warned.add((unit, part))
                    _log.warning(
                        "%.0f %% of the run's cap of %g %s for the language model are spent", 100 * part, cap, unit
                    )

    def __getstate__(self) -> dict[str, object]:
        with self._lock:
            return {
                "caps": self.caps,
                "_spent": dict(self._spent),
                "_warned": set(self._warned),
                "_agents": set(self._agents),
            }

    def __setstate__(self, state: dict[str, Any]) -> None:
        # a lock cannot be pickled: all is made anew and charged again
        self.__init__(state["caps"])  # type: ignore[misc]
        for account, spend in state["_spent"].items():
            self._charge(account, spend)
        self._warned, self._agents = state["_warned"], state["_agents"]


def worst_usage(body_bytes: int, max_tokens: int) -> tuple[int, int]:
    """Return (prompt, completion) tokens that a request can cost at most.

    A tokenizer that falls back to bytes makes at most one token a byte; the JSON around the messages is longer
    than what a chat template puts around them.
    """
    return body_bytes, max_tokens


def believable(usage: tuple[int, int, int], worst: Spend, prompt_bytes: int, answer_bytes: int) -> tuple[int, int, int]:
    """Return (prompt, completion, reasoning) tokens as they are charged for a server's count.

    A count above what the request could cost is a mistake, and one that is far below the texts' own size would let a
    cap never hold: a token holds a few bytes, so less than one for every eight is taken for one in four.
    """
    prompt, completion, reasoning = usage
    if prompt < prompt_bytes // 8:
        prompt = prompt_bytes // 4
    if completion < answer_bytes // 8:
        completion = answer_bytes // 4
    completion = min(completion, worst.completion_tokens)
    return min(prompt, worst.prompt_tokens), completion, min(reasoning, completion)


def usage_of(data: object) -> tuple[int, int, int] | None:
    """Read (prompt, completion, reasoning) tokens from a server's ``usage``; None where it has none to believe."""
    if not isinstance(data, dict):
        return None
    prompt, completion = _count(data.get("prompt_tokens")), _count(data.get("completion_tokens"))
    if prompt is None or completion is None:
        return None
    details = data.get("completion_tokens_details")
    thought = _count(details.get("reasoning_tokens")) if isinstance(details, dict) else None
    return prompt, completion, thought or 0


def _count(value: object) -> int | None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < math.inf:
        return None
    return int(min(value, _MOST_TOKENS))

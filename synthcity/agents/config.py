"""How a language model is asked: which one, how patiently, and for how much."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from synthcity.errors import ConfigError, unknown_name

MODES = ("live", "record", "replay", "replay-or-fail")


@dataclass(frozen=True, kw_only=True)
class CapsConfig:
    """What may be spent at most; null takes a cap away. Repairs and debugging count like everything else.

    Attributes:
        usd_per_run: money of a whole run, resumptions included.
        usd_per_proposal: money of one account, which is one proposal with its repairs.
        tokens_per_run: prompt and completion tokens of a run.
        tokens_per_proposal: the same of one account.
    """

    usd_per_run: float | None = 2.0
    usd_per_proposal: float | None = 0.25
    tokens_per_run: int | None = 4_000_000
    tokens_per_proposal: int | None = 400_000

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            _check(f"llm.caps.{name}", value, low=0, whole=name.startswith("tokens"), optional=True)


@dataclass(frozen=True, kw_only=True)
class PatienceConfig:
    """How long to wait for a model.

    Attributes:
        attempts: paid requests for one question before giving up.
        connect_seconds: for reaching the server.
        read_seconds: of silence; large models may think for minutes before the first byte.
        deadline_seconds: for one question with all its attempts and pauses.
        first_wait_seconds: pause after the first failure; it doubles after each further one.
        failures: questions in a row that may fail before the model is left alone.
        rest_seconds: how long it is then left alone, and how long a model that cannot serve is passed over.
    """

    attempts: int = 3
    connect_seconds: float = 10.0
    read_seconds: float = 300.0
    deadline_seconds: float = 600.0
    first_wait_seconds: float = 2.0
    failures: int = 3
    rest_seconds: float = 600.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            whole = name in ("attempts", "failures")
            _check(f"llm.patience.{name}", value, low=1 if whole else 0, whole=whole)


@dataclass(frozen=True, kw_only=True)
class LLMConfig:
    """How a run asks its language model; the endpoint and its key are in ``Settings``.

    Attributes:
        models: names or patterns such as ``*GLM*``, best first; without a match, or without any, the most popular
            model that can do what is asked.
        stronger: the same, asked instead now and then when a search stalls; without any there is nobody stronger.
        temperature: null leaves it to the model.
        max_tokens: of one answer, thinking included; thinking models need thousands.
        price: USD per million prompt and completion tokens, for endpoints that list no prices.
        mode: "live"; "record" also writes the cassette; "replay" asks only what the cassette lacks;
            "replay-or-fail" asks nobody.
        cassette: file of recorded answers; a run's ``llm.jsonl`` is one too.
        caps: what may be spent.
        patience: how long to wait.
    """

    models: tuple[str, ...] = ()
    stronger: tuple[str, ...] = ()
    temperature: float | None = 0.7
    max_tokens: int = 8192
    price: tuple[float, ...] | None = None
    mode: str = "live"
    cassette: str | None = None
    caps: CapsConfig = field(default_factory=CapsConfig)
    patience: PatienceConfig = field(default_factory=PatienceConfig)

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ConfigError(f"llm.mode: {unknown_name('mode', self.mode, MODES)}")
        if self.mode != "live" and not self.cassette:
            raise ConfigError(f"llm.cassette must name a file when llm.mode is {self.mode!r}")
        _check("llm.max_tokens", self.max_tokens, low=1, whole=True)
        _check("llm.temperature", self.temperature, low=0, optional=True)
        if self.price is not None:
            if len(self.price) != 2:
                raise ConfigError(f"llm.price takes two numbers, prompt and completion, got {self.price!r}")
            for value in self.price:
                _check("llm.price", value, low=0)


def _check(name: str, value: Any, *, low: float, whole: bool = False, optional: bool = False) -> None:
    if value is None and optional:
        return
    kinds = (int,) if whole else (int, float)
    if not isinstance(value, kinds) or isinstance(value, bool) or not math.isfinite(value) or value < low:
        kind = "a whole number" if whole else "a number"
        raise ConfigError(f"{name} must be {kind} from {low} up, got {value!r}")

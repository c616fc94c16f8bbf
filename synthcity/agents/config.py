"""How a language model is asked: which one, how patiently, and for how much."""

from __future__ import annotations

from dataclasses import dataclass, field

from synthcity.durations import DAY
from synthcity.errors import ConfigError
from synthcity.schema import check, key, local_path, seconds

MODES = ("live", "record", "replay", "replay-or-fail")


@dataclass(frozen=True, kw_only=True)
class CapsConfig:
    """What may be spent at most; null takes a cap away. Repairs and debugging count like everything else.

    Attributes:
        usd_per_run: money of a whole run, resumptions included.
        usd_per_proposal: money of one account, which is one proposal with its repairs; of an agent, of one question.
        usd_per_agent: money of one agent's whole work.
        tokens_per_run: prompt and completion tokens of a run.
        tokens_per_proposal: the same of one account, or of one question of an agent.
        tokens_per_agent: the same of one agent's whole work.
    """

    usd_per_run: float | None = key(2.0, low=0, high=1e6)
    usd_per_proposal: float | None = key(0.25, low=0, high=1e6)
    usd_per_agent: float | None = key(1.0, low=0, high=1e6)
    tokens_per_run: int | None = key(4_000_000, low=0, high=10**12)
    tokens_per_proposal: int | None = key(400_000, low=0, high=10**12)
    tokens_per_agent: int | None = key(2_000_000, low=0, high=10**12)

    def __post_init__(self) -> None:
        check(self, "llm.caps.")


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

    attempts: int = key(3, low=1, high=100)
    connect_seconds: float = seconds(10.0, low=0, high=DAY)
    read_seconds: float = seconds(300.0, low=0, high=DAY)
    deadline_seconds: float = seconds(600.0, low=0, high=DAY)
    first_wait_seconds: float = seconds(2.0, low=0, high=DAY)
    failures: int = key(3, low=1, high=1000)
    rest_seconds: float = seconds(600.0, low=0, high=7 * DAY)

    def __post_init__(self) -> None:
        check(self, "llm.patience.")


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
    temperature: float | None = key(0.7, low=0, high=10)
    max_tokens: int = key(8192, low=1, high=10**7)
    price: tuple[float, ...] | None = key(None, low=0, high=1e6)
    mode: str = key("live", choices=MODES)
    cassette: str | None = key(None, parse=local_path)
    caps: CapsConfig = field(default_factory=CapsConfig)
    patience: PatienceConfig = field(default_factory=PatienceConfig)

    def __post_init__(self) -> None:
        check(self, "llm.")
        if self.mode != "live" and not self.cassette:
            raise ConfigError(f"llm.cassette must name a file when llm.mode is {self.mode!r}")
        if self.price is not None and len(self.price) != 2:
            raise ConfigError(f"llm.price takes two numbers, prompt and completion, got {self.price!r}")

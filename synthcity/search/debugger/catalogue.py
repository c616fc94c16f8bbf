"""Known errors: how to tell them, what they mean, and which changes of the configuration help against them.

The first entry that fits a failure counts. Its remedies are tried in their order, one a repair, as far as they change
anything; what no remedy is known for is a language model's, or nobody's.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from synthcity.nets.parameters import Parameter
from synthcity.search.candidates.candidate import Config
from synthcity.search.debugger.failure import Failure
from synthcity.search.debugger.patch import Changes, options, reset
from synthcity.search.journal.diagnosis import LEAVE, LIMIT

PATCH = "patch"
Remedy = Callable[[Config, Failure], Changes]
_RATE = "training.learning_rate"
_GENTLER = 4.0  # by which a learning rate is divided
_PLAIN_HEAD = "gbm"


@dataclass(frozen=True, kw_only=True)
class Known:
    """One kind of error; ``pattern`` is searched for in "class: message"."""

    cause: str
    pattern: re.Pattern[str]
    action: str
    meaning: str
    remedies: tuple[Remedy, ...] = ()

    def remedy(self, config: Config, failure: Failure, *, returns: int = 0, refused: int = 0) -> Changes:
        """Return the changes to try next; empty when there are no more.

        ``returns``: how often the failure came back after a repair, each of which used up one remedy. ``refused``:
        how many patches of this very config the gate refused.
        """
        found: list[Changes] = []
        for remedy in self.remedies[returns:]:
            changes = remedy(config, failure)
            if changes and changes not in found:
                found.append(changes)
        return found[refused] if refused < len(found) else {}


def find(failure: Failure) -> Known | None:
    """Return the entry of the catalogue for a failure, None for what nobody has seen."""
    return next((known for known in CATALOGUE if known.pattern.search(failure.text)), None)


def describe_catalogue() -> str:
    """Return one line an entry, for a prompt."""
    return "\n".join(f"- {known.cause}: {known.meaning}" for known in CATALOGUE)


def slower(config: Config, failure: Failure) -> Changes:
    """Divide the learning rate by four, within its range."""
    value, parameter = options(config)[_RATE]
    assert parameter.low is not None
    rate = float(f"{max(value / _GENTLER, parameter.low):.3g}")
    return {_RATE: rate} if rate < value else {}


def calmer(config: Config, failure: Failure) -> Changes:
    """Divide the learning rate by four and give the head its default options, which bound its volatility."""
    return {**slower(config, failure), **reset(config, "head")}


def plain_head(config: Config, failure: Failure) -> Changes:
    """Take the head that needs nothing."""
    return {"head.name": _PLAIN_HEAD} if config["head"]["name"] != _PLAIN_HEAD else {}


def default_options(config: Config, failure: Failure) -> Changes:
    """Give the part that the error names its default options."""
    return next((changes for path in failure.culprits(config) if (changes := reset(config, path))), {})


def without_it(config: Config, failure: Failure) -> Changes:
    """Leave out the block that the error names, or take the plain head for the one it names."""
    for path in failure.culprits(config):
        changes = plain_head(config, failure) if path == "head" else {path: None}
        if changes:
            return changes
    return {}


_DIVIDES = (  # (what must be divided, by what)
    re.compile(r"(?P<whole>\d+)\)? (?:is |must be )?(?:not (?:evenly )?)?divisible by [^\d]*(?P<by>\d+)"),
    re.compile(r"(?P<whole>\d+) is no multiple of [^\d]*(?P<by>\d+)"),
    re.compile(r"is (?P<by>\d+); it must divide [^\d]*(?P<whole>\d+)"),
)


def dividing(config: Config, failure: Failure) -> Changes:
    """Move the option that does not divide to its nearest value that does; parts that the error names come first."""
    match = next((found for pattern in _DIVIDES if (found := pattern.search(failure.message))), None)
    if match is None:
        return {}
    whole, by = int(match["whole"]), int(match["by"])
    culprits = failure.culprits(config)
    known = sorted(options(config).items(), key=lambda item: not item[0].startswith(tuple(culprits)))
    for wrong in (by, whole):
        for path, (value, parameter) in known:
            if value == wrong and not isinstance(value, bool):
                pairs = [(v, (whole, v) if wrong == by else (v, by)) for v in _whole_values(parameter)]
                good = [v for v, (dividend, divisor) in pairs if divisor > 0 and dividend % divisor == 0]
                if good:
                    return {path: min(good, key=lambda v: (abs(v - wrong), v))}
    return {}


def _whole_values(parameter: Parameter) -> list[int]:
    if parameter.kind == "int":
        assert parameter.low is not None
        assert parameter.high is not None
        return list(range(int(parameter.low), int(parameter.high) + 1))
    return [value for value in parameter.choices if isinstance(value, int)]


def _known(cause: str, pattern: str, action: str, meaning: str, *remedies: Remedy) -> Known:
    return Known(cause=cause, pattern=re.compile(pattern, re.I), action=action, meaning=meaning, remedies=remedies)


CATALOGUE = (
    _known(
        "machine",
        r"^(WorkerDied|\w*ActorDied\w*|ConnectionError|BrokenPipe\w*)\b|NCCL|uncorrectable ECC|no space left on|"
        r"CUDA error: (unspecified launch|an illegal|device-side|unknown)|CUDA driver",
        LEAVE,
        "a machine or a worker was lost; Ray starts such trials again, and no configuration is at fault.",
    ),
    _known(
        "memory",
        r"out of memory|\bMemoryError\b|OutOfMemory|ca(n't|nnot) allocate memory|alloc_failed|unable to allocate",
        LIMIT,
        "it needs more memory than there is; nothing that is as large shall be tried again.",
    ),
    _known(
        "time",
        r"\bTimeout(Error|Expired)?\b|timed out|deadline exceeded",
        LIMIT,
        "it needs more time than there is; nothing that is as large shall be tried again.",
    ),
    _known(
        "data",
        r"^(DataError|SourceError)\b|\b(prices|bars|windows?|history)\b.*\b(missing|gaps?|too (few|short)|empty)\b|"
        r"\b(missing|no|too few) (prices|bars|windows?)\b",
        LEAVE,
        "prices are missing or too few; data are not the candidate's to change.",
    ),
    _known(
        "device",
        r"tensors to be on (the )?same device|found at least two devices|different devices|"
        r"not on the expected device|is on \w+(:\d)?, but",
        PATCH,
        "a component keeps a tensor where the network is not; its other options may not, else leave it out.",
        default_options,
        without_it,
    ),
    _known(
        "dtype",
        r"scalar type|must have the same dtype|(expected|found|unsupported) dtype|not implemented for '\w+'|"
        r"dtypes? .*(match|differ)|can't be cast",
        PATCH,
        "a component mixes number types; its default options may not, else leave it out.",
        default_options,
        without_it,
    ),
    _known(
        "divisibility",
        r"divisible by|no multiple of|must divide",
        PATCH,
        "one size must divide another; move the smaller to the nearest that does.",
        dividing,
        default_options,
    ),
    _known(
        "pairing",
        r"\bhead\b.*\b(cannot|can't|does not|do not|needs|requires|only)\b|\b(cannot|does not|unsupported)\b.*\bhead\b",
        PATCH,
        "this head does not go with these blocks or this task; take another.",
        plain_head,
    ),
    _known(
        "explosion",
        r"volatilit\w+.*(explod|overflow|inf|large|not finite)|\boverflow|(loss|score) .*\binf\b|not (finite|positive)",
        PATCH,
        "volatility or weights grew without bound; learn more slowly, with the head's default options.",
        calmer,
        plain_head,
    ),
    _known(
        "nan",
        r"\bnan\b",
        PATCH,
        "the loss was lost; learn more slowly, then with the head's default options.",
        slower,
        calmer,
        plain_head,
    ),
    _known(
        "argument",
        r"missing \d+ required|unexpected keyword argument|required keyword",
        PATCH,
        "a component is called with what it does not take; its default options may go another way, else leave it out.",
        default_options,
        without_it,
    ),
    _known(
        "shape",
        r"shapes? cannot be multiplied|size mismatch|must match the (existing )?size|shape '.*' is invalid|"
        r"expected .* to have \d+ (channels|features)|(got|given) .*\b(shape|size|dimension)|size of tensor|"
        r"must be equal to \w+\. Expected|"
        r"Sizes of tensors|broadcast|Expected .*\d-?D",
        PATCH,
        "sizes within a component do not fit; its default options may, else leave it out.",
        default_options,
        without_it,
    ),
    _known(
        "program",
        r"^(NameError|UnboundLocalError|AttributeError|ImportError|ModuleNotFoundError|SyntaxError|IndentationError|"
        r"NotImplementedError)\b",
        LEAVE,
        "the program of a component is wrong; that is its author's to mend.",
    ),
)

"""Does what you wrote keep the contract? The suites that every packaged part passes, for parts from outside.

Each function takes what an entry point would name, the name under which one names it, or ``module:Name``, runs the
whole suite (seconds, on a CPU) and raises ``AssertionError`` with a line for everything that is broken::

    from synthcity.testing import check_block

    def test_ema():
        check_block("my_package.ema:Ema")
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from synthcity import plugins
from synthcity.conformance import broken

__all__ = [
    "check_block",
    "check_feature",
    "check_forecaster",
    "check_head",
    "check_proposer",
    "check_source",
    "check_written_forecaster",
]


def check_block(block: type | str, **options: object) -> None:
    """Check a block: its class, or its name; ``options`` replace defaults of its ``Config``.

    Example:
        >>> check_block("dlinear")
    """
    _check_component("block", block, options)


def check_head(head: type | str, **options: object) -> None:
    """Check a head: its class, or its name; ``options`` replace defaults of its ``Config``."""
    _check_component("head", head, options)


def check_forecaster(make: Callable[[], object] | str) -> None:
    """Check a forecaster: a class or function that makes it, or its name; a baseline's name is one, too.

    Example:
        >>> check_forecaster("reference")
    """
    from synthcity.forecast.bundles.choose import choose
    from synthcity.forecast.conformance import CHECKS

    made = make
    _raise(broken(CHECKS, (lambda: choose(made)) if isinstance(made, str) else made), made)


def check_proposer(make: Callable[[Any], object] | str) -> None:
    """Check a proposer: a class or function that makes it of a ``Space``, or its name.

    Example:
        >>> check_proposer("random")
    """
    from synthcity.search.proposers import make_arms
    from synthcity.search.proposers.conformance import CHECKS

    made = make
    _raise(broken(CHECKS, (lambda space: make_arms([made], space)[made]) if isinstance(made, str) else made), made)


def check_source(source: object, *, asset: str, resolution: int, start: int | str, end: int | str) -> None:
    """Check a source of prices, or the one of this name, on a span of which it has bars of ``asset``.

    ``resolution`` is in seconds; times are unix seconds or dates (UTC).
    """
    from synthcity.market.sources.conformance import CHECKS, Span
    from synthcity.market.sources.external import find_source
    from synthcity.market.times import parse_time
    from synthcity.settings import Settings

    span = Span(asset=asset, resolution=resolution, start=parse_time(start), end=parse_time(end))
    found = find_source(source, Settings.load()) if isinstance(source, str) else source
    _raise(broken(CHECKS, found, span), source)


def check_feature(text: str) -> None:
    """Check a feature by its text, which runs in locked children alone (docs/authoring.md).

    Raises:
        Refused: the text says what it may not.
    """
    from synthcity.authored.conformance import check_feature
    from synthcity.authored.feature import FeatureSource

    source = FeatureSource.of(text)
    _raise(check_feature(source), source.name)


def check_written_forecaster(text: str) -> None:
    """Check a forecaster by its text, which runs in locked children alone (docs/authoring.md).

    Raises:
        Refused: the text says what it may not.
    """
    from synthcity.authored.conformance import check_forecaster
    from synthcity.authored.forecaster import ForecasterSource

    source = ForecasterSource.of(text)
    _raise(check_forecaster(source), source.name)


def _check_component(kind: str, subject: type | str, options: Mapping[str, object]) -> None:
    from synthcity.nets import registry
    from synthcity.nets.conformance import check

    if isinstance(subject, str):
        if plugins.is_reference(subject):
            plugins.allow(subject)
        entry = registry.component(kind, subject)
    else:
        entry = registry.describe_class(kind, subject)
    _raise(check(entry, options), subject)


def _raise(found: Mapping[str, str], subject: object) -> None:
    if found:
        name = subject if isinstance(subject, str) else getattr(subject, "__qualname__", repr(subject))
        lines = [f"{check}: {text}" for check, text in found.items()]
        raise AssertionError("\n  ".join([f"{name} breaks {len(found)} of its checks:", *lines]))

"""How a contract is checked: named functions that raise :class:`Broken` with one sentence.

Each room that lets others in keeps its contract as one suite beside its protocol (``nets/conformance.py``,
``forecast/conformance.py``, ``search/proposers/conformance.py``, ``market/sources/conformance.py``). A suite runs over
what is packaged and over what comes from outside alike; ``synthcity.testing`` opens them to others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from synthcity.errors import SynthcityError


class Broken(SynthcityError):
    """Something does not keep its contract; the text says where."""


def require(holds: object, text: str) -> None:
    """Raise ``Broken`` with ``text`` unless something holds."""
    if not holds:
        raise Broken(text)


def broken(checks: Mapping[str, Callable[..., None]], *subject: object) -> dict[str, str]:
    """Run every check on the subject and return what is broken, by the check's name; empty if all is well."""
    found = {}
    for name, check in checks.items():
        try:
            check(*subject)
        except Exception as error:  # noqa: BLE001 - it may fail in any way; its author is told how
            found[name] = str(error) if isinstance(error, Broken) else f"{type(error).__name__}: {error}"
    return found


def suite(*checks: Callable[..., None]) -> dict[str, Callable[..., None]]:
    """Return checks by their names."""
    return {check.__name__: check for check in checks}

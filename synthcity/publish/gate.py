"""The gate: which runs may leave the house. Code decides it, from what was measured; there is no way round it.

Each check is a function of the evidence that returns the first reason against, or an empty text. They are made in
order, the cheap ones first, until one finds a reason. What passes all of them is a ``Proof``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from synthcity.errors import SynthcityError
from synthcity.publish import checks
from synthcity.publish.evidence import Evidence, evidence
from synthcity.settings import Settings

Check = Callable[[Evidence], str]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one check found: ``reason`` is against publishing, and empty where there is none."""

    check: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Proof:
    """A run that passed. Only the gate makes one, and it holds while the gate is open."""

    evidence: Evidence
    with_code: bool


@dataclass(frozen=True, kw_only=True)
class Examined:
    """The findings in order; the last one has a reason where there is no ``proof``.

    ``sound`` is what passed all that it was asked, whether or not that it proves anything was among it.
    """

    findings: tuple[Finding, ...]
    proof: Proof | None
    sound: Evidence | None = None

    @property
    def reason(self) -> str:
        """The first reason against, empty where there is none."""
        return self.findings[-1].reason


@contextmanager
def gate(
    run: Path, settings: Settings, *, with_code: bool = False, is_rehearsal: bool = False, is_claim: bool = True
) -> Iterator[Examined]:
    """Examine a run; the copy that was examined stands while the context is open.

    Args:
        run: its folder.
        settings: whose secrets must not be in what leaves.
        with_code: let components that a language model wrote leave too.
        is_rehearsal: where it would go is a stand-in, which takes what was found on simulated prices and nothing else.
        is_claim: it has to prove something; without that there is no ``proof``, and nothing is published.
    """
    with ExitStack() as stack:
        try:
            found = stack.enter_context(evidence(run))
        except SynthcityError as error:
            yield Examined(findings=(Finding(check="sealed", reason=str(error)),), proof=None)
            return
        findings = [Finding(check="sealed", reason="")]
        for name, check in _checks(settings, with_code, is_rehearsal):
            if check is checks.proven and not is_claim:
                continue
            findings.append(Finding(check=name, reason=_reason(check, found)))
            if findings[-1].reason:
                break
        sound = None if findings[-1].reason else found
        proof = Proof(evidence=found, with_code=with_code) if sound is not None and is_claim else None
        yield Examined(findings=tuple(findings), proof=proof, sound=sound)


def _checks(settings: Settings, with_code: bool, is_rehearsal: bool) -> list[tuple[str, Check]]:
    return [
        ("made-up prices", checks.made_up_prices) if is_rehearsal else ("real prices", checks.real_prices),
        ("rules of today", checks.rules),
        ("verdict", checks.verdict),
        ("proven", checks.proven),
        ("report", checks.report),
        ("bundle", lambda found: checks.bundle(found, with_code)),
        ("scored again", lambda found: checks.scored_again(found, with_code)),
        ("no secret", lambda found: checks.no_secret(found, settings)),
    ]


def _reason(check: Check, found: Evidence) -> str:
    try:
        return check(found)
    except SynthcityError as error:
        return str(error)
    except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError) as error:  # edited into nonsense
        return f"what was sealed makes no sense: {type(error).__name__}: {' '.join(str(error).split())[:200]}"

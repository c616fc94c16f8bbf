"""From a text that a language model wrote to a component, or to the reason why not; every step may refuse.

1. :mod:`.static` reads it; nothing runs.
2. A process that the kernel has locked (:mod:`.isolation`) runs it, with the contract of ``nets/conformance.py``, the
   property that it states itself and a short training (:mod:`.trial`).

What a locked process says of itself could be forged by code that the first step would have let through; that is why
the first step is never left out, and why its lists are short.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from synthcity.authored.locked.isolation import run_isolated
from synthcity.authored.locked.lock import SandboxLimits
from synthcity.nets import registry
from synthcity.nets.authored.code import AuthoredCode, digest
from synthcity.nets.authored.static import Refused

_TRIAL = "synthcity.nets.authored.trial:run"


@dataclass(frozen=True, kw_only=True)
class SandboxVerdict:
    """What came of one text.

    Attributes:
        admitted: whether its component may be registered.
        stage: where it was refused: "static", "name", "isolation", "attempt" or "trial"; "admitted" otherwise.
        reason: why, for whoever wrote it; one line a finding.
        sha256: of the text.
        code: the text as a value, where the first step let it pass.
        property: what it says of itself, as far as that was shown.
        scores: on validation after one step of the short training and after all of it.
        isolation: what held the process, empty if none was started.
        seconds: that it took.
    """

    admitted: bool
    stage: str
    reason: str = ""
    sha256: str = ""
    code: AuthoredCode | None = None
    property: str = ""
    scores: tuple[float, ...] = ()
    isolation: str = ""
    seconds: float = 0.0

    def to_dict(self) -> dict[str, object]:
        """Return plain data for the record, without the text."""
        plain = {key: value for key, value in vars(self).items() if key != "code"}
        named = {} if self.code is None else {"component": self.code.kind, "name": self.code.name}
        return {**plain, **named, "scores": list(self.scores)}


@dataclass(frozen=True, kw_only=True)
class Sandbox:
    """The way in, with the limits of its locked processes."""

    limits: SandboxLimits = field(default_factory=SandboxLimits)

    def judge(self, source: str) -> SandboxVerdict:
        """Read and try a text; nothing of it ever runs in this process.

        Raises:
            NotIsolated: no process can be locked here.
        """
        begin = time.monotonic()
        sha256 = digest(source)
        try:
            code = AuthoredCode.of(source)
        except Refused as error:
            return SandboxVerdict(admitted=False, stage="static", reason=str(error), sha256=sha256)
        taken = registry.blocks() if code.kind == "block" else registry.heads()
        if code.name in taken:
            text = f"there is a {code.kind} of the name {code.name} already; choose another"
            return SandboxVerdict(admitted=False, stage="name", reason=text, sha256=sha256, code=code)
        ending = run_isolated(_TRIAL, code.to_dict(), self.limits)
        seconds = round(time.monotonic() - begin, 2)
        known: dict[str, Any] = {"sha256": sha256, "code": code, "isolation": ending.isolation, "seconds": seconds}
        if ending.attempts:
            text = f"it tried to reach what is forbidden: {'; '.join(ending.attempts)}"
            return SandboxVerdict(admitted=False, stage="attempt", reason=text, **known)
        if ending.answer is None:
            return SandboxVerdict(admitted=False, stage="isolation", reason=ending.reason, **known)
        broken = ending.answer["broken"]
        if broken:
            text = "\n".join(f"{name}: {sentence}" for name, sentence in broken.items())
            return SandboxVerdict(admitted=False, stage="trial", reason=text, **known)
        return SandboxVerdict(
            admitted=True,
            stage="admitted",
            property=str(ending.answer["property"]),
            scores=tuple(float(score) for score in ending.answer["scores"]),
            **known,
        )

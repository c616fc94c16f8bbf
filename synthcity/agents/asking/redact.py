"""Taking secrets out of everything that leaves the process or comes back to it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from synthcity.settings import Secret, Settings

MARK = "[secret]"
_NAMES = re.compile(r"(?:^|_)(?:KEY|TOKEN|SECRET|PASSWORD|MNEMONIC)$", re.IGNORECASE)
_SHORTEST = 8  # a shorter value would also be found where nobody wrote a secret
# keys that show what they are: Chutes, OpenAI and its kin, Hugging Face, GitHub, AWS, and any bearer token
_SHAPES = (
    r"\bcpk_[\w.]{16,}|\bsk-[\w-]{16,}|\bhf_\w{16,}|\bgh[pousr]_\w{20,}|\bAKIA[0-9A-Z]{16}\b",
    r"(?<=Bearer )[\w.~+/=-]{16,}",
)


class Redactor:
    """Replaces known secrets, and what looks like one, by ``[secret]``."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted({secret for secret in secrets if len(secret) >= _SHORTEST}, key=len, reverse=True)
        self._pattern = re.compile("|".join([*map(re.escape, known), *_SHAPES]))

    @classmethod
    def of(cls, settings: Settings, environ: Mapping[str, str] | None = None) -> Redactor:
        """Know the secrets of ``settings`` and of every variable whose name ends like one (``HF_TOKEN``, ...)."""
        values = (getattr(settings, field.name) for field in fields(settings))
        held = [value.reveal() for value in values if isinstance(value, Secret)]
        found = (os.environ if environ is None else environ).items()
        return cls([*held, *(value.strip() for name, value in found if _NAMES.search(name))])

    def text(self, text: str) -> str:
        """Return ``text`` without secrets, nor halves of characters, which no JSON can carry."""
        return self._pattern.sub(MARK, text.encode("utf-8", "replace").decode("utf-8"))

    def data(self, value: object) -> Any:
        """Return plain JSON data with every text in it redacted; nonsense without a bottom becomes a text."""
        try:
            return self._data(value)
        except RecursionError:
            return "[nested too deeply]"

    def _data(self, value: object) -> object:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(name)): self._data(item) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._data(item) for item in value]
        return value

    def __reduce__(self) -> str:
        raise TypeError("a Redactor knows secrets and is not pickled; build it anew from Settings")

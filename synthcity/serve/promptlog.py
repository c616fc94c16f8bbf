"""One line for each prompt that was answered: who asked what, and the seed with which it can be drawn again."""

from __future__ import annotations

import logging
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from synthcity.errors import RunError
from synthcity.serve.engine import Answered
from synthcity.sn50.prompt import Prompt

_log = logging.getLogger(__name__)


class PromptLog:
    """Appends to a file. Several processes may share it: a line is one write. Use from any thread."""

    def __init__(self, path: Path | str) -> None:
        """Open or create the file.

        Raises:
            RunError: it cannot be written.
        """
        self.path = Path(path)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as error:
            raise RunError(f"cannot write {path} ({error.strerror}); choose another folder") from error

    def add(self, prompt: Prompt, answered: Answered[Any], *, now: float, caller: str, seconds: float) -> None:
        """Write a line; a disk that refuses costs the line, not the answer, and is told in the log.

        Args:
            prompt: as the network put it.
            answered: what was drawn.
            now: unix seconds of the request.
            caller: hotkey of who asked, empty for people and tools.
            seconds: from the request to the encoded answer.
        """
        line = {
            "asked_at": now,
            "caller": caller,
            "prompt": asdict(prompt),
            "seed": answered.seed,
            "forecaster": answered.forecaster,
            "fallback": answered.fallback,
            "price": answered.answer.price,
            "price_age": answered.answer.price_age,
            "seconds": round(seconds, 4),
        }
        try:
            os.write(self._file, orjson.dumps(line) + b"\n")
        except OSError as error:
            _log.error("prompt %s is not written down: %s", line, error.strerror)

    def close(self) -> None:
        """Give the file back."""
        os.close(self._file)

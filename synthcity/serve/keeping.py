"""The log of prompts that also keeps validators' answers in the ledger, so that they can be settled."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from synthcity.serve.engine import Answered
from synthcity.serve.ledger import AnswerLedger
from synthcity.serve.promptlog import PromptLog
from synthcity.sn50.prompt import Prompt
from synthcity.sn50.submission import round_paths

_log = logging.getLogger(__name__)


class KeepingLog(PromptLog):
    """Writes every prompt's line, and what a validator got, on a thread of its own: no answer waits for the disk."""

    def __init__(self, path: Path | str, ledger: AnswerLedger, bundle: str) -> None:
        """Args: ``bundle`` is the hash of the model's bundle; a fallback is kept under its own name.

        Raises:
            RunError: the file cannot be written.
        """
        super().__init__(path)
        self.ledger = ledger
        self._bundle = bundle
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="ledger")

    def add(self, prompt: Prompt, answered: Answered[Any], *, now: float, caller: str, seconds: float) -> None:
        """Write a line, and keep the answer if a validator asked; see ``PromptLog.add``."""
        super().add(prompt, answered, now=now, caller=caller, seconds=seconds)
        if caller:
            self._writer.submit(self._keep, prompt, answered, now)

    def close(self) -> None:
        """Write what is still to be written, and let go of both."""
        self._writer.shutdown()
        self.ledger.close()
        super().close()

    def _keep(self, prompt: Prompt, answered: Answered[Any], now: float) -> None:
        try:
            self.ledger.record(
                prompt,
                round_paths(answered.answer.paths),
                asked_at=now,
                seed=answered.seed,
                bundle=self._bundle if answered.fallback is None else answered.forecaster,
                price_age=answered.answer.price_age,
                fallback=answered.fallback,
            )
        except ValueError as error:
            _log.error("the answer to %s is not kept: %s", prompt, error)

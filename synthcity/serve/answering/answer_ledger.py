"""The ledger of answers: what was forecast, by what, from which price; and later what it was worth.

::

    answers.jsonl                   one line an answer, written by the miner
    paths/<day>/<caller>/<id>.zst   its paths, float32 as the network keeps them, until they are settled
    scores.jsonl                    one line a settled answer, written by whoever settles

The paths of a validator's day take about a gigabyte. They are on the disk before the line that names them. A disk
that refuses costs no answer: what it did not take is held in memory and written when it takes again; ``problem`` says
so meanwhile.
"""

from __future__ import annotations

import hashlib
import logging
import math
import threading
import uuid
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from synthcity.errors import DataError, RunError
from synthcity.files import PRIVATE, atomic_write
from synthcity.lines import LineWriter
from synthcity.market.times import format_time
from synthcity.serve.answering.kept_paths import SUFFIX, pack, unpack
from synthcity.serve.answering.ledger_quota import PATHS, holder
from synthcity.sn50.prompt import Prompt

LEDGER = "ledger"
"""Folder below a miner's."""

ANSWERS, SCORES = "answers.jsonl", "scores.jsonl"
MOST_HELD = 100  # answers in memory while the disk refuses, about a megabyte each
_log = logging.getLogger(__name__)


class Fallback(StrEnum):
    """Why the fallback answered and not the bundle.

    Attributes:
        LATE: the bundle had not answered in time.
        CROWDED: too many prompts waited for it.
        STUCK: it held all of its threads and did not come back.
        FAILED: it raised, or drew what no validator takes.
        FOREIGN: it was not made for the prompt, so that this is how it always answers there.
    """

    LATE = "late"
    CROWDED = "crowded"
    STUCK = "stuck"
    FAILED = "failed"
    FOREIGN = "foreign"


@dataclass(frozen=True, kw_only=True)
class AnswerRecord:
    """One line of ``answers.jsonl``.

    Attributes:
        id: names the answer and its paths.
        prompt: what was asked.
        asked_at: when, unix seconds.
        seed: of the draw.
        bundle: hash of the forecaster's bundle.
        price_age: seconds between the last price and ``asked_at``.
        caller: hotkey of the validator who asked.
        seconds: from the request to its answer.
        fallback: why the fallback answered and not the bundle, None if it did.
        sent: whether the network got it; False for a challenger in the shadow.
        paths: file of the paths, relative to the ledger's folder.
        sha256: of that file.
    """

    id: str
    prompt: Prompt
    asked_at: float
    seed: int
    bundle: str
    price_age: float
    fallback: str | None
    sent: bool
    paths: str
    sha256: str
    caller: str = ""
    seconds: float = 0.0

    @classmethod
    def parse(cls, event: Mapping[str, Any]) -> AnswerRecord:
        """Read a line.

        Raises:
            DataError: it is no answer.
        """
        try:
            record = cls(**{**event, "prompt": Prompt(**event["prompt"])})
            texts = (record.id, record.bundle, record.paths, record.sha256, record.prompt.asset)
            if not all(isinstance(text, str) for text in texts):
                raise TypeError("a name is none")
            if not (record.fallback is None or isinstance(record.fallback, str)) or not isinstance(record.sent, bool):
                raise TypeError("fallback or sent is none")
            if type(record.price_age) not in (int, float) or not math.isfinite(record.price_age):
                raise TypeError("the age of the price is none")
            prompt = record.prompt
            whole = prompt.start_time, prompt.time_increment, prompt.time_length, prompt.num_simulations
            if not all(type(number) is int and abs(number) < 2**53 for number in whole):
                raise TypeError("a whole number is none")
            return record
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"is no answer ({error})") from error

    def load_paths(self, folder: Path) -> NDArray[np.float32]:
        """Read the paths (num_simulations, num_steps + 1).

        Raises:
            DataError: the file is gone or damaged.
        """
        path = folder / self.paths
        try:
            content = path.read_bytes()
        except OSError as error:
            raise DataError(f"cannot read {path} ({error.strerror}); the answer cannot be settled") from error
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise DataError(f"{path} differs from its hash in {ANSWERS}; the answer cannot be settled")
        try:
            return unpack(content, self.paths, (self.prompt.num_simulations, self.prompt.num_steps + 1))
        except ValueError as error:
            raise DataError(f"{path} holds {error}; the answer cannot be settled") from error


class AnswerLedger:
    """Writes answers down. Use from any thread, or as a context manager; several processes may share a folder."""

    def __init__(self, folder: Path | str) -> None:
        """Open or create the ledger.

        Raises:
            RunError: the folder cannot be written.
        """
        self.folder = Path(folder)
        self._lock = threading.Lock()
        self._lines = LineWriter(self.folder / ANSWERS)
        self._held: deque[tuple[AnswerRecord, bytes]] = deque()
        self._num_lost = 0
        self._problem: str | None = None

    @property
    def num_lost(self) -> int:
        """Answers that did not fit into memory while the disk refused."""
        return self._num_lost

    @property
    def problem(self) -> str | None:
        """What is wrong with the disk, and what is held back or lost; None if nothing is."""
        lost = f"{self._num_lost} answers are lost to it" if self._num_lost else ""
        held = f"{self._problem}; {len(self._held)} answers are held in memory" if self._problem else ""
        return "; ".join(filter(None, (held, lost))) or None

    @property
    def mended(self) -> str | None:
        """What was found torn and put aside."""
        return self._lines.mended

    def record(
        self,
        prompt: Prompt,
        paths: ArrayLike,
        *,
        asked_at: float,
        seed: int,
        bundle: str,
        price_age: float,
        fallback: Fallback | None = None,
        sent: bool = True,
        caller: str = "",
        seconds: float = 0.0,
    ) -> AnswerRecord:
        """Write one answer with its paths (num_simulations, num_steps + 1); see ``AnswerRecord``.

        A disk that refuses is no error here: ``problem`` tells, and the next call tries again.

        Raises:
            ValueError: the paths do not fit the prompt, or a number is not finite.
        """
        prices = np.asarray(paths, dtype=np.float32)
        if prices.shape != (prompt.num_simulations, prompt.num_steps + 1):
            raise ValueError(f"paths {prices.shape} do not fit {prompt}")
        if not (math.isfinite(asked_at) and math.isfinite(price_age)):
            raise ValueError(f"an answer needs a time and a price of some age, got {asked_at} and {price_age}")
        content = pack(prices)
        name = f"{prompt.asset}-{prompt.start_time}-{uuid.uuid4().hex[:12]}"
        record = AnswerRecord(
            id=name,
            prompt=prompt,
            asked_at=float(asked_at),
            seed=int(seed),
            bundle=bundle,
            price_age=float(price_age),
            fallback=fallback,
            sent=sent,
            paths=f"{PATHS}/{format_time(prompt.start_time)[:10]}/{holder(caller)}/{name}{SUFFIX}",
            sha256=hashlib.sha256(content).hexdigest(),
            caller=caller,
            seconds=round(seconds, 4),
        )
        with self._lock:
            self._held.append((record, content))
            self._write_held()
        return record

    def close(self) -> None:
        """Try once more to write what is held back, and let go of the folder."""
        with self._lock:
            self._write_held()
            if self._held:
                _log.error("%d answers are lost: %s", len(self._held), self._problem)
        self._lines.close()

    def __enter__(self) -> AnswerLedger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write_held(self) -> None:
        problem = None
        while self._held and problem is None:
            record, content = self._held[0]
            try:
                _write_file(self.folder / record.paths, content)
                self._lines.append(asdict(record))
                self._held.popleft()
            except RunError as error:
                problem = str(error)
        while len(self._held) > MOST_HELD:
            self._held.popleft()
            self._num_lost += 1
        if problem is not None and problem != self._problem:
            _log.warning("%s; answers go on, their records are held in memory", problem)
        self._problem = problem


def _write_file(path: Path, content: bytes) -> None:
    try:
        atomic_write(path, content, mode=PRIVATE)
    except OSError as error:
        raise RunError(f"cannot write {path}: {error.strerror or error}") from error

"""Research beside the trials: a thread of its own, which costs the search no more than the cores of one trial.

Finding ends some time before the trials have to, so that claims can be asked. A thread that is not over then is waited
for, within bounds, and left alone after that: it tells nothing any more, and ends at its next step. Whatever befalls
it, the search goes on without and says so. What came of it is told once, by the search's own thread.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from synthcity.agents.client import LLMClient
from synthcity.errors import SynthcityError
from synthcity.research.model.desk import ROLE
from synthcity.search.config import SearchConfig
from synthcity.search.data import SearchData
from synthcity.search.finals.forecasters import answering, free_places
from synthcity.search.finals.found import FOLDER, FORECASTERS
from synthcity.search.finals.scoring import Scorer
from synthcity.search.finals.timing import TrialsClock
from synthcity.search.journal.recorder import Recorder
from synthcity.search.journal.surroundings import ForecastersTold, Researched
from synthcity.search.researching.work import Outcome, do_research
from synthcity.wording import duration

PURPOSE = f"research:{ROLE}"
_WORKERS_NICE, _NICER = 15, 2  # of Ray by itself; and what research is beyond its workers
_FINDING = 0.75  # of what is left at most; the rest is for claims, and for learning what is kept
_log = logging.getLogger(__name__)


class _LeftAlone(SynthcityError):
    """Nobody waits for this research any more."""


class Beside:
    """The research of one search; nothing happens where none is asked for, or it was done."""

    def __init__(self, recorder: Recorder, data: SearchData, config: SearchConfig, folder: Path) -> None:
        self._recorder, self._data, self._config, self._folder = recorder, data, config, folder
        self._client: LLMClient | None = None
        self._outcome: Outcome | None = None
        self._error = ""
        self._is_asked = bool(config.search.research.rounds) and recorder.last(Researched) is None
        self._began = 0.0
        self._end = float("inf")  # of finding, of a monotonic clock
        self._lock = threading.Lock()  # of what is told
        self._is_closed = False
        self._thread = threading.Thread(target=self._work, name="research", daemon=True)

    def start(self, client: LLMClient | None, clock: TrialsClock) -> None:
        """Begin, with the language model of the search."""
        if not self._is_asked:
            return
        may_cost = self._config.llm.caps.usd_per_run != 0
        self._client, self._began = client if may_cost else None, self._recorder.used_seconds()
        if (left := clock.left) is not None:
            self._end = time.monotonic() + _FINDING * left
        self._thread.start()

    def finish(self, scorer: Scorer, clock: TrialsClock) -> None:
        """Wait for it within bounds, have the forecasters that it kept answer, and tell what came of it."""
        if not self._is_asked:
            return
        wait, left = self._config.search.research.wait, clock.left
        wait = wait if left is None else min(wait, left + clock.grace)
        self._end = min(self._end, time.monotonic() + _FINDING * wait)
        if self._thread.is_alive() and wait:
            message = f"the trials are over; waiting for research, {duration(wait)} at most"
            self._recorder.emit("stage", name="research", message=message)
        self._thread.join(wait)
        self.close()
        outcome = self._outcome
        if outcome is None:
            why = self._error or "it was not over in time; research/labbook.jsonl tells how far it came"
            outcome = Outcome(sentence=f"nothing came of it: {why}")
        texts, notes = self._answering(outcome, scorer, None if left is None else clock.affords)
        for note in (*outcome.notes, *notes):
            self._recorder.emit("degraded", note=f"{note[0].upper()}{note[1:]}.")
        self._recorder.emit(
            "researched",
            sentence=outcome.sentence,
            found=list(outcome.found),
            inputs=list(outcome.inputs),
            forecasters=texts,
            seconds=self._recorder.used_seconds() - self._began,
            usd=self._usd,
        )

    def close(self) -> None:
        """Let it tell nothing any more, and end at its next step."""
        with self._lock:
            self._is_closed = True

    @property
    def _usd(self) -> float:
        """What its questions have cost, earlier sessions included."""
        spent = {} if self._client is None else self._client.ledger.accounts
        return sum((one.usd for name, one in spent.items() if name.startswith(f"{ROLE}-")), 0.0)

    def _answering(
        self, outcome: Outcome, scorer: Scorer, affords: Callable[[float], bool] | None
    ) -> tuple[list[str], list[str]]:
        told = self._recorder.last(ForecastersTold)
        before = [one["name"] for one in told["forecasters"]] if told else []
        new = [one for one in outcome.forecasters if one.name not in before]
        if new:
            message = f"asking {len(new)} forecaster{'s' * (len(new) > 1)} that research kept"
            self._recorder.emit("stage", name="forecasters", message=message)
        places = free_places(self._config) - len(before)
        used, notes = answering(new[:places], scorer, self._data, self._folder / FOLDER / FORECASTERS, affords)
        notes += [f"the forecaster {one.name} found no place in the mix" for one in new[places:]]
        return [one["name"] for one in used], notes

    def _work(self) -> None:
        if sys.platform == "linux":  # alone has priorities of threads
            with contextlib.suppress(OSError, ValueError):
                workers = int(os.environ.get("RAY_worker_niceness", _WORKERS_NICE))  # noqa: SIM112 - its name
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), min(19, workers + _NICER))
        try:
            self._outcome = do_research(
                self._config, self._data, self._folder, self._client, tell=self._tell, left=self._left
            )
        except _LeftAlone:
            pass
        except SynthcityError as error:
            self._fail(str(error))
        except Exception as error:  # noqa: BLE001 - whatever befalls it, the search goes on without and says so
            _log.warning("research beside the trials failed", exc_info=True)
            self._fail(f"{type(error).__name__}: {error}")

    def _fail(self, why: str) -> None:
        self._error = why
        with contextlib.suppress(_LeftAlone):
            self._tell(f"it failed, and the search goes on without: {why}")

    def _tell(self, text: str) -> None:
        with self._lock:
            if self._is_closed:
                raise _LeftAlone
            self._recorder.emit("research", text=text)

    def _left(self) -> float:
        if self._is_closed:
            raise _LeftAlone
        return self._end - time.monotonic()

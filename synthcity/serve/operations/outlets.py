"""Where views of a miner go: a file for ``mine status``, metrics, a webhook."""

from __future__ import annotations

import contextlib
import logging
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from synthcity.files import PRIVATE, atomic_write
from synthcity.serve.admission.sparing import Sparing
from synthcity.serve.operations.export import exporting, view_families
from synthcity.serve.operations.report import STATUS, Report
from synthcity.serve.operations.view import View
from synthcity.serve.operations.webhook import Webhook
from synthcity.settings import Secret

EVERY_SECONDS = 5.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Outlets:
    """``show`` hands a view to all; ``metrics`` is the address of the metrics, ``problem`` what keeps a view back."""

    show: Callable[[View], None]
    metrics: str
    problem: Callable[[], str | None]


@contextlib.contextmanager
def outlets(state: Path, metrics_port: int, webhook: Secret) -> Iterator[Outlets]:
    """Open all outlets, the webhook only where one is named.

    Raises:
        ConfigError: the port of the metrics is taken.
    """
    log = Sparing(_log)
    latest: list[View] = []
    told_at, told = -math.inf, ""
    with contextlib.ExitStack() as stack:
        address = stack.enter_context(exporting(metrics_port, lambda: view_families(latest[0]) if latest else ()))
        hook = stack.enter_context(Webhook(webhook)) if webhook else None

        def show(view: View) -> None:
            nonlocal told_at, told
            latest[:] = [view]
            if hook is not None:
                hook.show(view)
            report = Report.of(view, address)
            if not 0 <= view.facts.now - told_at < EVERY_SECONDS or report.verdict != told:
                told_at, told = view.facts.now, report.verdict
                try:
                    atomic_write(state / STATUS, report.to_json() + "\n", mode=PRIVATE)
                except OSError as error:
                    log.error("cannot write %s (%s)", state / STATUS, error.strerror)

        yield Outlets(show=show, metrics=address, problem=lambda: hook.problem if hook else None)

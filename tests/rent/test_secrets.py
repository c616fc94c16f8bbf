"""The market's token is planted, and looked for in all that is written, printed and told."""

from __future__ import annotations

import logging
import os
import pickle
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from synthcity.cli.main import cli
from synthcity.errors import SynthcityError
from synthcity.rent import Lessor, Market, Patience
from synthcity.settings import Settings
from tests.rent.builders import NAME, PUBLIC_KEY, limits, node_type
from tests.standins.account import CHAOS, gpu_offer
from tests.standins.market import TOKEN, Running

FAULTS = [(kind, fault) for kind, faults in CHAOS.items() for fault in faults if not fault.startswith("hang")]


def test_the_token_is_nowhere(
    server: Running, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    offers = [gpu_offer(f"a100-{at}", "A100", 1, "1.00") for at in range(100)]
    server.set(virtual=None, offers={"gpu": offers, "cpu": []})
    settings = Settings.load()
    printed = [repr(settings)]
    quick = Patience(start=0.3, answer=0.3, first_wait=0.0, longest_pause=0.0)
    with (
        caplog.at_level(logging.DEBUG),
        Market(server.url, settings.basilica_api_token, patience=quick, now=time.time, sleep=lambda _: None) as market,
        Lessor(
            "syntha",
            [node_type(max_nodes=200)],
            limits("900", "900"),
            market=market,
            ledger=tmp_path / "state/syntha/rentals.jsonl",
            public_key=PUBLIC_KEY,
            settings=settings,
        ) as lessor,
    ):
        lessor.introduce()
        name = lessor.ask("gpu")
        steps = {
            "start": lambda: lessor.ask("gpu"),
            "list": lessor.reconcile,
            "stop": lambda: lessor.stop(name),
            "offers": lambda: lessor.ask("gpu"),
        }
        for kind, fault in [*FAULTS, *((kind, status) for kind in CHAOS for status in ("401", "403"))]:
            server.set(faults=[{"on": f"^{kind}", "what": fault}])
            _tell(steps[kind], printed)
            market._connection._not_before = 0.0
        printed.append(repr(lessor.rentals()))
        server.set(faults=[])
        server.rent(NAME, "a100-0", age=99_999)
        for words in (["rentals", "--all", "--json"], ["rentals"], ["reap", "--yes", "--older", "20h"]):
            found = CliRunner().invoke(cli, ["cluster", *words, "--state", "state"])
            printed += [found.output, repr(found.exception), repr(vars(found.exception or settings))]
        printed.append(repr(vars(market)))
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert len(written) > 1000
    told = "".join(printed) + caplog.text + repr(pickle.dumps(settings))
    assert "canary" not in told
    assert b"canary" not in written
    assert TOKEN not in repr(server.state())
    assert os.environ["BASILICA_API_TOKEN"] == TOKEN


def _tell(step: object, printed: list[str]) -> None:
    assert callable(step)
    try:
        step()
    except SynthcityError as error:
        cause: BaseException | None = error
        while cause is not None:
            printed += [repr(cause), str(cause), repr(vars(cause))]
            cause = cause.__cause__ or cause.__context__

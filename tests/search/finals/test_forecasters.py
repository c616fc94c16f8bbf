"""What a library keeps of forecasters: chosen at the start, asked once, told, and the same after a resumption."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from synthcity.authored.examples import FHS
from synthcity.authored.forecaster import AuthoredForecaster
from synthcity.authored.locked.isolation import check_isolation
from synthcity.authored.locked.lock import NotIsolated
from synthcity.errors import BundleError, TrialFailed
from synthcity.forecast.bundles.bundle import load
from synthcity.forecast.bundles.facts import Facts
from synthcity.research.labbook import Origin
from synthcity.research.library import add
from synthcity.search.finals import inputs
from synthcity.search.finals.forecasters import admit_forecasters, choose_forecasters, kept_forecasters
from synthcity.search.journal.events import Degraded, ForecastersTold
from synthcity.search.journal.journal import Journal
from synthcity.search.journal.recorder import Recorder
from synthcity.sn50.prompt import Prompt
from tests.research.conftest import SWING
from tests.research.test_library import evidence
from tests.search.finals.test_inputs import REAL, config
from tests.search.test_run import events, finish, start


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    with Journal(tmp_path / "run") as journal:
        yield Recorder(journal)


@pytest.fixture
def data() -> Any:
    prompts = [Prompt(asset="BTC", start_time=86400 * n) for n in range(1, 4)]
    facts = Facts(venues=("files",), assets=("BTC",))
    return SimpleNamespace(facts=facts, validation_prompts=lambda fresh: prompts)


class Asked:
    """In place of a scorer: keeps the paths that each forecaster was asked for; ``failing`` fails."""

    def __init__(self, failing: str = "") -> None:
        self.failing, self.paths = failing, dict[str, list[int]]()

    def ask(self, forecaster: AuthoredForecaster, prompts: Sequence[Prompt]) -> None:
        self.paths[forecaster.name] = [prompt.num_simulations for prompt in prompts]
        if forecaster.name == self.failing:
            raise TrialFailed(f"the forecaster {forecaster.name}: it was still running after 10 s")


def keep(library: Path, name: str, high: float = -0.1) -> str:
    claim = replace(REAL.confirmed, high=high)
    text = SWING.replace('"swing"', f'"{name}"')
    return add(library, name, Origin(forecaster=text), replace(REAL, confirmed=claim)).stem


def test_those_that_answer_are_told_saved_and_the_same_whatever_becomes_of_the_library(
    tmp_path: Path, recorder: Recorder, data: Any
) -> None:
    library, scorer = tmp_path / "library", Asked(failing="hangs")
    good, bad = keep(library, "good"), keep(library, "hangs", -0.2)
    for _ in range(2):
        admit_forecasters(recorder, data, scorer, config(library), tmp_path / "run")  # type: ignore[arg-type]
        shutil.rmtree(library, ignore_errors=True)
    assert scorer.paths == {name: [8000, 250, 250, 250] for name in ("hangs", "good")}
    told = recorder.last(ForecastersTold)
    assert told is not None
    assert [(one["name"], one["made_by"]) for one in told["forecasters"]] == [(good, "forecaster")]
    assert [event["note"] for event in recorder.all(Degraded)] == [
        f"The kept forecaster {bad} is left out: the forecaster hangs: it was still running after 10 s."
    ]
    (found,) = kept_forecasters(recorder, tmp_path / "run").items()
    assert found[0] == good
    assert isinstance(found[1], AuthoredForecaster)
    shutil.rmtree(tmp_path / "run" / "forecasters")
    with pytest.raises(BundleError):
        kept_forecasters(recorder, tmp_path / "run")


def test_without_a_library_nothing_is_told(recorder: Recorder, data: Any, tmp_path: Path) -> None:
    admit_forecasters(recorder, data, Asked(), config(None), tmp_path)  # type: ignore[arg-type]
    assert recorder.last(ForecastersTold) is None
    assert kept_forecasters(recorder, tmp_path) == {}


def test_as_many_are_used_as_the_mix_has_places_and_it_is_known_at_once_what_cannot_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [keep(tmp_path, f"law_{n}", -0.1 * n) for n in range(1, 4)]
    found, notes = choose_forecasters(config(tmp_path, "search.finalists=6"))
    assert [one.name for one in found] == names[:0:-1]
    assert notes == [
        f"the kept forecaster {names[0]} is left out: 2 are the most beside 6 networks in a mix; "
        "set search.finalists lower"
    ]

    def fail() -> None:
        raise NotIsolated("libseccomp2 is missing")

    monkeypatch.setattr(inputs, "check_isolation", fail)
    assert choose_forecasters(config(tmp_path, "search.finalists=8"))[0] == []
    with pytest.raises(NotIsolated, match=r"but libseccomp2 is missing; or set search.library to null"):
        choose_forecasters(config(tmp_path))


@pytest.mark.slow
def test_a_search_mixes_a_written_forecaster_and_leaves_out_one_that_fails(tmp_path: Path) -> None:
    try:
        check_isolation()
    except NotIsolated as error:
        pytest.skip(str(error))
    library, run = tmp_path / "library", tmp_path / "runs" / "tiny"
    texts = {"written_fhs": FHS, "absent": SWING.replace("return drawn", "return drawn[len(noise.normal) :]")}
    good, absent = (add(library, name, Origin(forecaster=text), evidence()).stem for name, text in texts.items())
    small = ("trials=1", "finalists=1", "candidates=[summary_gbm]", "max_steps=4", f"library={library}")
    settings = [f"search.{one}" for one in small] + ["data.validation_every=47h", "data.test_every=95h"]
    finish(start(tmp_path, *(word for one in settings for word in ("--set", one))))
    told = {event["kind"]: event for event in events(run)}
    assert [one["name"] for one in told["forecasters"]["forecasters"]] == [good]
    (note,) = [e["note"] for e in events(run) if e["kind"] == "degraded"]
    assert note.startswith(f"The kept forecaster {absent} is left out: the forecaster swing: its answer has the shape")
    assert good in told["mix"]["members"]
    with pytest.raises(BundleError, match=r"\(forecaster written_fhs\); read it"):
        load(run / "forecasters" / good)
    report = json.loads((run / "report.json").read_text())
    assert f"Its forecaster {good} (sha256 " in report["inputs"]
    assert report["kept_inputs"][-1]["made_by"] == "forecaster"

"""What a resumed run does at second 0, before prices are loaded or Ray is started."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from synthcity.cluster.local import Cluster
from synthcity.errors import ConfigError, DataError, RunError
from synthcity.history.local import row_of_run
from synthcity.search import resumption, run
from synthcity.search.config import load_config, parse_config
from synthcity.search.data import load_data
from synthcity.search.fingerprint import fingerprint
from synthcity.search.journal.folder import resumed_config, write_resolved
from synthcity.search.journal.history import TrialHistory
from synthcity.search.journal.journal import JOURNAL, Journal
from synthcity.search.journal.recorder import Recorder
from synthcity.search.report.outcome import SearchResult
from synthcity.search.report.saving import REPORT_JSON, save_data
from synthcity.search.report.seal import seal
from synthcity.search.resumption import changes, extends
from tests.search.sample_run import journal, sample_report
from tests.search.test_config import sweep
from tests.search.test_data import config as data_config


class Loaded(Exception):
    """Stands for all the work that is not done where nothing is to be done."""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A sweep file, and a run of it that is over; it was started with ``--set search.seed=3``."""

    def load(config: object) -> None:
        raise Loaded

    monkeypatch.setattr(run, "load_data", load)
    path = tmp_path / "sweep.yaml"
    path.write_text(yaml.safe_dump({**sweep(), "output": str(tmp_path / "runs"), "search": {"trials": 24}}))
    folder = tmp_path / "runs" / "sweep"
    with Journal(folder) as lines:
        for event in sorted(journal(), key=lambda e: (e["kind"] != "run_started", e.get("index", 99))):
            lines.append(event)
        lines.append({"kind": "search_finished", "utilisation": 0.9, "time": 2e9})
        lines.append({"kind": "run_finished", "winner": "mix-3", "time": 2e9})
    write_resolved(folder, load_config(path, ["search.seed=3", "search.time_budget=20m"]))
    save_data(folder, sample_report(diagnostics=None, groups=None))
    return path


def test_a_run_that_is_over_costs_nothing_and_writes_nothing(file: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in (tmp_path / "runs").rglob("*") if path.is_file()}
    result = run.search(file, resume=True)
    assert result.report["verdict"]["winner"] == "mix-3"
    assert {path: path.read_bytes() for path in (tmp_path / "runs").rglob("*") if path.is_file()} == before
    assert run.search(file, settings=["search.trials=20", "search.workers=1"], resume=True).report == result.report


@pytest.mark.parametrize("key", ["output", "search.storage"])
def test_a_place_that_cannot_be_written_to_is_told_before_prices_are_loaded(
    file: Path, tmp_path: Path, key: str
) -> None:
    (tmp_path / "blocked").touch()
    with pytest.raises(RunError, match=rf"blocked is no folder; name another folder by {key} \(nothing was started"):
        run.search(file, settings=["name=new", f"{key}={tmp_path / 'blocked' / 'x'}"])


@pytest.mark.parametrize("setting", ["search.trials=80", "search.time_budget=2h", "search.time_budget=null"])
def test_it_gets_more_trials_or_time(file: Path, setting: str) -> None:
    with pytest.raises(Loaded):
        run.search(file, settings=[setting], resume=True)


@pytest.mark.parametrize("content", [None, "{", '{"schema": 3}'])
def test_a_report_that_is_gone_damaged_or_of_an_earlier_version_is_made_again(file: Path, content: str | None) -> None:
    path = file.parent / "runs" / "sweep" / REPORT_JSON
    path.unlink() if content is None else path.write_text(content)
    with pytest.raises(Loaded):
        run.search(file, resume=True)


def test_a_report_that_is_not_what_was_sealed_is_made_again(file: Path) -> None:
    folder = file.parent / "runs" / "sweep"
    with Journal(folder) as lines:
        seal(Recorder(lines), folder)
    assert run.search(file, resume=True).report["verdict"]["proven"]
    text = (folder / REPORT_JSON).read_text()
    (folder / REPORT_JSON).write_text(text.replace('"proven": true', '"proven": false'))
    with pytest.raises(Loaded):
        run.search(file, resume=True)


def test_a_run_whose_report_was_made_again_is_over_as_before(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = file.parent / "runs" / "sweep"
    (folder / REPORT_JSON).unlink()
    report = sample_report(diagnostics=None, groups=None)

    def announced(self: Any, found: Cluster) -> Any:
        self._recorder.emit("run_resumed", workers=found.workers)
        return nullcontext(SimpleNamespace(wait=lambda: None))

    def conclude(**given: Any) -> SearchResult:
        save_data(folder, report)
        return SearchResult(folder=folder, report=report)

    stand_ins: dict[str, Any] = {
        "load_data": lambda config: SimpleNamespace(notes=()),
        "changes": lambda history, data: [],
        "cluster": lambda *given, **options: nullcontext(Cluster(workers=1, num_gpus=0)),
        "Scorer": lambda *given: None,
        "run_final": lambda **given: None,
        "keep_samples": lambda *given, **options: None,
        "conclude": conclude,
        "seal": lambda recorder, folder: recorder.emit("sealed", files={}, journal=""),
    }
    for name, stand_in in stand_ins.items():
        monkeypatch.setattr(run, name, stand_in)
    monkeypatch.setattr(run._Run, "_announced", announced)
    run.search(file, resume=True)
    assert not row_of_run(folder).is_open


def test_flags_of_the_start_are_not_asked_for_again_and_must_agree_where_given(file: Path) -> None:
    folder = file.parent / "runs" / "sweep"
    assert resumed_config(folder, []).search.seed == 3
    assert resumed_config(folder, ["search.seed=3", "search.workers=1"]).search.workers == 1
    for setting in ("search.seed=4", "data.assets=[BTC]", "search.rungs=2"):
        with pytest.raises(ConfigError, match=f"{setting.split('=')[0]} is .* but the run in"):
            run.search(file, settings=[setting], resume=True)


def test_a_sweep_file_that_was_edited_since_only_names_the_run(file: Path) -> None:
    file.write_text(file.read_text().replace("trials: 24", "trials: 30"))
    assert run.search(file, resume=True).report["verdict"]["winner"] == "mix-3"


def test_a_damaged_journal_is_told_before_prices_are_loaded(file: Path) -> None:
    path = file.parent / "runs" / "sweep" / JOURNAL
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:4] + lines[5:]))
    with pytest.raises(RunError, match=r"journal\.jsonl tells nonsense at line 5: candidate number 4 comes after 3"):
        run.search(file, resume=True)
    for content in (b"\x00\xff\xfe", b"competition: [", b"!!binary aGVsbG8=", b"[1, 2]", b""):
        (path.parent / "resolved.yaml").write_bytes(content)
        with pytest.raises((RunError, ConfigError)) as caught:
            run.search(file, resume=True)
        assert "\n" not in str(caught.value)


def test_only_a_search_that_was_over_is_extended() -> None:
    begun = TrialHistory.replay(journal())
    over = begun.after({"kind": "search_finished", "utilisation": None, "time": 2e9})
    more = parse_config(sweep(search={"trials": 80}))
    assert not extends(more, begun)
    assert extends(more, over)
    assert not extends(parse_config(sweep(search={"trials": 24, "time_budget": "20m"})), over)
    again = over.after({"kind": "run_extended", "trials": 80, "looks": 1, "time": 2e9})
    assert (again.finals.winner, again.finals.scores, again.looks) == (None, {}, over.looks)
    assert not extends(more, again)


def test_other_prices_are_refused_and_other_versions_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    data = load_data(data_config())
    begun = {"kind": "run_started", "time": 0.0, "workers": 1}
    known = {**begun, "fingerprint": fingerprint(data), "versions": {"torch": "2.0", "numpy": "9"}}
    monkeypatch.setattr(resumption, "versions", lambda: {"torch": "2.1", "numpy": "9"})
    assert changes(TrialHistory(), data) == []
    assert changes(TrialHistory.replay([begun]), data) == []
    assert changes(TrialHistory.replay([known]), data) == [
        "The run was resumed with other versions: torch 2.0 became 2.1."
    ]
    other = load_data(data_config("data.simulated.seed=1"))
    with pytest.raises(DataError, match=r"would not compare; point data.path to the old store, or start a new run"):
        changes(TrialHistory.replay([known]), other)


def test_a_search_that_began_with_private_noise_goes_on_and_is_told() -> None:
    data = load_data(data_config())
    begun = TrialHistory.replay(journal())
    assert begun.run is not None
    assert begun.records
    old = begun.after({**begun.run, "kind": "run_resumed", "fingerprint": {}, "versions": {}, "version": 2})
    [told] = changes(old, data)
    assert told.startswith("The trials before this resume were scored with random numbers of their own")
    assert changes(old.after({**old.run, "version": 3}), data) == []
    over = old.after({"kind": "search_finished", "utilisation": None, "time": 2e9})
    assert changes(over, data) == []

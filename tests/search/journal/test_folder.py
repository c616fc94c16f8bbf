from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from synthcity.errors import ConfigError, RunError
from synthcity.search.config import SearchConfig, load_config, parse_config
from synthcity.search.journal.folder import (
    check_resumable,
    read_resolved,
    read_run,
    resumed_config,
    run_folder,
    write_resolved,
)
from synthcity.search.journal.history import TrialHistory
from synthcity.search.journal.journal import Journal
from synthcity.search.journal.recorder import Recorder
from tests.search.test_config import sweep

OLD = Path(__file__).parent / "old"


def config(output: Path, *settings: str) -> SearchConfig:
    return parse_config(sweep(), [f"output={output}", *settings])


def use(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "journal.jsonl").write_text('{"kind": "run_started"}\n')


def test_new_runs_are_numbered(tmp_path: Path) -> None:
    assert run_folder(config(tmp_path), "quick", resume=False) == tmp_path / "quick"
    use(tmp_path / "quick")
    assert run_folder(config(tmp_path), "quick", resume=False) == tmp_path / "quick-2"
    use(tmp_path / "quick-2")
    use(tmp_path / "quickstart")
    assert run_folder(config(tmp_path), "quick", resume=False) == tmp_path / "quick-3"
    assert run_folder(config(tmp_path), "quick", resume=True) == tmp_path / "quick-2"


def test_a_named_run_is_never_overwritten(tmp_path: Path) -> None:
    named = config(tmp_path, "name=mine")
    assert run_folder(named, "quick", resume=False) == tmp_path / "mine"
    with pytest.raises(RunError, match="no run to resume"):
        run_folder(named, "quick", resume=True)
    use(tmp_path / "mine")
    with pytest.raises(RunError, match="already holds a run; add --resume"):
        run_folder(named, "quick", resume=False)
    assert run_folder(named, "quick", resume=True) == tmp_path / "mine"


def test_a_search_killed_before_its_first_event_leaves_its_name_free(tmp_path: Path) -> None:
    (tmp_path / "quick").mkdir()
    (tmp_path / "quick" / "journal.jsonl").touch()
    assert run_folder(config(tmp_path), "quick", resume=False) == tmp_path / "quick"
    assert run_folder(config(tmp_path, "name=quick"), "quick", resume=False) == tmp_path / "quick"


def test_nothing_to_resume(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no run 'quick' to resume"):
        run_folder(config(tmp_path / "absent"), "quick", resume=True)


def test_only_the_budget_may_change_on_resume(tmp_path: Path) -> None:
    write_resolved(tmp_path, config(tmp_path))
    check_resumable(tmp_path, config(tmp_path, "search.trials=99", "search.time_budget=3h", "name=mine"))
    with pytest.raises(ConfigError, match=r"search.seed is 5 but the run in .* was started with 0"):
        check_resumable(tmp_path, config(tmp_path, "search.seed=5"))
    with pytest.raises(ConfigError, match=r"data.periods.test is"):
        check_resumable(tmp_path, config(tmp_path, "data.periods.test=[2025-04-01, 2025-05-02]"))


def test_a_run_of_before_durations_had_units_resumes(tmp_path: Path) -> None:
    now = config(tmp_path, "search.time_budget=20m", "search.trial_time=90s", "data.test_every=97min")
    plain = now.to_dict()
    assert (plain["search"]["time_budget"], plain["data"]["test_every"]) == ("20m", "1h37m")
    plain["search"] |= {"time_budget": 1200.0, "trial_time": 90.0}
    plain["data"] |= {"test_every": 5820.0, "validation_every": 39600}
    (tmp_path / "resolved.yaml").write_text(yaml.safe_dump(plain))
    assert read_resolved(tmp_path) == now
    check_resumable(tmp_path, now)
    with pytest.raises(ConfigError, match=r"data\.validation_every must be a duration with its unit, such as 39600s"):
        load_config(tmp_path / "resolved.yaml")


@pytest.mark.parametrize("name", ["bursts", "calendar"])
def test_a_run_of_before_networks_were_told_goes_on_without(tmp_path: Path, name: str) -> None:
    plain = config(tmp_path).to_dict()
    assert plain["data"].pop(name) is True
    (tmp_path / "resolved.yaml").write_text(yaml.safe_dump(plain))
    assert read_resolved(tmp_path) == config(tmp_path, f"data.{name}=false")
    assert getattr(resumed_config(tmp_path, ()).data, name) is False


def test_a_damaged_config_is_not_guessed(tmp_path: Path) -> None:
    (tmp_path / "resolved.yaml").write_text("competition: [")
    with pytest.raises(RunError, match="cannot read"):
        check_resumable(tmp_path, config(tmp_path))


def test_an_interrupted_run_of_an_earlier_version_is_read_and_goes_on(tmp_path: Path) -> None:
    """Its lines have no checksums and no sessions, its durations no units, and it told of no prices."""
    folder = tmp_path / "quickstart"
    shutil.copytree(OLD, folder)
    config, events = read_run(folder)
    assert (config.search.trials, config.data.test_every, len(events)) == (3, 13 * 3600.0, 13)
    history = TrialHistory.replay(events)
    assert [(record.id, record.status, len(record.rungs)) for record in history.records] == [
        ("c0000", "completed", 2),
        ("c0001", "running", 0),
        ("c0002", "queued", 0),
    ]
    assert history.records[0].curve == pytest.approx([2500.96435546875, 2491.90478515625])
    assert history.used_seconds == pytest.approx(36.6, abs=0.1)
    assert resumed_config(folder, ["search.workers=2"]).search.workers == 2
    with Journal(folder) as journal:
        recorder = Recorder(journal)
        recorder.emit("run_resumed", workers=2)
        assert recorder.history.records[1].status == "queued", "what ran when it was killed waits again"
        assert [session.number for session in recorder.history.sessions] == [1, 2]
        assert 36.5 < recorder.history.used_seconds < 60
    assert len(read_run(folder)[1]) == 14

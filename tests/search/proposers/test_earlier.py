from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from synthcity.agents.prompts import render
from synthcity.errors import ConfigError, RunError
from synthcity.search.candidates.candidate import Candidate
from synthcity.search.candidates.space import Space, config_hash
from synthcity.search.config import SearchConfig, parse_config
from synthcity.search.journal.events import Earlier
from synthcity.search.journal.folder import write_resolved
from synthcity.search.journal.history import TrialHistory
from synthcity.search.journal.journal import Journal
from synthcity.search.journal.recorder import Recorder
from synthcity.search.proposers import DefaultsProposer
from synthcity.search.proposers.briefing import briefing
from synthcity.search.proposers.earlier import candidates_of, describe, read_earlier
from synthcity.search.run import search
from synthcity.vault import push_run
from synthcity.vault.folder import FolderVault
from tests.search.builders import candidate, config, tell
from tests.search.test_config import sweep

WIDER = config(d_model=64)
TOLD = [
    {"kind": "baselines", "time": 0.0, "scores": {"fhs": 5000.0, "ewma": 5100.0}},
    *tell(candidate(0), 5100.0),
    *tell(
        Candidate(index=1, source="refine", config=WIDER, hash=config_hash(WIDER), parent="c0000", rationale="wider"),
        4950.0,
    ),
    *tell(candidate(2), status="failed"),
]


def search_after(*folders: Path, settings: tuple[str, ...] = ()) -> SearchConfig:
    listed = ", ".join(map(str, folders))
    return parse_config(sweep(), [*settings, f"search.earlier=[{listed}]"])


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write(tmp_path / "first", TOLD)


def write(folder: Path, events: list[dict[str, Any]], *settings: str) -> Path:
    with Journal(folder) as journal:
        write_resolved(folder, parse_config(sweep(), settings))
        recorder = Recorder(journal)
        for event in events:
            recorder.emit(event["kind"], **{k: v for k, v in event.items() if k not in ("kind", "time")})
    return folder


def test_the_best_and_what_changes_did_are_told_without_ids_or_scores(run: Path) -> None:
    text = describe(read_earlier(search_after(run)))
    assert text.splitlines() == [
        "first, 3 trials, its best:",
        "- -1.00 % lstm>gbm d_model=64",
        "- +2.00 % lstm>gbm training(learning_rate=0.0005)",
        "What changes did there:",
        "- lstm>gbm: d_model 32 to 64, training.learning_rate 0.0005 to 0.002 (wider): helped, -2.94 %",
    ]


def test_it_stands_in_the_prompt_as_data(run: Path) -> None:
    text = describe(read_earlier(search_after(run)))
    values = briefing(Space.from_registry(2), TrialHistory(), task="F", budget="B", rule="R", count=1, earlier=text)
    prompt = render("planner", values).text
    assert f'<data name="earlier">\n{text}\n</data>' in prompt
    assert "## Earlier runs" not in render("planner", values | {"earlier": ""}).text


def test_the_best_are_proposed_after_the_hand_written_and_each_once(run: Path, tmp_path: Path) -> None:
    again = write(tmp_path / "second", TOLD)
    listed = candidates_of(read_earlier(search_after(run, again)))
    assert [found["d_model"] for _, found in listed] == [64, 32]
    proposer = DefaultsProposer([("own", config(history=96))], earlier=listed)
    found = proposer.propose(9, TrialHistory(), np.random.default_rng(0))
    assert [proposal.rationale for proposal in found] == [
        "hand-written: own",
        *2 * ["among the best of the run second"],
    ]


def test_what_was_written_for_that_run_alone_is_left_out(tmp_path: Path) -> None:
    events = tell(candidate(0), 5100.0)
    events += tell(candidate(1), 5000.0)
    events[len(events) // 2]["config"] = {**config(), "blocks": [{"name": "gated_average"}]}
    (told,) = read_earlier(search_after(write(tmp_path / "authored", events)))
    assert len(told["best"]) == 1
    assert told["best"][0]["lead"] is None  # no baseline was told


def test_a_run_of_another_competition_is_refused(run: Path) -> None:
    with pytest.raises(ConfigError, match="is of crypto-24h, not of crypto-1h; name runs of the same competition"):
        read_earlier(search_after(run, settings=("competition=crypto-1h",)))


DAY = 86400


def spans(train: int, validation: int, test: int, end: int) -> tuple[str, ...]:
    periods = {"train": [train, validation], "validation": [validation, test], "test": [test, end]}
    return tuple(f"data.periods.{name}={span}" for name, span in periods.items())


def test_a_run_that_knows_the_test_is_refused(tmp_path: Path) -> None:
    later = write(tmp_path / "later", TOLD)
    periods = search_after(later).data.periods
    first, last = periods.train.start, periods.train.end
    settings = spans(first, last - 30 * DAY, periods.validation.start, periods.validation.end)
    with pytest.raises(ConfigError, match=r"chose on prices of .* leave it out or test later"):
        read_earlier(search_after(later, settings=settings))

    # a run of older prices that was told of one which knows the test
    start = first - 300 * DAY
    old = spans(start, start + 100 * DAY, start + 130 * DAY, start + 160 * DAY)
    told = {"kind": "earlier", "runs": read_earlier(search_after(later))}
    between = write(tmp_path / "between", [told, *TOLD], *old)
    with pytest.raises(ConfigError, match=r"'.*between', or one that it was told of, chose on prices of"):
        read_earlier(search_after(between, settings=settings))
    (alone,) = read_earlier(search_after(write(tmp_path / "alone", TOLD, *old), settings=settings))
    assert alone["knows"] == [[parse_config(sweep()).data.source, start, start + 130 * DAY]]


def test_what_is_no_usable_run_is_refused(run: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"there is no run in '.*absent': it has no journal.jsonl"):
        read_earlier(search_after(tmp_path / "absent"))
    with pytest.raises(ConfigError, match="has no trial with a score; leave it out"):
        read_earlier(search_after(write(tmp_path / "young", tell(candidate(0), status="failed"))))
    with pytest.raises(ConfigError, match="names 6 runs; name at most 5"):
        read_earlier(search_after(*[run] * 6))
    (run / "resolved.yaml").write_text("competition: [")
    with pytest.raises(RunError, match=r"cannot read the config of the run in [^\n]*$"):
        read_earlier(search_after(run))
    (run / "resolved.yaml").write_text("sea: 1")
    with pytest.raises(RunError, match=r"cannot read .*resolved.yaml"):
        read_earlier(search_after(run))


class Begun:
    """A search that goes no further than to its first step."""

    def __init__(self, *, recorder: Recorder, **_: Any) -> None:
        self._recorder = recorder

    def finish(self) -> Any:
        return self._recorder.last(Earlier)


def test_a_search_whose_first_line_was_torn_reads_earlier_runs_when_resumed(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synthcity.search.run.load_data", lambda config: SimpleNamespace(notes=()))
    monkeypatch.setattr("synthcity.search.run._Run", Begun)
    settings = ("name=second", f"output={tmp_path}")
    write(tmp_path / "second", [], f"search.earlier=[{run}]", *settings)
    (tmp_path / "second" / "journal.jsonl").write_text('{"time":0,"kind":"earl')
    resumed = search_after(run, settings=settings)
    first: Any = search(resumed, resume=True)
    assert first is not None
    assert first["runs"] == read_earlier(resumed)
    (run / "journal.jsonl").unlink()  # from then on nothing is read there again
    assert search(resumed, resume=True) == first


def begun(at: float = 0.0, **periods: Any) -> dict[str, Any]:
    """The event that tells a vault what a run is of."""
    before = parse_config(sweep(), spans(**periods) if periods else ()).to_dict()
    told = {"name": "x", "competition": before["competition"], "rules": "2026-09", "assets": ["BTC"], "workers": 1}
    return {"kind": "run_started", "time": at, **told, "config": before}


OLDER = {"train": 1_600_000_200, "validation": 1_610_000_400, "test": 1_620_000_000, "end": 1_630_000_200}


@pytest.fixture
def vault(tmp_path: Path) -> FolderVault:
    return FolderVault(tmp_path / "kept")


def of_vault(vault: FolderVault, count: int = 5, *settings: str) -> SearchConfig:
    return parse_config(sweep(), [f"vault={vault.name}", f"search.earlier=['vault:last {count}']", *settings])


def test_the_last_runs_of_the_vault_are_told_as_folders_are(vault: FolderVault, tmp_path: Path) -> None:
    for at in range(7):
        push_run(vault, write(tmp_path / f"run-{at}", [begun(at=at, **OLDER), *TOLD]))
    told: list[str] = []
    found = read_earlier(of_vault(vault), told.append)
    assert [run["name"] for run in found] == ["run-6", "run-5", "run-4", "run-3", "run-2"]
    (folder,) = read_earlier(search_after(tmp_path / "run-6"))
    assert {**found[0], "knows": []} == {**folder, "knows": []}
    assert found[0]["knows"] == [["simulated", OLDER["train"], OLDER["test"]]]
    assert told == []
    assert [run["name"] for run in read_earlier(of_vault(vault, 1))] == ["run-6"]


def test_runs_of_the_vault_that_know_the_test_are_left_out_and_told(vault: FolderVault, tmp_path: Path) -> None:
    push_run(vault, write(tmp_path / "good", [begun(**OLDER), *TOLD]))
    test = parse_config(sweep()).data.periods.test
    knowing = {"train": test.start - 300 * DAY, "validation": test.start - 200 * DAY}
    knowing |= {"test": test.start + DAY, "end": test.end + 30 * DAY}
    push_run(vault, write(tmp_path / "knows", [begun(**knowing), *TOLD]))
    push_run(vault, write(tmp_path / "young", [begun(**OLDER), *tell(candidate(0), status="failed")]))
    told: list[str] = []
    assert [run["name"] for run in read_earlier(of_vault(vault), told.append)] == ["good"]
    assert len(told) == 2
    assert "'young'" in told[0]
    assert "has no trial with a score" in told[0]
    assert "'knows'" in told[1]
    assert "which reach into this search's test period" in told[1]
    other = of_vault(vault, 5, "competition=crypto-1h", "data.assets=[BTC]")
    assert read_earlier(other, told.append) == []
    assert len(told) == 2


def test_runs_of_the_vault_are_data(vault: FolderVault, tmp_path: Path) -> None:
    """A liar's index, a journal of nonsense, code, and one that does not fit its hash: nothing is loaded."""
    test = parse_config(sweep()).data.periods.test
    knowing = {"train": test.start - 300 * DAY, "validation": test.start - 200 * DAY}
    knowing |= {"test": test.start + DAY, "end": test.end + 30 * DAY}
    liar = push_run(vault, write(tmp_path / "liar", [begun(**knowing), *TOLD]))
    index = vault.folder / "runs" / liar.id / "index.json"
    lies = json.loads(index.read_text())
    lies["run"]["knows"] = []
    index.write_text(json.dumps(lies))
    events = tell(candidate(0), 5000.0)
    events[0]["config"] = {**config(), "blocks": [{"name": "os:system"}]}
    push_run(vault, write(tmp_path / "code", [begun(**OLDER), *events]))
    damaged = push_run(vault, write(tmp_path / "damaged", [begun(at=1.0, **OLDER), *TOLD]))
    journal = vault.folder / "runs" / damaged.id / "journal.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b"4950", b"1950"))
    nonsense = write(tmp_path / "nonsense", [begun(at=2.0, **OLDER)])
    with (nonsense / "journal.jsonl").open("a") as file:
        file.write('{"kind":"__import__","time":1}\n')
    push_run(vault, nonsense)
    told: list[str] = []
    assert read_earlier(of_vault(vault), told.append) == []
    reasons = ("tells nonsense", "differs from its hash", "no trial with a score", "reach into this search's test")
    for text, reason in zip(told, reasons, strict=True):
        assert reason in text


def test_a_vault_that_does_not_answer_costs_what_it_would_have_told(tmp_path: Path) -> None:
    (tmp_path / "kept").touch()
    told: list[str] = []
    assert read_earlier(of_vault(FolderVault(tmp_path / "kept")), told.append) == []
    assert len(told) == 1
    assert "the search goes on with 0 runs of the vault" in told[0]


@pytest.mark.parametrize("name", ["vault:last 0", "vault:last 6", "vault:last", "vault:first 3", "vault:"])
def test_what_cannot_be_asked_of_a_vault(name: str) -> None:
    with pytest.raises(ConfigError, match="folders of runs, or vault:last 1 to vault:last 5"):
        parse_config(sweep(), ["vault=kept", f"search.earlier=['{name}']"])
    with pytest.raises(ConfigError, match=r"search\.earlier asks for runs of the vault; set vault"):
        parse_config(sweep(), ["search.earlier=['vault:last 3']"])

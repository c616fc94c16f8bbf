"""Runs in a vault."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from synthcity.errors import DataError
from synthcity.history.hippius import list_hippius, row_of
from synthcity.history.listing import DAMAGED
from synthcity.history.row import NOT_PROVEN, PROVEN, UNFINISHED
from synthcity.vault.catalogue import Told
from synthcity.vault.entry import VerdictFacts
from synthcity.vault.folder import FolderVault
from synthcity.vault.pushing import push_bundle, push_run
from tests.vault.builders import finish, write_bundle, write_run


def test_a_run_is_told_by_its_index_alone(tmp_path: Path) -> None:
    vault = FolderVault(tmp_path / "vault")
    folder = write_run(tmp_path / "sweep", finished=False)
    push_run(vault, folder)
    (open_run,) = list_hippius(vault).rows
    assert (open_run.name, open_run.verdict, open_run.is_open) == ("sweep", UNFINISHED, True)
    finish(folder)
    entry = push_run(vault, folder)
    push_bundle(vault, write_bundle(tmp_path / "bundle"))
    (found,) = list_hippius(vault).rows
    assert (found.id, found.is_open) == (entry.id, False)
    assert found.verdict in (PROVEN, NOT_PROVEN)
    assert found.periods["test"][0] < found.periods["test"][1]


def test_a_damaged_index_is_counted_and_hides_no_other(tmp_path: Path) -> None:
    vault = FolderVault(tmp_path / "vault")
    for name in ("one", "two"):
        bad = push_run(vault, write_run(tmp_path / name))
    (vault.folder / "runs" / bad.id / "index.json").write_bytes(b"[" * 9_000_000)
    found = list_hippius(vault)
    assert len(found.rows) == 1
    assert found.left_out == {DAMAGED: 1}


def test_a_verdict_is_held_to_what_can_be(tmp_path: Path) -> None:
    entry = push_run(FolderVault(tmp_path / "vault"), write_run(tmp_path / "sweep"))
    assert entry.run is not None
    told = VerdictFacts(
        sentence="s", proven=True, winner="mix\x1b", winner_is_baseline=False, best_baseline="fhs", lead=-1.0, low=-2.0
    )
    index = Told(id=entry.id, name=entry.name, run=entry.run)
    row = row_of(replace(index, run=replace(index.run, verdict=told)))
    assert (row.verdict, row.winner) == (PROVEN, "mix?")
    liar = replace(told, high=-1.5)  # its own mean is outside
    with pytest.raises(DataError, match="does not hold"):
        row_of(replace(index, run=replace(index.run, verdict=liar)))

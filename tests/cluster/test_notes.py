from __future__ import annotations

from dataclasses import replace

from synthcity.cluster.folder import Folder
from synthcity.cluster.notes import Notes, notes
from tests.cluster.joining.test_ssh import MACHINE


def test_what_is_new_is_kept_and_logged_once(folder: Folder) -> None:
    told = Notes(folder)
    for _ in range(2):
        told.tell(MACHINE, "starting", "installs 9 packages")
    told.tell(MACHINE, "joined", "is a node")
    assert [(note.name, note.kind, note.state) for note in notes(folder.path)] == [("tests-cpu-1", "cpu", "joined")]
    lines = (folder.path / "nodes.log").read_text().splitlines()
    assert [line.split(" ", 2)[2] for line in lines] == [
        "machine tests-cpu-1: starting: installs 9 packages",
        "machine tests-cpu-1: joined: is a node",
    ]
    told.close(MACHINE, keep=False)
    assert notes(folder.path) == []


def test_of_failures_the_last_are_kept(folder: Folder) -> None:
    told = Notes(folder)
    for number in range(25):
        machine = replace(MACHINE, name=f"tests-cpu-{number}")
        told.tell(machine, "failed", "it breaks")
        told.close(machine, keep=True)
    assert [note.name for note in notes(folder.path)] == [f"tests-cpu-{number}" for number in range(5, 25)]


def test_a_note_that_is_damaged_is_none(folder: Folder) -> None:
    Notes(folder).tell(MACHINE, "joined", "is a node")
    (folder.path / "machines" / "half.json").write_text('{"name": "ha')
    assert len(notes(folder.path)) == 1

"""Checkpoints that workers hand to the search's own machine."""

from __future__ import annotations

import pickle
from pathlib import Path

import pyarrow.fs as fs
import pytest
import ray

from synthcity.search.trials.head_files import Files, HeadHandler
from tests.search.trials.test_tuning import Search


class Here:
    """Stands for a Ray in which this process runs on one machine and the files lie on another, or not."""

    def __init__(self, root: Path, node: str) -> None:
        self.files, self.node, self.calls = Files(str(root)), node, 0

    def get_node_id(self) -> str:
        return self.node

    @property
    def call(self) -> Here:
        return self

    def remote(self, *arguments: object) -> object:
        self.calls += 1
        return self.files.call(*arguments)  # type: ignore[arg-type]


@pytest.fixture(params=["near", "far"])
def here(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Here:
    found = Here(tmp_path / "root", request.param)
    monkeypatch.setattr(ray, "get_runtime_context", lambda: found)
    monkeypatch.setattr(ray, "get_actor", lambda name: found)
    monkeypatch.setattr(ray, "get", lambda result: result)
    return found


def system(here: Here, tmp_path: Path) -> fs.PyFileSystem:
    return fs.PyFileSystem(HeadHandler(str(tmp_path / "root"), "files", "near"))


def test_folders_go_there_and_come_back(here: Here, tmp_path: Path) -> None:
    files, root = system(here, tmp_path), str(tmp_path / "root")
    source = tmp_path / "source"
    (source / "deep").mkdir(parents=True)
    (source / "state.safetensors").write_bytes(bytes(3_000_000))
    (source / "deep/small.json").write_bytes(b"{}")
    files.create_dir(f"{root}/trial/checkpoint_000000")
    fs.copy_files(str(source), f"{root}/trial/checkpoint_000000", destination_filesystem=files)
    (tmp_path / "back").mkdir()
    fs.copy_files(f"{root}/trial/checkpoint_000000", str(tmp_path / "back"), source_filesystem=files)
    assert (tmp_path / "back/state.safetensors").read_bytes() == bytes(3_000_000)
    assert (tmp_path / "back/deep/small.json").read_bytes() == b"{}"
    found = files.get_file_info(fs.FileSelector(f"{root}/trial", recursive=True))
    assert [(Path(each.path).name, each.type) for each in found] == [
        ("checkpoint_000000", fs.FileType.Directory),
        ("deep", fs.FileType.Directory),
        ("small.json", fs.FileType.File),
        ("state.safetensors", fs.FileType.File),
    ]
    files.move(f"{root}/trial/checkpoint_000000/deep/small.json", f"{root}/moved.json")
    files.delete_file(f"{root}/moved.json")
    files.delete_dir_contents(f"{root}/trial/checkpoint_000000")
    files.delete_dir(f"{root}/trial")
    assert files.get_file_info(f"{root}/trial").type == fs.FileType.NotFound
    assert files.get_file_info(fs.FileSelector(f"{root}/trial", allow_not_found=True)) == []
    assert (here.calls > 0) == (here.node == "far")


def test_errors_are_those_of_the_system(here: Here, tmp_path: Path) -> None:
    files, root = system(here, tmp_path), str(tmp_path / "root")
    with pytest.raises(FileNotFoundError):
        files.open_input_stream(f"{root}/none")
    with pytest.raises(FileNotFoundError):
        files.get_file_info(fs.FileSelector(f"{root}/none"))
    for outside in (str(tmp_path / "other"), f"{root}/../other"):
        with pytest.raises(PermissionError, match="outside the folder of the search"):
            files.open_output_stream(outside).close()
        with pytest.raises(PermissionError):
            files.delete_dir(outside)
    assert not (tmp_path / "other").exists()


def test_what_travels_is_plain(tmp_path: Path) -> None:
    files = fs.PyFileSystem(HeadHandler("/root", "files", "node"))
    again = pickle.loads(pickle.dumps(files))
    assert again.handler == files.handler
    assert hash(again.handler) == hash(files.handler)
    assert files.handler != HeadHandler("/root", "others", "node")


@pytest.mark.slow
def test_a_search_trains_on_machines_that_have_none_of_its_folders(tmp_path: Path) -> None:
    """Every worker believes to be elsewhere, and one of them dies: all states went through the search's machine."""
    search = Search(tmp_path, {"seconds": 0.05, "die": str(tmp_path / "died")}, trials=3, deterministic=True)
    output = search.start(elsewhere=True).finish()
    history = search.history()
    assert [record.status for record in history.records] == ["completed"] * 3
    assert sum(record.worker_deaths for record in history.records) == 1
    assert set(search.trained().values()) == {1}
    assert int(output.rpartition("written by the actor: ")[2]) >= 12
    assert all((search.folder / "checkpoints" / (record.checkpoint or "")).is_dir() for record in history.records)

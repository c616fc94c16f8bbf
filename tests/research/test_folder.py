from __future__ import annotations

import json
from pathlib import Path

import pytest

from synthcity.errors import ConfigError, RunError
from synthcity.research.config import ResearchConfig, load_config
from synthcity.research.folder import new_folder, resumed_folder, write_resolved, write_result
from synthcity.research.labbook import NAME, LabBook, Noted


def test_a_new_research_never_takes_the_folder_of_another(tmp_path: Path) -> None:
    config = ResearchConfig(output=str(tmp_path))
    first = new_folder(config)
    assert first == tmp_path / "research"
    with LabBook(first) as book:
        assert new_folder(config) == first  # nothing was written yet
        book.add(Noted(text="begun"))
    assert (first / NAME).exists()
    assert new_folder(config) == tmp_path / "research-2"
    with pytest.raises(RunError, match="already holds a research"):
        new_folder(ResearchConfig(output=str(tmp_path), name="research"))
    with pytest.raises(ConfigError, match="plain folder name"):
        new_folder(ResearchConfig(output=str(tmp_path), name="../x"))


def test_what_is_resolved_reads_back(tmp_path: Path) -> None:
    config = ResearchConfig(seed=7)
    write_resolved(tmp_path, config)
    assert load_config(tmp_path / "resolved.yaml") == config
    write_result(tmp_path, {"arms": []})
    assert json.loads((tmp_path / "result.json").read_text()) == {"arms": []}


def test_a_folder_without_a_research_cannot_go_on(tmp_path: Path) -> None:
    write_resolved(tmp_path, ResearchConfig())
    with pytest.raises(RunError, match="holds no research to go on with"):
        resumed_folder(tmp_path)
    with LabBook(tmp_path) as book:
        book.add(Noted(text="begun"))
    assert resumed_folder(tmp_path) == tmp_path

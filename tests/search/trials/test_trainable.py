"""Where a trial's state lies, told so that it survives a move of the run."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from synthcity.search.trials.trainable import STATE_FILE, inside, located, read_state


def test_a_checkpoint_is_found_again_after_the_run_has_moved(tmp_path: Path) -> None:
    state = tmp_path / "here" / "trials-1" / "t" / "checkpoint_000000"
    state.mkdir(parents=True)
    (state / STATE_FILE).write_bytes(b"weights")
    path = inside(SimpleNamespace(path=str(state)), str(tmp_path / "here"))
    assert path == "trials-1/t/checkpoint_000000"
    (tmp_path / "here").rename(tmp_path / "there")
    assert read_state(located(path, str(tmp_path / "there"))) == b"weights"


@pytest.mark.parametrize("storage", ["s3://bucket/runs", "s3://bucket/runs/"])
def test_a_path_in_a_bucket_is_told_below_the_storage(storage: str) -> None:
    assert inside(SimpleNamespace(path="bucket/runs/trials-1/t"), storage) == "trials-1/t"

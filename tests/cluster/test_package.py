from __future__ import annotations

from pathlib import Path

from ray._private.runtime_env.packaging import get_uri_for_directory

from synthcity.cluster.package import MOST_BYTES, Package, survey


def test_what_is_ignored_is_named_and_does_not_count(tmp_path: Path) -> None:
    sizes = {"configs/sweep.yaml": 10, "own.py": 20, "data/store/BTC": 500, "runs/a": 7, ".git/x": 9}
    for name, size in sizes.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x" * size)
    (tmp_path / ".gitignore").write_text("data/\n*.log\n")
    (tmp_path / ".rayignore").write_text("runs\n")
    found = survey(tmp_path)
    assert found.left == (".git", "data", "runs")
    assert found.largest[0] == ("own.py", 20)
    assert found.size == 30 + len("data/\n*.log\n") + len("runs\n")
    assert get_uri_for_directory(str(tmp_path), include_gitignore=True)  # Ray's own way through the same folder


def test_a_package_near_rays_limit_is_large() -> None:
    near = int(0.9 * MOST_BYTES)
    assert Package(size=near + 1, left=(), largest=()).is_large
    assert not Package(size=near, left=(), largest=()).is_large


def test_what_stays_at_home_within_folders_that_travel_is_named_too(tmp_path: Path) -> None:
    for name in ("configs/a.yaml", "configs/mine.yaml", "configs/old/b.yaml", "code/__pycache__/c.pyc", "code/c.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / ".gitignore").write_text("mine.yaml\n__pycache__\nold\n.gitignore\n")
    assert survey(tmp_path).left == (".gitignore", "configs/mine.yaml", "configs/old")

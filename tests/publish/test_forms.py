from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from synthcity.publish.forms import foreign_name, has_code, wrong_weights


def test_only_files_of_bundles_are_known() -> None:
    good = ["config.json", "members/0/weights.safetensors", "members/12/members/3/manifest.json", "code/0.py"]
    assert foreign_name(good) is None
    for name in (
        "x.pkl",
        "members/0/model.pt",
        "../config.json",
        "members/../config.json",
        "code/evil.py",
        "code/0.pyc",
    ):
        assert foreign_name([*good, name]) == name
    assert has_code(good)
    assert not has_code(good[:3])


def test_weights_are_numbers_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_file({"a": np.array([1.0, np.inf], np.float32), "b": np.arange(3)}, path)
    assert wrong_weights(path) is None
    save_file({"a": np.array([1.0, np.nan], np.float32)}, path)
    assert wrong_weights(path) == "the weights 'a' hold NaN"
    for protocol in range(2, 6):
        path.write_bytes(pickle.dumps({"a": 1}, protocol))
        assert "pickle" in str(wrong_weights(path))
    for content in (pickle.dumps([1], 0), b"", b"\xff" * 64, b"\x10\0\0\0\0\0\0\0{"):
        path.write_bytes(content)
        assert "is no file of safetensors" in str(wrong_weights(path))

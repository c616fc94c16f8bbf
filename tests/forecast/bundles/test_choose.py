from __future__ import annotations

from pathlib import Path

import pytest

from synthcity.errors import ConfigError
from synthcity.forecast.baselines import baseline
from synthcity.forecast.bundles.choose import choose, located


def test_a_baseline_by_name_and_a_bundle_by_folder(tmp_path: Path) -> None:
    baseline("ewma").save(tmp_path / "fhs")
    assert choose("fhs").name == "fhs"
    assert choose(str(tmp_path / "fhs")).name == "ewma"


def test_a_baseline_for_the_network_is_quantised_and_a_bundle_as_it_is(tmp_path: Path) -> None:
    baseline("ewma").save(tmp_path / "own")
    assert choose("fhs", quantised=True).name == "fhs+q"
    assert choose(str(tmp_path / "own"), quantised=True).name == "ewma"


def test_an_unknown_name_is_one_sentence() -> None:
    with pytest.raises(ConfigError, match=r"unknown forecaster 'fsh'; did you mean 'fhs'.*nor is there such a bundle"):
        choose("fsh")


@pytest.mark.parametrize("name", ["x" * 5000, "x/" * 3000, "~" + "x" * 5000, "a\0b", "\0:Name", "\ud800", ""])
def test_what_no_file_can_be_called_is_one_sentence(name: str) -> None:
    with pytest.raises(ConfigError, match=r"unknown forecaster .*nor is there such a bundle folder") as caught:
        choose(name)
    assert len(str(caught.value)) < 1000


def test_a_module_of_thousands_of_characters_is_one_sentence() -> None:
    with pytest.raises(ConfigError, match="cannot import"):
        choose("x" * 5000 + ":Name")


def test_a_bundle_is_found_from_elsewhere_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("winner", "fhs"):
        (tmp_path / name).mkdir()
    assert located("winner") == located("./winner") == str(tmp_path / "winner")
    assert (located("fhs"), located("har"), located("gone/winner")) == ("fhs", "har", "gone/winner")

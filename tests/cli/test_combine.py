from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from synthcity.cli.main import cli
from synthcity.errors import BundleError, ConfigError
from synthcity.forecast.bundle import load
from synthcity.forecast.verified import MANIFEST


def test_writes_a_bundle_and_says_who_answers_what(tmp_path: Path) -> None:
    folder = tmp_path / "all"
    parts = ("crypto-24h:BTC=ewma", "crypto-24h=fhs", "crypto-1h=ewma")
    found = CliRunner().invoke(cli, ["combine", str(folder), *parts])
    assert found.exit_code == 0, found.output
    assert [line.split() for line in found.stdout.splitlines()[:3]] == [f"{part}+q".split("=") for part in parts]
    assert load(folder).name == "all"
    assert json.loads((folder / MANIFEST).read_text())["parts"][0] == {"route": "crypto-24h:BTC", "from": "ewma"}
    again = CliRunner().invoke(cli, ["combine", str(tmp_path / "more"), f"crypto-24h={folder}"])
    assert again.exit_code == 0, again.output


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        (["fhs"], "'fhs' is no part; write e.g. crypto-24h="),
        (["crypto-24h="], "'crypto-24h=' is no part"),
        (["crypto-24h=fhs", "crypto-24h=ewma"], "'crypto-24h' is given twice, to fhs and to ewma"),
        (
            ["crypto-24h=fhs", "crypto-24h:BTC=ewma"],
            "'crypto-24h:BTC=ewma' never answers, since earlier parts take",
        ),
        (["crypto-24h:BTC,ETH=fhs", "crypto-24h:ETH,BTC=ewma"], "'crypto-24h:ETH,BTC=ewma' never answers"),
        (["crypto-1h:BTC=fhs", "crypto-1h:ETH=fhs", "crypto-1h:ETH,BTC=ewma"], "put exceptions first"),
        (["crypto-24=fhs"], "did you mean"),
        (["crypto-24h=fsh"], "did you mean 'fhs'"),
    ],
)
def test_nonsense_is_one_sentence_and_writes_nothing(tmp_path: Path, parts: list[str], sentence: str) -> None:
    found = CliRunner().invoke(cli, ["combine", str(tmp_path / "all"), *parts])
    assert isinstance(found.exception, ConfigError)
    assert sentence in str(found.exception)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_no_bundle_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("")
    found = CliRunner().invoke(cli, ["combine", str(tmp_path), "crypto-24h=fhs"])
    assert isinstance(found.exception, BundleError)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]

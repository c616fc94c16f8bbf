from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from synthcity.cli.main import cli
from synthcity.errors import BundleError, ConfigError
from synthcity.forecast.baselines import baseline
from synthcity.forecast.bundles.bundle import load
from synthcity.forecast.bundles.facts import SIMULATED
from synthcity.forecast.bundles.provenance import read_facts
from synthcity.forecast.bundles.verified import MANIFEST
from synthcity.forecast.dispatch import Dispatch, Route
from tests.forecast.bundles.test_facts import bundle, facts


def test_writes_a_bundle_and_says_who_answers_what(tmp_path: Path) -> None:
    folder = tmp_path / "all"
    parts = ("crypto-24h:BTC=ewma", "crypto-24h=fhs", "crypto-1h=ewma")
    found = CliRunner().invoke(cli, ["combine", str(folder), *parts])
    assert found.exit_code == 0, found.output
    assert [line.split() for line in found.stdout.splitlines()[:3]] == [f"{part}+q".split("=") for part in parts]
    assert load(folder).name == "all"
    assert json.loads((folder / MANIFEST).read_text())["parts"][0] == {
        "route": "crypto-24h:BTC",
        "from": "ewma",
        "bundle": "baseline:ewma",
    }
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


def test_a_bundle_that_is_there_is_replaced_when_that_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "live"
    assert CliRunner().invoke(cli, ["combine", str(folder), "crypto-24h=ewma"]).exit_code == 0
    before = (folder / MANIFEST).read_bytes()
    refused = CliRunner().invoke(cli, ["combine", str(folder), "crypto-24h=fhs"])
    assert isinstance(refused.exception, ConfigError)
    assert "live is a bundle already, maybe one that is being served; replace it by --replace" in str(refused.exception)
    assert (folder / MANIFEST).read_bytes() == before
    assert CliRunner().invoke(cli, ["combine", str(folder), "crypto-24h=fhs", "--replace"]).exit_code == 0
    assert json.loads((folder / MANIFEST).read_text())["parts"] == [
        {"route": "crypto-24h", "from": "fhs", "bundle": "baseline:fhs"}
    ]


@pytest.mark.parametrize(
    ("route", "sentence"),
    [
        ("com-equ-24h", "made was not made for com-equ-24h of .*, but for crypto-24h of BTC, ETH; ask it for that"),
        ("crypto-1h", "made was not made for crypto-1h of"),
        ("crypto-24h", r"was made for BTC, ETH of crypto-24h, not for SOL.*; name only what it knows: BTC,ETH"),
        ("crypto-24h:ETH,SOL", "was made for ETH of crypto-24h, not for SOL; name only what it knows: ETH"),
    ],
)
def test_a_part_is_not_put_where_it_was_not_made_for(tmp_path: Path, route: str, sentence: str) -> None:
    daily = Dispatch([Route.parse("crypto-24h:BTC,ETH")], [baseline("fhs")])
    daily.save(tmp_path / "made", manifest=facts("binance").to_manifest())
    found = CliRunner().invoke(cli, ["combine", str(tmp_path / "out"), f"{route}={tmp_path / 'made'}"])
    assert isinstance(found.exception, ConfigError)
    assert re.search(sentence, str(found.exception)), str(found.exception)
    assert not (tmp_path / "out").exists()


def test_a_simulated_part_makes_all_of_it_simulated(tmp_path: Path) -> None:
    made_up, real = bundle(tmp_path / "made-up", facts(SIMULATED)), bundle(tmp_path / "real", facts("binance"))
    parts = (f"crypto-24h={real}", f"crypto-1h={made_up}")
    found = CliRunner().invoke(cli, ["combine", str(tmp_path / "all"), *parts])
    assert found.exit_code == 0, found.output
    assert "made-up was trained on SIMULATED prices" in found.stderr
    assert read_facts(tmp_path / "all") == (facts("binance"), facts(SIMULATED))

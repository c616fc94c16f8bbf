"""What ``synthcity serve`` refuses before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from synthcity.cli.main import cli
from synthcity.errors import BundleError, ConfigError, DataError
from synthcity.forecast.baselines import baseline
from synthcity.forecast.bundles.facts import SIMULATED
from synthcity.forecast.dispatch import Dispatch, Route
from synthcity.market.store import Store
from synthcity.nets.authored.code import forget
from tests.forecast.bundles.test_facts import bundle, facts
from tests.serve.builders import CODE, write_coded_bundle
from tests.serve.dialogue import MINER, market

HOTKEY = ("--hotkey", MINER.ss58_address)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    for (asset, resolution), bars in market(("BTC",), days=1).items():
        Store(tmp_path / "store").append(asset, "test", resolution, bars)
    return tmp_path / "store"


@pytest.mark.parametrize(
    ("model", "arguments", "error", "text"),
    [
        ("fsh", (), ConfigError, "did you mean 'fhs'"),
        ("tests", (), BundleError, "no bundle"),
        ("fhs", ("--host", "everywhere"), ConfigError, "cluster.host must be an address to listen at"),
        ("fhs", HOTKEY, ConfigError, "name both or neither"),
        ("fhs", ("--metagraph", "file"), ConfigError, "name both or neither"),
        ("fhs", ("--hotkey", "5abc", "--metagraph", "file"), ConfigError, "'5abc' is no ss58 address"),
        ("fhs", ("--host", "0.0.0.0"), ConfigError, "name a hotkey, or allow REST"),
        ("fhs", ("--live", "BTC,DOGE"), ConfigError, "DOGE"),
    ],
)
def test_nonsense_is_refused_in_one_sentence(store, tmp_path, model, arguments, error, text):
    command = ["serve", model, "--data", str(store), "--state", str(tmp_path / "state"), *arguments]
    result = CliRunner().invoke(cli, command)
    assert isinstance(result.exception, error), result.output
    assert text in str(result.exception)


def test_code_that_a_model_wrote_needs_the_word_of_its_user(store: Path, tmp_path: Path):
    bundle = write_coded_bundle(tmp_path / "bundle")
    command = ["serve", str(bundle), "--data", str(store), "--state", str(tmp_path / "state"), "--live", "DOGE"]
    refused = CliRunner().invoke(cli, command)
    assert isinstance(refused.exception, BundleError)
    assert "--trust-code" in str(refused.exception)
    try:  # that far and no further
        assert "DOGE" in str(CliRunner().invoke(cli, [*command, "--trust-code"]).exception)
    finally:
        forget(CODE)


def test_an_empty_store_is_refused(tmp_path: Path):
    result = CliRunner().invoke(cli, ["serve", "fhs", "--data", str(tmp_path / "none"), "--state", str(tmp_path)])
    assert isinstance(result.exception, DataError)


def test_a_state_that_cannot_be_written_is_refused(store: Path, tmp_path: Path):
    (tmp_path / "file").write_text("")
    result = CliRunner().invoke(
        cli, ["serve", "fhs", "--data", str(store), "--state", str(tmp_path / "file" / "state")]
    )
    assert "choose another folder" in str(result.exception)


def test_a_bundle_that_answers_nothing_of_the_store_is_refused(store: Path, tmp_path: Path):
    Dispatch([Route.parse("crypto-24h:ETH")], [baseline("fhs")]).save(tmp_path / "eth")
    result = CliRunner().invoke(cli, ["serve", str(tmp_path / "eth"), "--data", str(store), "--state", str(tmp_path)])
    assert isinstance(result.exception, ConfigError)
    assert "was made for no prompt of BTC that the network sends" in str(result.exception)


def test_simulated_prices_are_told_before_anything_starts(store: Path, tmp_path: Path):
    made_up = bundle(tmp_path / "made-up", facts(SIMULATED))
    command = ["serve", str(made_up), "--data", str(store), "--state", str(tmp_path), "--live", "DOGE"]
    result = CliRunner().invoke(cli, command)
    assert "warning: " in result.stderr
    assert "made-up was trained on SIMULATED prices" in result.stderr


def test_replicas_on_several_machines_would_each_keep_nonces_of_their_own(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("RAY_ADDRESS", "127.0.1.1:7006")
    words = ["serve", "reference", "--data", str(store), "--state", str(tmp_path / "state")]
    result = CliRunner().invoke(cli, words)
    assert isinstance(result.exception, ConfigError)
    assert "RAY_ADDRESS names a cluster (127.0.1.1:7006), whose machines share no file of nonces" in str(
        result.exception
    )
    assert not (tmp_path / "state").exists()

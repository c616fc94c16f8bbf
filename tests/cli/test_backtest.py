from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from synthcity.cli.main import cli
from synthcity.errors import BundleError, ConfigError, DataError
from synthcity.forecast.baselines import baseline
from synthcity.forecast.bundles.facts import SIMULATED
from synthcity.forecast.dispatch import Dispatch, Route
from synthcity.market.bars import Bars
from synthcity.market.store import Store
from synthcity.sn50.competitions import get_rules
from tests.forecast.bundles.test_facts import facts

START = 1_753_920_000  # 2025-07-31 00:00 UTC
DAYS = 5


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five days of BTC and ETH, and an hourly series that no competition asks for."""
    folder = tmp_path_factory.mktemp("store")
    for seed, (asset, resolution) in enumerate([("BTC", 300), ("ETH", 300), ("SOL", 3600)]):
        time = START + resolution * np.arange(DAYS * 86400 // resolution)
        close = 100 * np.exp(np.cumsum(0.001 * np.random.default_rng(seed).standard_normal(len(time))))
        bars = Bars(time, close, close, close, close, np.ones(len(time)), resolution)
        Store(folder).append(asset, "test", resolution, bars)
    return folder


def _run(store: Path, *arguments: str) -> Result:
    fixed = ("--data", str(store), "--from", "2025-08-02", "--num-paths", "20")
    return CliRunner().invoke(cli, ["backtest", *fixed, *arguments], env={"COLUMNS": "200"})


def test_prints_a_row_a_forecaster(store: Path) -> None:
    result = _run(store, "reference", "fhs", "--every", "1d")
    assert result.exit_code == 0, result.output
    assert "crypto-24h, rules 2026-09: 6 prompts, mean score in bps" in result.stdout
    rows = [line for line in result.stdout.splitlines() if "reference" in line or "fhs" in line]
    assert "lead over reference (minus is better)" in rows[0]
    assert all(column in rows[0] for column in ("BTC", "ETH", "weighted", "plain", "share"))
    assert "SOL" not in rows[0]
    assert "%" in rows[-1]


def test_json_on_standard_output_is_nothing_else(store: Path) -> None:
    result = _run(store, "fhs", "trailing", "--every", "11h", "--assets", "ETH", "--seed", "4", "--json", "-")
    assert result.exit_code == 0, result.output
    data = json.loads(result.stdout)
    assert (data["seed"], data["num_paths"], data["baseline"]) == (4, 20, "fhs")
    assert {row["asset"] for row in data["scores"]} == {"ETH"}
    starts = sorted({row["start_time"] for row in data["scores"]})
    assert starts == [START + 2 * 86400 + k * 11 * 3600 for k in range(5)]
    assert "fhs" in result.stderr


def test_json_into_a_file_repeats_exactly(store: Path, tmp_path: Path) -> None:
    for name in ("a.json", "b.json"):
        to = ("--to", "2025-08-04", "--json", str(tmp_path / name))
        assert _run(store, "ewma", "--every", "90min", *to).exit_code == 0
    assert (tmp_path / "a.json").read_text() == (tmp_path / "b.json").read_text()
    assert json.loads((tmp_path / "a.json").read_text())["num_prompts"] == 2 * 17


def test_compares_bundles_and_tells_namesakes_apart(store: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "one", tmp_path / "two"
    baseline("ewma").save(first)
    baseline("ewma").save(second)
    result = _run(store, str(first), str(second), "trailing", "--every", "1d", "--json", "-")
    data = json.loads(result.stdout)
    assert [line["forecaster"] for line in data["forecasters"]] == [str(first), str(second), "trailing"]
    assert data["baseline"] == "trailing"
    assert data["forecasters"][0]["weighted"] == data["forecasters"][1]["weighted"]


def test_quantises_every_forecaster(store: Path) -> None:
    data = json.loads(_run(store, "fhs", "trailing", "--every", "1d", "--quantise", "--json", "-").stdout)
    assert [line["forecaster"] for line in data["forecasters"]] == ["fhs+q", "trailing+q"]
    assert data["baseline"] == "fhs+q"


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (["fsh"], ConfigError, "unknown forecaster 'fsh'; did you mean 'fhs'"),
        (["fhs", "--competition", "crypto-24"], ConfigError, "did you mean 'crypto-24h'"),
        (["fhs", "--competition", "crypto-1h"], ConfigError, "has no 60-second bars for crypto-1h"),
        (["fhs", "--rules", "2026-99"], ConfigError, "2026-09"),
        (["fhs", "--assets", "DOGE"], ConfigError, "unknown asset 'DOGE'"),
        (["fhs", "--to", "2025-08-02"], DataError, "no prompt of 86400 s fits"),
        ([str(Path(__file__).parent)], BundleError, "is no bundle"),
    ],
)
def test_bad_input_is_one_sentence(store: Path, arguments: list[str], error: type[Exception], message: str) -> None:
    result = _run(store, *arguments)
    assert isinstance(result.exception, error)
    assert message in str(result.exception)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--every", "11 hours", "must be a positive duration such as 90s, 97min, 11h, 2d, 1w or 1h30m"),
        ("--every", "660", "must be a duration with its unit, such as 660s, 660min or 660h"),
        ("--every", "0h", "must be a positive duration"),
        ("--every", "1.5s", "must be whole seconds"),
        ("--to", "yesterday", "'yesterday' is no time"),
        ("--num-paths", "1", "2<=x<=100000"),
    ],
)
def test_bad_options_are_usage_errors(store: Path, option: str, value: str, message: str) -> None:
    result = _run(store, "fhs", option, value)
    assert result.exit_code == 2
    assert message in result.stderr.replace("\n", " ")


def _made_for(folder: Path, route: str, *venues: str) -> str:
    manifest = facts(*venues, rules=get_rules().date).to_manifest()
    Dispatch([Route.parse(route)], [baseline("ewma")], name="made").save(folder, manifest=manifest)
    return str(folder)


def test_asks_a_bundle_for_what_it_knows(store: Path, tmp_path: Path) -> None:
    """The store has BTC and ETH; the bundle knows ETH alone, which was found out after minutes before."""
    name = _made_for(tmp_path / "eth", "crypto-24h:ETH", "binance")
    data = json.loads(_run(store, name, "fhs", "--every", "1d", "--json", "-").stdout)
    assert {row["asset"] for row in data["scores"]} == {"ETH"}
    assert data["warnings"] == []


@pytest.mark.parametrize(
    ("route", "arguments", "sentence"),
    [
        ("crypto-24h:ETH", ("--assets", "BTC,ETH"), "was made for ETH of crypto-24h, not for BTC"),
        ("crypto-1h", (), "was not made for crypto-24h of BTC, ETH"),
        ("crypto-24h:SOL", (), "was not made for crypto-24h of BTC, ETH"),
    ],
)
def test_what_a_bundle_was_not_made_for_is_told_at_once(
    store: Path, tmp_path: Path, route: str, arguments: tuple[str, ...], sentence: str
) -> None:
    result = _run(store, _made_for(tmp_path / "b", route, "binance"), "fhs", *arguments)
    assert isinstance(result.exception, ConfigError)
    assert sentence in str(result.exception)


def test_days_that_taught_a_bundle_and_prices_that_were_made_up_are_told_loudly(store: Path, tmp_path: Path) -> None:
    manifest = facts(SIMULATED, rules=get_rules().date).to_manifest()
    manifest["periods"] |= {"validation": "2025-06-01 to 2025-08-03"}
    baseline("ewma").save(tmp_path / "b", manifest=manifest)
    result = _run(store, str(tmp_path / "b"), "fhs", "--every", "1d", "--json", str(tmp_path / "found.json"))
    simulated, learned = json.loads((tmp_path / "found.json").read_text())["warnings"]
    assert "was trained on SIMULATED prices" in simulated
    assert "LEARNED from 2025-01-01 00:00 to 2025-08-03 00:00" in learned
    for warning in (simulated, learned):
        assert f"WARNING: {warning}" in result.stdout
        assert f"warning: {warning}" in result.stderr, "told before the first prompt, too"


def test_help_teaches_by_example() -> None:
    text = CliRunner().invoke(cli, ["backtest", "--help"]).stdout
    assert "synthcity backtest fhs reference --data prices --from 2025-11-01 --every 11h" in text


def test_progress_is_told_without_a_terminal_and_lost_prompts_by_reason(store: Path, tmp_path: Path) -> None:
    time = START + 300 * np.arange(DAYS * 288)
    close = 100 * np.exp(np.cumsum(0.001 * np.random.default_rng(0).standard_normal(len(time))))
    close[288:600] = close[288]
    Store(tmp_path).append("BTC", "test", 300, Bars(time, close, close, close, close, np.ones(len(time)), 300))
    result = _run(tmp_path, "trailing", "reference", "--every", "1h", "--to", "2025-08-04", "--json", "-")
    assert result.exit_code == 0, result.output
    assert "of 25 prompts in" in result.stderr
    assert "more prompts are lost for all: trailing: the price of BTC never moved in 288 bars" in result.stderr
    data = json.loads(result.stdout)
    assert sum(data["lost"].values()) + data["num_prompts"] == 25


def test_prompts_off_the_grid_are_refused_before_anything_is_read(tmp_path: Path) -> None:
    result = _run(tmp_path / "nowhere", "fhs", "--every", "97min")
    assert isinstance(result.exception, ConfigError)
    assert "cannot come every 1h 37m, but at whole multiples of 5m" in str(result.exception)


def test_where_nothing_can_be_written_is_told_before_anything_is_computed(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compute(*_: object, **__: object) -> None:
        raise AssertionError("it was computed first")

    monkeypatch.setattr("synthcity.cli.backtest.spread_backtest", compute)
    (tmp_path / "file").touch()
    for path, words in [
        (tmp_path / "missing" / "x.json", "there is no folder"),
        (tmp_path / "file" / "x.json", "is no folder"),
        (tmp_path, "is a directory"),
    ]:
        result = _run(store, "fhs", "--json", str(path))
        assert result.exit_code == 2
        assert words in " ".join(result.output.split())

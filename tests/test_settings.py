from __future__ import annotations

import dataclasses
import os
from decimal import Decimal
from pathlib import Path

import pytest

from synthcity.errors import ConfigError
from synthcity.market.venues.official import known_venues
from synthcity.settings import Secret, Settings


def test_defaults_without_environment(tmp_path: Path) -> None:
    assert Settings.load({}, tmp_path / ".env") == Settings()


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text(
        "# a comment = ignored\n\n"
        "export SYNTHCITY_BINANCE_URL='http://file'\n"
        'SYNTHCITY_HYPERLIQUID_URL="http://other"\n'
        "FOREIGN=1\nBARE\n",
        encoding="utf-8",
    )
    settings = Settings.load({"SYNTHCITY_BINANCE_URL": "http://environment"}, dotenv)
    assert settings.venue_urls == {"binance": "http://environment", "hyperliquid": "http://other"}


def test_the_process_environment_and_folder_are_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("SYNTHCITY_REAL_DATA=/file\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SYNTHCITY_REAL_DATA", raising=False)
    assert Settings.load().real_data == "/file"
    monkeypatch.setenv("SYNTHCITY_REAL_DATA", "/process")
    assert Settings.load().real_data == "/process"


def test_settings_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().real_data = "x"  # type: ignore[misc]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_whatever_an_editor_saved_is_read(tmp_path: Path, encoding: str, end: str) -> None:
    lines = [
        "# wallet",
        "BT_WALLET_NAME = miner  # the cold one",
        "export BT_HOTKEY_NAME='first#1' # comment",
        'BT_NETWORK="test"',
        "  HF_TOKEN=hf_planted#not-a-comment   ",
        "SYNTHCITY_BINANCE_URL=https://example.com/",
        "BT_NETUID=247",
        "HIPPIUS_BUCKET=   # empty: the default",
    ]
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    (tmp_path / ".env").write_bytes((mark + end.join(lines)).encode(encoding))
    settings = Settings.load({}, tmp_path / ".env")
    assert (settings.bt_wallet_name, settings.bt_hotkey_name, settings.bt_network) == ("miner", "first#1", "test")
    assert settings.hf_token.reveal() == "hf_planted#not-a-comment"
    assert settings.venue_urls == {"binance": "https://example.com"}
    assert (settings.bt_netuid, settings.hippius_bucket) == (247, "")


def test_an_empty_variable_is_not_set(tmp_path: Path) -> None:
    empty = {name: " " for names in Settings.variables().values() for name in names}
    assert Settings.load(empty | {"SYNTHCITY_BINANCE_URL": ""}, tmp_path / ".env") == Settings()
    (tmp_path / ".env").write_text("BT_NETUID=247\nBT_NETWORK=\n")
    assert Settings.load({"BT_NETUID": ""}, tmp_path / ".env").bt_netuid == 247


def test_every_variable_is_read(tmp_path: Path) -> None:
    environ = {
        "BASILICA_API_TOKEN": "token-1",
        "BASILICA_MAX_HOURLY_RATE": "1.50",
        "BASILICA_ALLOWED_GPU_TYPES": "A100, RTX A6000,",
        "HIPPIUS_ENDPOINT": "http://127.0.0.1:9000",
        "HIPPIUS_ACCESS_KEY": "hip_1",
        "HIPPIUS_SECRET_KEY": "secret-1",
        "HIPPIUS_BUCKET": "synth-city",
        "HF_REPO_ID": "somebody/synth-city",
        "WANDB_PROJECT": "synth-city",
        "BT_NETWORK": "ws://127.0.0.1:9944",
    }
    settings = Settings.load(environ, tmp_path / ".env")
    assert settings.basilica_max_hourly_rate == Decimal("1.50")
    assert settings.basilica_allowed_gpu_types == ("A100", "RTX A6000")
    keys = settings.basilica_api_token, settings.hippius_access_key, settings.hippius_secret_key
    assert [key.reveal() for key in keys] == ["token-1", "hip_1", "secret-1"]
    assert (settings.hippius_endpoint, settings.hippius_bucket) == ("http://127.0.0.1:9000", "synth-city")
    assert (settings.hf_repo_id, settings.wandb_project) == ("somebody/synth-city", "synth-city")
    assert settings.bt_network == "ws://127.0.0.1:9944"


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("BT_NETUID", "fifty", "BT_NETUID must be a whole number from 0 to 65535, got 'fifty'"),
        ("BT_NETUID", "65536", "BT_NETUID must be a whole number"),
        ("BT_NETWORK", "main net", "BT_NETWORK must be finney, test, local, or an endpoint"),
        ("BT_WALLET_NAME", "../other", "BT_WALLET_NAME must be a name without blanks and slashes"),
        ("BASILICA_MAX_HOURLY_RATE", "0", "BASILICA_MAX_HOURLY_RATE must be USD an hour, more than 0"),
        ("BASILICA_MAX_HOURLY_RATE", "1,5", "BASILICA_MAX_HOURLY_RATE must be USD an hour"),
        ("BASILICA_MAX_HOURLY_RATE", "nan", "BASILICA_MAX_HOURLY_RATE must be USD an hour"),
        ("BASILICA_MAX_HOURLY_RATE", "1e-999999", "BASILICA_MAX_HOURLY_RATE must be USD an hour"),
        ("BASILICA_ALLOWED_GPU_TYPES", ",", "BASILICA_ALLOWED_GPU_TYPES must be names between commas"),
        ("HIPPIUS_ENDPOINT", "s3.hippius.com", "HIPPIUS_ENDPOINT must be an address such as https://example.com"),
        ("HIPPIUS_BUCKET", "Synth_City", "HIPPIUS_BUCKET must be 3 to 63 small letters"),
        ("HF_REPO_ID", "synth-city", "HF_REPO_ID must be owner/name"),
        ("WANDB_PROJECT", "a/b", "WANDB_PROJECT must be a name"),
        ("SYNTHCITY_BINANCE_URL", "localhost", "SYNTHCITY_BINANCE_URL must be an address"),
        ("SYNTHCITY_SYNTH_API_URL", "http://", "SYNTHCITY_SYNTH_API_URL must be an address"),
    ],
)
def test_a_wrong_variable_is_named(tmp_path: Path, name: str, value: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Settings.load({name: value}, tmp_path / ".env")
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"BT_NETUID=1\nHF_TOKEN='planted\n", "line 2 of "),
        (b"<<<<<<< HEAD\nHF_TOKEN=planted\n", "line 1 of "),
        ("HF_TOKEN=“planted”".encode(), "HF_TOKEN in "),
        ("HF_TOKEN=planted\u200b".encode(), "HF_TOKEN holds a blank, a quotation mark or another character"),
        (b"HF_TOKEN=planted with blanks\n", "HF_TOKEN holds a blank"),
        (b"BT_NETUID=1\nHF_TOKEN=plant\xe9d\n", "line 2 is not UTF-8"),
        ("HF_TOKEN=planted".encode("utf-16-le"), "it is binary"),
        (b"SYNTHCITY_BINANCE_URL=ftp://me:planted@example.com", "SYNTHCITY_BINANCE_URL must be an address"),
    ],
)
def test_a_file_that_is_none_is_one_sentence_without_secrets(tmp_path: Path, content: bytes, sentence: str) -> None:
    (tmp_path / ".env").write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        Settings.load({}, tmp_path / ".env")
    assert sentence in str(caught.value)
    assert "plant" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_of_that_name_is_left_alone_and_a_pipe_told(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    assert Settings.load({}, tmp_path / ".env") == Settings()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigError, match="it is a pipe or a device"):
        Settings.load({}, tmp_path / "pipe")


def test_the_example_names_every_variable_and_sets_none(tmp_path: Path) -> None:
    example = Path(__file__).parents[1] / ".env.example"
    lines = [line for line in example.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    named = [line.partition("=")[0] for line in lines]
    venues = {f"SYNTHCITY_{venue.name.upper()}_URL" for venue in known_venues()}
    assert sorted(named) == sorted({name for names in Settings.variables().values() for name in names} | venues)
    assert all(" # " in line for line in lines)
    assert Settings.load({}, example) == Settings()
    (tmp_path / ".env").write_text(example.read_text().replace("HF_TOKEN=", "HF_TOKEN=hf_mine"))
    assert Settings.load({}, tmp_path / ".env").hf_token == Secret("hf_mine")


def test_the_project_is_one_for_all_runs() -> None:
    assert Settings().project == "synth-city"
    assert Settings(wandb_project="mine").project == "mine"

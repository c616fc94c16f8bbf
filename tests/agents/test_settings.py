"""The key of a language model: where it comes from, where it may go, and that it never shows."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from pathlib import Path

import pytest

from synthcity.settings import Secret, Settings

NOWHERE = Path("/nonexistent/.env")
CHUTES, OWN = {"CHUTES_API_KEY": "cpk_chutes"}, {"SYNTHCITY_LLM_API_KEY": "own-key"}


@pytest.mark.parametrize(
    ("environ", "key"),
    [
        ({}, ""),
        (CHUTES, "cpk_chutes"),
        (CHUTES | OWN, "own-key"),
        (CHUTES | {"SYNTHCITY_LLM_API_KEY": " "}, "cpk_chutes"),
        (CHUTES | {"SYNTHCITY_LLM_BASE_URL": "https://me-mine.chutes.ai/v1"}, "cpk_chutes"),
        # a key for Chutes goes to nobody else, nor in the clear
        (CHUTES | {"SYNTHCITY_LLM_BASE_URL": "http://llm.chutes.ai/v1"}, ""),
        (CHUTES | {"SYNTHCITY_LLM_BASE_URL": "http://127.0.0.1:8000/v1"}, ""),
        (CHUTES | {"SYNTHCITY_LLM_BASE_URL": "https://chutes.ai.example.com/v1"}, ""),
        (CHUTES | {"SYNTHCITY_LLM_BASE_URL": "https://notchutes.ai/v1"}, ""),
        (CHUTES | {"SYNTHCITY_LLM_BASE_URL": "https://[broken/v1"}, ""),
        (OWN | {"SYNTHCITY_LLM_BASE_URL": "http://127.0.0.1:8000/v1"}, "own-key"),
    ],
)
def test_whose_key_goes_where(environ: dict[str, str], key: str) -> None:
    settings = Settings.load(environ, NOWHERE)
    assert settings.llm_api_key.reveal() == key
    assert bool(settings.llm_api_key) == bool(key)


def test_a_secret_never_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CHUTES_API_KEY", "cpk_planted")
    settings = Settings.load()
    texts = [repr(settings), str(settings.llm_api_key), repr(dataclasses.asdict(settings)), repr(copy.copy(settings))]
    assert not any("planted" in text for text in texts)
    stored = pickle.dumps(settings)
    assert b"planted" not in stored
    assert pickle.loads(stored) == settings  # read anew where the variable is set
    monkeypatch.delenv("CHUTES_API_KEY")
    assert pickle.loads(stored).llm_api_key == Secret()


def test_the_file_holds_a_key_too(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("CHUTES_API_KEY='cpk_file'\n", encoding="utf-8")
    assert Settings.load({}, dotenv).llm_api_key.reveal() == "cpk_file"
    assert hash(Secret("a")) == hash(Secret("a", ["NAME"]))
    assert Secret("a") != "a"

"""The key of a bridge."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthcity.bridge.key import KEY, bridge_key, local_key
from synthcity.errors import ConfigError
from synthcity.settings import Secret, Settings

LONG = "a-key-of-the-environment"


def test_one_is_made_for_this_user_alone_and_found_again(tmp_path: Path) -> None:
    made = bridge_key(tmp_path / "new", Settings())
    assert len(made.reveal()) >= 32
    assert (tmp_path / "new" / KEY).stat().st_mode & 0o777 == 0o600
    assert bridge_key(tmp_path / "new", Settings()) == local_key(tmp_path / "new") == made


def test_that_of_the_environment_goes_first_and_is_written_nowhere(tmp_path: Path) -> None:
    assert bridge_key(tmp_path, Settings(bridge_api_key=Secret(LONG))).reveal() == LONG
    assert list(tmp_path.iterdir()) == []


def test_a_short_key_is_refused_and_not_shown(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="fewer than 16") as told:
        bridge_key(tmp_path, Settings(bridge_api_key=Secret("hunter2")))
    assert "hunter2" not in str(told.value)


def test_a_key_that_others_may_read_is_none(tmp_path: Path) -> None:
    (tmp_path / KEY).write_text("known-to-everybody")
    (tmp_path / KEY).chmod(0o644)
    with pytest.raises(ConfigError, match="others may read the key"):
        local_key(tmp_path)
    assert local_key(tmp_path / "nowhere") == Secret()

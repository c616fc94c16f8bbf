from __future__ import annotations

import pytest

from synthcity.errors import ConfigError
from synthcity.search.candidates.space import Space
from synthcity.search.proposers import check_arms

SPACE = Space.from_registry()


def test_unknown_arm() -> None:
    with pytest.raises(ConfigError, match=r"search.arms: unknown proposer 'tpee'; did you mean 'tpe'"):
        check_arms(["random", "tpee"])

from __future__ import annotations

import pickle

import pytest

from synthcity import errors
from synthcity.errors import SynthcityError, exit_code_of, unknown_name

ALL = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, SynthcityError)]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        *((errors.ConfigError("x"), 2), (errors.VaultError("x"), 3), (errors.Fatal("x"), 1)),
        *((KeyboardInterrupt(), 130), (ValueError("x"), 1)),
    ],
)
def test_every_end_has_an_exit_code(error: BaseException, code: int) -> None:
    assert exit_code_of(error) == code


@pytest.mark.parametrize("error", ALL, ids=lambda error: error.__name__)
def test_errors_cross_process_borders_and_are_drawn(error: type[SynthcityError]) -> None:
    copy = pickle.loads(pickle.dumps(error("no price for 'BTC'")))
    assert type(copy) is error
    assert str(copy) == "no price for 'BTC'"
    assert error.__name__ in str(errors.__doc__)


@pytest.mark.parametrize(
    ("name", "code"),
    [("ConfigError", 2), ("DataError", 2), ("BundleError", 2), ("RunError", 2), ("SourceError", 3), ("Fatal", 1)],
)
def test_exit_codes(name: str, code: int) -> None:
    assert getattr(errors, name).exit_code == code


def test_a_near_name_is_suggested_and_a_far_one_lists_all() -> None:
    assert unknown_name("asset", "BTX", ["ETH", "BTC"]) == "unknown asset 'BTX'; did you mean 'BTC'?"
    assert unknown_name("asset", "zzz", ["ETH", "BTC"]) == "unknown asset 'zzz'; valid: BTC, ETH"

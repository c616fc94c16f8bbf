from __future__ import annotations

import gzip
import json

import numpy as np
import pytest

from synthcity.serve.answering.reply import accepts_gzip, compress, encode_reply
from synthcity.sn50.competitions import get_rules, rule_dates
from synthcity.sn50.prompt import Prompt
from synthcity.sn50.submission import round_paths, validate

PROMPT = Prompt(asset="BTC", start_time=1_790_000_520, time_length=3600, time_increment=60, num_simulations=5)


def _paths(level: float) -> np.ndarray:
    return level * np.exp(0.01 * np.random.default_rng(0).standard_normal((5, 61)))


@pytest.mark.parametrize("level", [1e-5, 0.0123, 0.97, 1.0, 3.7, 99.999, 142.0, 4_321.0, 99_999.0, 1_234_567.0])
def test_is_valid_under_all_rules_at_every_level(level: float):
    data = json.loads(encode_reply(_paths(level), PROMPT))
    assert data["simulation_input"] == {}
    for date in rule_dates():
        assert validate(data["simulation_output"], PROMPT, get_rules(date)) is None
    np.testing.assert_array_equal(np.array(data["simulation_output"][2:]), round_paths(_paths(level)))


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.0, -1.0])
def test_a_price_that_spoils_the_answer_is_not_sent(bad: float):
    paths = _paths(10.0)
    paths[3, 60] = bad
    with pytest.raises(ValueError, match="finite"):
        encode_reply(paths, PROMPT)


def test_a_wrong_shape_is_not_sent():
    with pytest.raises(ValueError, match=r"\(5, 61\)"):
        encode_reply(_paths(10.0)[:, :60], PROMPT)


def test_any_reader_of_gzip_reads_it():
    assert gzip.decompress(compress(b"a" * 1000)) == b"a" * 1000


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("gzip, deflate", True),
        ("GZIP", True),
        ("deflate, gzip;q=0.5", True),
        ("*", True),
        ("", False),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip; q=0.0, *", False),
        ("xgzip", False),
    ],
)
def test_gzip_is_sent_to_whom_it_suits(header: str, accepted: bool):
    assert accepts_gzip(header) is accepted

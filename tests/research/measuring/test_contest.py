"""A forecaster is compared with the baseline on the same prompts, and whatever it does wrong costs its test alone."""

from __future__ import annotations

import pytest

from synthcity.authored.forecaster import AuthoredForecaster, ForecasterSource
from synthcity.authored.locked.forks import Misbehaved
from synthcity.authored.locked.lock import SandboxLimits
from synthcity.authored.reading import Refused
from synthcity.durations import DAY
from synthcity.market.periods import Period
from synthcity.research.measuring import contest
from synthcity.research.measuring.contest import Contest
from synthcity.research.measuring.trial import Judge
from tests.research.conftest import START, SWING, contest_of

DAYS = {
    "one": Period(start=START + 40 * DAY, end=START + 41 * DAY),
    "two": Period(start=START + 41 * DAY, end=START + 42 * DAY),
}
LIMITS = SandboxLimits(cpu_seconds=1, wall_seconds=60.0, memory_bytes=128 << 20)


def forecaster(*pairs: tuple[str, str]) -> AuthoredForecaster:
    text = SWING
    for old, new in pairs:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return AuthoredForecaster(ForecasterSource.of(text), LIMITS)


@pytest.fixture(scope="module")
def swings(swinging: Judge) -> Contest:
    return contest_of(swinging)


def test_what_knows_the_market_beats_the_baseline_and_the_same_file_says_the_same(
    swings: Contest, swinging: Judge
) -> None:
    found = swings.test([forecaster()], DAYS)
    assert found.name == "swing"
    assert found.lead.mean < -0.3
    assert set(found.by_fold) == {"one", "two"}
    assert set(found.lead.by_asset) == {"BTC", "ETH"}
    again = contest_of(swinging).test([forecaster()], DAYS)
    assert (again.lead, again.by_fold) == (found.lead, found.by_fold)


RETURN = "return drawn * np.exp(DEPTH * np.cos(2 * np.pi * ends / (7 * 3600)))"
WRONG = {
    "an endless loop": (RETURN, "return sum(1.0 for _ in range(10**12)) + drawn", "CPU time"),
    "all memory": (RETURN, "return np.ones(10**9) + drawn[0, 0]", "MemoryError|memory|ArrayMemoryError"),
    "another shape": (RETURN, "return drawn[:, :5]", "asked for"),
    "one path for all": (RETURN, "return drawn[:1]", "asked for"),
    "no numbers": (RETURN, "return drawn * np.nan", "not finite"),
    "steps that overflow": (RETURN, "return drawn * 1e300 * 1e300", "not finite"),
    "giant steps": (RETURN, "return np.sign(drawn) * 1.5", "moves by"),
    "words": (RETURN, "return [str(x) for x in ends]", "asked for"),
    "nothing": (RETURN, "return None", "TypeError|asked for|not finite"),
    "a path count of its own": (
        "drawn = both[",
        "noise_rows = 1 / (len(noise.uniform) == 250)\n    drawn = both[",
        "ZeroDivisionError",
    ),
    "a failure on one asset": (RETURN, "return (1 // (1 - asset)) * drawn", "ZeroDivisionError"),
}


def test_beside_another_both_in_equal_parts_are_held_against_the_other(swings: Contest) -> None:
    wild = forecaster((RETURN, "return 3 * drawn"), ('NAME = "swing"', 'NAME = "wild"'))
    assert swings.test([wild], DAYS).lead.mean > 10.0
    beside = swings.test([wild], DAYS, beside=[forecaster()])
    assert 1.0 < beside.lead.mean < 10.0  # half of it is not as bad
    assert swings.test([forecaster()], DAYS, beside=[wild]).lead.mean < -1.0


@pytest.mark.parametrize("name", WRONG)
def test_whatever_it_does_wrong_ends_its_test_with_a_sentence(swings: Contest, name: str) -> None:
    old, new, expected = WRONG[name]
    with pytest.raises(Misbehaved, match=expected) as caught:
        swings.test([forecaster((old, new))], {"one": DAYS["one"]})
    assert "the forecaster swing: " in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("import numpy as np", "import time\nimport numpy as np"),
        (RETURN, "return drawn * np.datetime64('now').astype(float)"),
        (RETURN, "return np.random.standard_normal(drawn.shape)"),
        ("DEPTH = 0.4", "DEPTH = [0.4]"),
        (RETURN, "global DEPTH\n    DEPTH = DEPTH + 1\n    return drawn * DEPTH"),
        (RETURN, "forecast.count = 1\n    return drawn"),
    ],
)
def test_clocks_draws_and_a_memory_of_its_own_are_refused_unread(old: str, new: str) -> None:
    with pytest.raises(Refused):
        forecaster((old, new))


def test_what_answers_otherwise_when_it_is_asked_again_is_refused(swings: Contest) -> None:
    """As a text would that found a clock, or draws of its own, behind the reading and the lock."""
    calls = iter(range(100))

    class Restless(AuthoredForecaster):
        def simulate(self, history, prompt, *, seed=None):  # type: ignore[no-untyped-def]
            return super().simulate(history, prompt, seed=next(calls))

    with pytest.raises(Misbehaved, match="answers the same question with the same noise otherwise"):
        swings.test([Restless(forecaster(('NAME = "swing"', 'NAME = "restless"')).source)], DAYS)


def test_a_slow_one_costs_no_more_than_its_time(swings: Contest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contest, "SECONDS", 1e-6)
    with pytest.raises(Misbehaved, match=r"plodding took more than 1e-06 s of a CPU for 1 of [0-9]+ prompts"):
        swings.test([forecaster(('NAME = "swing"', 'NAME = "plodding"'))], DAYS)


def test_what_is_forgotten_is_scored_again(swings: Contest, monkeypatch: pytest.MonkeyPatch) -> None:
    one = forecaster(('NAME = "swing"', 'NAME = "passing"'))
    first = swings.test([one], {"one": DAYS["one"]})
    monkeypatch.setattr(contest, "score_prompt", None)  # nothing is scored twice
    assert swings.test([one], {"one": DAYS["one"]}).lead == first.lead
    swings.forget(one)
    with pytest.raises(TypeError):
        swings.test([one], {"one": DAYS["one"]})

from __future__ import annotations

import numpy as np
import pytest

from synthcity.sn50.competitions import get_rules
from synthcity.sn50.leaderboard import payout, prompt_scores, rolling_average

MAY, SEPTEMBER = get_rules("2026-05"), get_rules("2026-09")


def test_may_caps_everybody_at_the_ninetieth_percentile() -> None:
    scores = np.arange(100.0, 201.0)
    result = prompt_scores(scores, MAY)
    assert result is not None
    assert result.max() == 90
    np.testing.assert_array_equal(result[:90], np.arange(90.0))


def test_september_lets_a_bad_answer_cost_more_than_none() -> None:
    scores = np.array([100.0, 110, 120, 130, 5000, 400, -1])
    result = prompt_scores(scores, SEPTEMBER)
    assert result is not None
    missing = np.percentile([100, 110, 120, 130, 400], 95) - 100
    np.testing.assert_allclose(result, [0, 10, 20, 30, 10 * 125 - 100, 300, missing])
    assert result[5] > result[6]


@pytest.mark.parametrize("rules", [MAY, SEPTEMBER])
def test_every_kind_of_missing_answer_is_charged_alike(rules: object) -> None:
    result = prompt_scores([100.0, 110.0, -1.0, np.nan, np.inf], rules)  # type: ignore[arg-type]
    assert result is not None
    assert result[2] == result[3] == result[4] > 0


def test_a_prompt_nobody_answered_is_none() -> None:
    assert prompt_scores([-1.0, np.nan]) is None
    assert prompt_scores([]) is None


def test_scores_of_one_prompt_are_flat() -> None:
    with pytest.raises(ValueError, match=r"must be \(M,\)"):
        prompt_scores([[1.0]])


def test_rolling_average_weighs_by_asset_and_drops_empty_prompts() -> None:
    scores = [[100.0, 110.0], [-1.0, -1.0], [230.0, 200.0]]
    average = rolling_average(scores, ["BTC", "BTC", "XAU"])
    coefficient = SEPTEMBER.coefficient("XAU")
    np.testing.assert_allclose(average, np.array([30 * coefficient, 10]) / (1 + coefficient))


def test_a_newcomer_is_charged_the_percentile_for_prompts_before_its_time() -> None:
    scores = np.array([[100.0, 140.0, np.nan], [100.0, 140.0, 100.0]])
    average = rolling_average(scores, ["BTC", "BTC"], SEPTEMBER)
    np.testing.assert_allclose(average, [0, 40, (0.95 * 40) / 2])


def test_a_window_without_answers_has_no_average() -> None:
    with pytest.raises(ValueError, match="none of 2 prompts"):
        rolling_average([[-1.0], [-1.0]], ["BTC", "ETH"])
    with pytest.raises(ValueError, match="one asset a prompt"):
        rolling_average([[1.0], [2.0]], ["BTC"])


def test_payout_is_a_softmax_by_competition() -> None:
    averages = {"crypto-24h": [0.0, 10.0], "crypto-1h": [5.0, 0.0]}
    shares = payout(averages)
    first = np.exp([0, -0.15 * 10]) / (1 + np.exp(-0.15 * 10))
    second = np.exp([-0.3 * 5, 0]) / (1 + np.exp(-0.3 * 5))
    np.testing.assert_allclose(shares, (first + second) / 2)


def test_payout_follows_the_rules_of_its_date_and_survives_large_scores() -> None:
    averages = {"crypto-24h": [1e6, 1e6 + 10], "crypto-1h": [1e6, 1e6]}
    shares = payout(averages, MAY)
    low = 1 / (1 + np.exp(-0.1 * 10))
    np.testing.assert_allclose(shares, [(low + 0.5) / 2, (1.5 - low) / 2])
    assert shares.sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("averages", "cause"),
    [
        ({}, "at least one competition"),
        ({"crypto-24h": [1.0, np.nan]}, "one finite number"),
        ({"crypto-24h": [[1.0]]}, "one finite number"),
        ({"crypto-24h": [1.0, 2.0], "crypto-1h": [1.0]}, "the same miners"),
        ({"crypto": [1.0]}, "unknown competition 'crypto'"),
    ],
)
def test_payout_refuses(averages: dict[str, list[float]], cause: str) -> None:
    with pytest.raises(ValueError, match=cause):
        payout(averages)

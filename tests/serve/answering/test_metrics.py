from __future__ import annotations

import pickle

import pytest

from synthcity.serve.answering.metrics import ANSWERS, LATENCY, METRICS, REFUSALS, Figures, bucket_of
from synthcity.serve.answering.tally import Tally, together

LABELS = {"route": "Simulation", "asset": "BTC", "time_length": "3600"}


def _tally(*fallbacks: str, seconds: float = 0.02) -> Tally:
    tally = Tally()
    for fallback in fallbacks:
        tally.record(ANSWERS, LABELS | {"fallback": fallback})
        tally.record(LATENCY, LABELS, seconds)
    return tally


@pytest.mark.parametrize(("seconds", "bound"), [(0.0, 0.005), (0.005, 0.005), (0.0051, 0.01), (120.0, 120.0)])
def test_a_value_lies_in_the_first_bucket_that_is_not_below_it(seconds: float, bound: float):
    assert LATENCY.buckets[bucket_of(LATENCY, seconds)] == bound


def test_what_passes_every_bound_lies_in_the_last():
    assert bucket_of(LATENCY, 1e9) == len(LATENCY.buckets)


def test_figures_of_two_processes_add_up():
    one, other = _tally("none", "late").figures(), pickle.loads(pickle.dumps(_tally("none", seconds=3.0).figures()))
    both = one.plus(other)
    assert both.by(ANSWERS, "fallback") == {"none": 2, "late": 1}
    (latency,) = both.histograms.values()
    assert (sum(latency.counts), latency.total) == (3, pytest.approx(3.04))
    assert Figures().plus(one) == one


def test_sums_go_by_one_label_and_may_be_narrowed():
    tally = _tally("none")
    tally.record(ANSWERS, LABELS | {"asset": "ETH", "fallback": "late"})
    tally.record(REFUSALS, {"route": "simulate", "asset": "", "status": "503", "reason": "busy"})
    figures = tally.figures()
    assert figures.by(ANSWERS, "asset") == {"BTC": 1, "ETH": 1}
    assert figures.by(ANSWERS, "asset", fallback="late") == {"ETH": 1}
    assert figures.by(REFUSALS, "reason", route="Simulation") == {}


def test_names_are_told_apart():
    assert len({metric.name for metric in METRICS}) == len(METRICS)


def test_replicas_together_know_the_last_answer():
    one, other, silent = _tally("none"), _tally("none"), Tally()
    one.note_answer(10.0)
    other.note_answer(30.0)
    other.note_answer(20.0)
    assert together([one.status(), other.status(), silent.status()]).last_answered_at == 30.0
    assert together([silent.status()]).last_answered_at is None

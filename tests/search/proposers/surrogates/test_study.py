"""Optuna's samplers are told of all that was tried."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from optuna.trial import TrialState

from synthcity.nets.parameters import Parameter
from synthcity.search.candidates.space import Space
from synthcity.search.proposers import TPEProposer
from synthcity.search.proposers.stall import again
from synthcity.search.proposers.surrogates.study import distribution
from tests.search.builders import candidate, config, history, tell

SPACE = Space.from_registry()


def test_a_sampler_is_told_why_a_trial_failed() -> None:
    diagnosis = {"fingerprint": "0", "cause": "nan", "action": "leave", "by": "catalogue", "reason": "", "usd": 0.0}
    events = [{"kind": "diagnosis", "time": 1.0, "id": "c0001", **diagnosis}]
    known = history(tell(candidate(0), 5000.0), tell(candidate(1), status="failed"), events)
    fine, failed = TPEProposer(SPACE)._study(known, 0).trials
    assert fine.user_attrs == {"source": "random"}
    assert failed.user_attrs == {
        "source": "random",
        "failure": "TrialFailed: the loss became nan",
        "cause": "nan",
    }
    assert failed.value == 5000.0


def test_what_is_in_flight_or_never_said_anything_is_told_as_running() -> None:
    known = history(
        tell(candidate(0), 5000.0), tell(candidate(1), 5000.0, status="running"), tell(candidate(2), status="queued"),
        tell(candidate(3), status="stopped"),
    )  # fmt: skip
    states = [trial.state for trial in TPEProposer(SPACE)._study(known, 0).trials]
    assert states == [TrialState.COMPLETE, TrialState.RUNNING, TrialState.RUNNING, TrialState.RUNNING]


def test_a_failure_costs_the_90th_percentile_and_not_the_worst() -> None:
    scores = [5000.0 + 10 * n for n in range(11)]
    known = history(
        *(tell(candidate(n), score) for n, score in enumerate(scores)), tell(candidate(11), status="failed")
    )
    assert TPEProposer(SPACE)._study(known, 0).trials[-1].value == pytest.approx(5090.0)


@pytest.mark.parametrize("parameter", [p for table in SPACE.heads.values() for p in table] + list(SPACE.shared))
def test_every_parameter_has_a_distribution_of_its_own_range(parameter: Parameter) -> None:
    found = distribution(parameter)
    assert found._contains(found.to_internal_repr(parameter.default))
    if parameter.kind in ("int", "float"):
        assert (found.low, found.high, found.log) == (parameter.low, parameter.high, parameter.log)
    else:
        assert found.choices == ((False, True) if parameter.kind == "bool" else parameter.choices)


def test_a_network_is_told_once_and_a_stopped_one_as_if_trained_to_its_end() -> None:
    told = [tell(candidate(0), 5000.0, 4800.0), tell(candidate(1), 5100.0, status="stopped")]
    known = history(*told)
    rerun = tell(again(known.trials["c0000"], known), 4700.0, 4600.0)
    proposer = TPEProposer(SPACE)
    assert [trial.value for trial in proposer._study(history(*told, rerun), 0).trials] == [4800.0, 4900.0]
    later = tell(candidate(3), 5000.0, 4900.0)  # others gain less than was thought
    assert proposer._study(history(*told, rerun, later), 0).trials[1].value == 4950.0


def test_what_is_varied_of_a_recipe_is_told_and_the_rest_is_not() -> None:
    known = history(tell(replace(candidate(0), config=config(training={"steps": 0.4, "tilt": 0.5})), 5000.0))
    told = TPEProposer(SPACE)._study(known, 0).trials[0].params
    assert not {"training.steps", "training.tilt"} & {*told}
    varied = Space.from_registry(recipe=["steps"])
    told = TPEProposer(varied)._study(known, 0).trials[0].params
    assert "training.steps" in told
    assert "training.tilt" not in told
    found = TPEProposer(varied).propose(2, known, np.random.default_rng(0))
    assert all("steps" in proposal.config["training"] for proposal in found)

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from synthcity.errors import TrialFailed
from synthcity.nets import registry
from synthcity.nets.costs import Cost
from synthcity.search.candidates.candidate import Proposal
from synthcity.search.candidates.space import Space
from synthcity.search.gate import Gate, GateLimits, Rejected
from synthcity.search.journal.history import TrialHistory
from tests.search.builders import candidate, config, history, tell

SPACE = Space.from_registry()


def cost(parameters: int = 1000, step_seconds: float = 0.1) -> Any:
    return lambda config: {"parameters": parameters, "step_seconds": step_seconds}


CHEAP = cost()


def gate(dry_run: Any = CHEAP) -> Gate:
    return Gate(SPACE, dry_run, GateLimits(max_parameters=5000, max_step_seconds=0.2))


def refusal(proposed: dict[str, Any], known: TrialHistory | None = None, dry_run: Any = CHEAP) -> Rejected:
    with pytest.raises(Rejected) as caught:
        gate(dry_run).admit(Proposal(config=proposed), "random", known or TrialHistory())
    return caught.value


def test_admits_and_numbers() -> None:
    known = history(tell(candidate(0), 5500.0))
    proposal = Proposal(config={"blocks": [{"name": "tcn"}]}, rationale="try it", parent="c0000")
    admitted = gate().admit(proposal, "tpe", known)
    assert (admitted.id, admitted.source, admitted.parent, admitted.rationale) == ("c0001", "tpe", "c0000", "try it")
    assert admitted.config == config(blocks=[{"name": "tcn"}])


@pytest.mark.parametrize(
    ("proposed", "reason"),
    [
        ({"blocks": [{"name": "lstn"}]}, "did you mean 'lstm'"),
        ({"head": {"name": "gbm", "colour": 1}}, "colour"),
        ({"training": {"learning_rate": 99.0}}, "99"),
        ({"training": {"learning_rate": "fast"}}, "fast"),
        ({"blocks": "lstm"}, "must be a list"),
    ],
)
def test_refuses_invalid_configs_before_anything_runs(proposed: dict[str, Any], reason: str) -> None:
    def never(config: dict[str, Any]) -> int:
        raise AssertionError("a dry run of an invalid config")

    rejected = refusal(proposed, dry_run=never)
    assert rejected.stage == "config"
    assert reason in str(rejected)


@pytest.mark.parametrize("status", ["queued", "running", "completed", "failed"])
def test_refuses_what_is_known_in_any_state(status: str) -> None:
    known = history(tell(candidate(0), 5500.0, status=status))
    rejected = refusal(dict(candidate(0).config), known)
    assert (rejected.stage, str(rejected)) == ("duplicate", "the same network as c0000")


def test_refuses_what_is_nearly_known() -> None:
    known = history(tell(candidate(0, rate=0.002), 5500.0))
    assert refusal(config(training={"learning_rate": 0.00202}), known).stage == "near duplicate"


def test_refuses_what_does_not_run() -> None:
    def fails(error: Exception) -> Any:
        def dry_run(config: dict[str, Any]) -> int:
            raise error

        return dry_run

    assert refusal(config(), dry_run=fails(TrialFailed("the loss is nan"))).stage == "dry run"
    rejected = refusal(config(), dry_run=fails(RuntimeError("shapes differ")))
    assert (rejected.stage, str(rejected)) == ("dry run", "RuntimeError: shapes differ")


def test_refuses_what_is_too_large() -> None:
    rejected = refusal(config(), dry_run=cost(parameters=5001))
    text = "lstm>gbm d32 h48 has 5001 parameters, more than the limit of 5000"
    assert (rejected.stage, str(rejected)) == ("size", text)


def test_refuses_what_cannot_finish_in_time() -> None:
    rejected = refusal(config(), dry_run=cost(step_seconds=0.2004))
    assert (rejected.stage, str(rejected)) == (
        "too slow", "a step of lstm>gbm d32 h48 takes 200.4 ms, more than the 200.0 ms there are"
    )  # fmt: skip
    open_ended = Gate(SPACE, cost(step_seconds=9.0), GateLimits(max_parameters=5000))
    assert open_ended.admit(Proposal(config=config()), "random", TrialHistory()).id == "c0000"


def test_refuses_without_a_run_what_the_blocks_costs_show_to_be_far_too_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    costs = {"lstm": Cost(parameters=1, milliseconds={48: 30.0, 288: 180.0})}
    costs["tcn"] = Cost(parameters=1, milliseconds={48: 700.0, 288: 4200.0})
    monkeypatch.setattr(registry.Component, "cost", property(lambda entry: costs.get(entry.name)))

    def never(config: dict[str, Any]) -> Any:
        raise AssertionError("a dry run of a network that cannot finish")

    wide = {"d_model": 32, "history": 96, "training": {"batch_size": 48}}
    proposed = config(blocks=[{"name": "lstm"}, {"name": "tcn"}], **wide)
    rejected = refusal(proposed, dry_run=never)
    text = "a step of lstm+tcn>gbm d32 h96 would take about 1.09 s, 1.05 s of it the block tcn; "
    text += "that is far more than the 0.2 s there are"
    assert (rejected.stage, str(rejected)) == ("too slow", text)
    # within the factor it is the dry run that judges, and a block that nobody measured counts nothing
    for blocks in ([{"name": "lstm"}], [{"name": "tcn"}], [{"name": "transformer"}]):
        proposal = Proposal(config=config(blocks=blocks, **{**wide, "history": 48}))
        assert gate().admit(proposal, "random", TrialHistory()).id == "c0000"
    open_ended = Gate(SPACE, CHEAP, GateLimits(max_parameters=5000))
    assert open_ended.admit(Proposal(config=proposed), "random", TrialHistory()).id == "c0000"


def timed(*seconds: float) -> Any:
    """Dry runs whose steps take one time after the other."""
    found = iter(seconds)
    return lambda config: {"parameters": 1, "step_seconds": next(found)}


def refused(proposed: dict[str, Any], rejection: Rejected) -> list[dict[str, Any]]:
    told = {"source": "tpe", "stage": rejection.stage, "reason": str(rejection), "config": proposed}
    return [{"kind": "rejected", "time": 0.0, **told, "step_seconds": rejection.step_seconds}]


def test_a_candidate_once_refused_as_too_slow_is_refused_again_whatever_the_clock_says() -> None:
    rejected = refusal(config(), dry_run=timed(0.31))
    known = history(refused({"blocks": [{"name": "lstm"}]}, rejected))  # as it was proposed, not as it is canonical
    again = refusal(config(), known, dry_run=timed())  # it is not even run
    assert (again.stage, str(again)) == (rejected.stage, str(rejected))
    other_rates = config(training={"learning_rate": 4e-3, "weight_decay": 0.3})
    assert refusal(other_rates, known, dry_run=timed()).stage == "too slow"
    wider = Proposal(config=config(d_model=48))
    assert gate(timed(0.1)).admit(wider, "tpe", known).step_seconds == 0.1


def test_what_has_the_shape_of_a_candidate_once_taken_is_taken() -> None:
    taken = gate(timed(0.19)).admit(Proposal(config=config()), "tpe", TrialHistory())
    known = history(tell(taken))
    other_rates = Proposal(config=config(training={"learning_rate": 4e-3}))
    assert gate(timed(9.0)).admit(other_rates, "tpe", known).step_seconds == 0.19


def test_what_is_a_little_too_slow_is_timed_again_and_its_fastest_step_counts() -> None:
    assert gate(timed(0.25, 0.19)).admit(Proposal(config=config()), "tpe", TrialHistory()).step_seconds == 0.19
    assert refusal(config(), dry_run=timed(0.25, 0.22, 0.23)).step_seconds == 0.22
    assert refusal(config(), dry_run=timed(0.31)).step_seconds == 0.31  # far too slow


def test_where_any_time_will_do_none_is_kept() -> None:
    open_ended = Gate(SPACE, CHEAP, GateLimits(max_parameters=5000))
    assert open_ended.admit(Proposal(config=config()), "random", TrialHistory()).step_seconds is None


def test_what_another_machine_timed_says_nothing_here_nor_does_a_block_that_is_gone() -> None:
    rejected = refusal(config(), dry_run=timed(0.31))
    gone = refused({"blocks": [{"name": "of_another_day"}]}, rejected)
    told = [*refused(config(), rejected), *tell(replace(candidate(0), step_seconds=9.0))]
    here, there = ([{"kind": "run_resumed", "time": 0.0, "workers": 1, "machine": name}] for name in ("a", "b"))
    assert refusal(config(), history(gone, here, told, here), dry_run=timed()).stage == "too slow"
    elsewhere = history(here, told, there)
    assert gate(timed(0.1)).admit(Proposal(config=config(d_model=48)), "tpe", elsewhere).step_seconds == 0.1
    assert gate(timed(0.1)).admit(Proposal(config=config()), "tpe", elsewhere).step_seconds == 0.1


def test_a_shorter_training_may_have_dearer_steps_and_is_timed_as_the_whole_one_was() -> None:
    shorter = Proposal(config=config(training={"steps": 0.4}))
    assert gate(cost(step_seconds=0.49)).admit(shorter, "tpe", TrialHistory()).step_seconds == 0.49
    assert "more than the 500.0 ms there are" in str(refusal(shorter.config, dry_run=cost(step_seconds=0.9)))
    known = history(refused(config(), refusal(config(), dry_run=timed(0.31))))
    assert gate(timed(9.0)).admit(shorter, "tpe", known).step_seconds == 0.31

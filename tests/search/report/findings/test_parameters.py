"""What trials had in common and varied."""

from __future__ import annotations

from dataclasses import replace

from synthcity.search.journal.record import FAILED
from synthcity.search.report.findings.parameters import parameter_rows, varied
from tests.search.report.findings.test_importance import records


def test_what_all_have_and_some_vary_is_told_the_first_that_matters_first() -> None:
    found = parameter_rows(records(20), 1, ["training.batch_size", "d_model"])
    assert [row["name"] for row in found[:2]] == ["training.batch_size", "d_model"]
    for row in found:
        values = set(row["values"].values())
        assert len(row["values"]) == 20
        assert len(values) > 1
        if row["scale"] == "choice":
            assert values == set(row["choices"])
        else:
            assert (min(values), max(values)) == (row["low"], row["high"])
    rows = {row["name"]: row for row in found}
    assert rows["training.learning_rate"]["scale"] == "log"
    assert rows["d_model"]["choices"] == sorted(rows["d_model"]["choices"], key=int)
    assert rows["block0"]["scale"] == "choice"
    assert "none" in rows["block0"]["choices"]


def test_few_trials_failed_ones_and_those_outside_the_space_are_left_out() -> None:
    assert parameter_rows(records(4), 1, []) == []
    assert parameter_rows([], 1, []) == []
    whole = records(8)
    failed = [replace(whole[0], status=FAILED), *whole[1:]]
    assert all(len(row["values"]) == 7 for row in parameter_rows(failed, 1, []))
    strange = replace(whole[0], candidate=replace(whole[0].candidate, config={"d_model": 10**6}))
    assert all(len(row["values"]) == 7 for row in parameter_rows([strange, *whole[1:]], 1, []))


def test_a_network_that_is_trained_again_is_told_once() -> None:
    whole = records(8)
    again = replace(whole[0].candidate, index=8, source="rerun")
    assert all(len(row["values"]) == 8 for row in parameter_rows([*whole, replace(whole[0], candidate=again)], 1, []))


def test_a_parameter_that_never_changes_says_nothing() -> None:
    assert varied([{"a": 1, "b": 2}, {"a": 1, "b": 3}, {"b": 2, "c": 5}]) == ["b"]
    assert varied([]) == []

from __future__ import annotations

import json
from pathlib import Path

from synthcity.research.labbook import Claimed, LabBook, Look, Origin, Tried
from synthcity.research.result import TABLE, Result, arm_result, claim_lines, table_rows


def claim(number: int, *, kept: bool) -> Claimed:
    return Claimed(
        arm="control",
        number=number,
        name=f"input {number}",
        mean=-0.2,
        low=-0.3,
        high=-0.1 if kept else 0.1,
        confidence=0.98,
        prompts=90,
        blocks=15,
        kept=kept,
    )


def test_an_arm_is_counted_from_its_book(tmp_path: Path) -> None:
    with LabBook(tmp_path) as book:
        book.add(Look(arm="control", round=1, what="hours"))
        for number, refused in ((1, ""), (3, "no shape")):
            book.add(
                Tried(
                    arm="control",
                    round=number,
                    name="x",
                    hypothesis="",
                    origin=Origin(recipe={}),
                    promising=not refused,
                    refused=refused,
                )
            )
        book.add(claim(1, kept=True))
        book.add(claim(2, kept=False))
        arm = arm_result(book, "control", gain=-0.2)
        assert arm_result(book, "model").replicated is None
    assert (arm.rounds, arm.looks, arm.tests, arm.refused, arm.promising) == (2, 1, 2, 1, 1)
    assert arm.replicated == 0.5
    result = Result(arms=(arm,), world={"kind": "none"})
    assert json.loads(json.dumps(result.to_dict(), allow_nan=False))["arms"][0]["replicated"] == 0.5
    (row,) = table_rows(result)
    assert dict(zip(TABLE, row, strict=True))["replicated"] == "50%"
    assert [line.rpartition(", ")[2] for line in claim_lines(result)] == ["kept", "not confirmed"]

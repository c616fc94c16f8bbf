from __future__ import annotations

from synthcity.research.model.tables import bounded


def test_what_was_cut_is_named() -> None:
    told = bounded("head", [(f"row {n}", "1") for n in range(70)], 3)
    assert told.splitlines()[-1].startswith("[left out, in the same order: row 3, row 4")
    assert told.endswith("and 7 more]")
    assert bounded("head", [("a", "1")]) == "head\na\t1"

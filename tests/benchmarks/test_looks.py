from __future__ import annotations

import pytest

from benchmarks.looks import columns_of, main
from tests.cli.test_research import SMALL


def test_the_largest_value_is_told_in_units_of_the_level_and_marked_rows_do_not_count() -> None:
    text = "hours\tstrength\theight (chance 95 %: 4.0)\tpart of\n24.00\t9.0\t8.0\tday\n31.00\t6.0\t-6.0\n"
    assert columns_of(text) == {"height": 1.5}
    text = "funding: 3 values\nlag\tcorrelation (chance 95 %: 0.1)\tbump (chance 95 %: 0.5)\n1\t-0.2\t-\nin full"
    assert columns_of(text) == {"correlation": 2.0, "bump": 0.0}


@pytest.mark.slow
def test_a_small_study_runs(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--worlds", "2", "--each", "0", *(word for setting in SMALL for word in ("--set", setting))])
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("residuals by hour: z ")
    assert lines[-1].startswith("planted: ")

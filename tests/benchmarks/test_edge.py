import pytest

from benchmarks.edge import _print
from synthcity.nets.validation import WindowScores


def test_each_row_is_held_against_the_one_before_and_the_first(capsys: pytest.CaptureFixture[str]):
    def scores(factor: float) -> WindowScores:
        return WindowScores(by_asset={"BTC": 100 * factor}, blocks=[[factor * (90.0 + k), 1.0] for k in range(12)])

    found = {
        (row, preset, 0): scores(factor) for row, factor in (("a", 1.0), ("b", 0.9), ("c", 0.81)) for preset in "xy"
    }
    _print(found)
    told = capsys.readouterr().out
    _, last = told.split("\nx\n")[0].split("  c ")
    assert "on the row before -10.000 % (-10.000 to -10.000)" in last
    assert "on the first -19.000 % (-19.000 to -19.000)" in last
    assert "BTC -19.000 %" in told

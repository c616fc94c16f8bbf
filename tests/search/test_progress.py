from __future__ import annotations

from synthcity.search.progress import Progress
from tests.search.builders import candidate, tell


def test_a_session_that_resumed_into_the_finals_has_no_trials() -> None:
    started = {"kind": "run_started", "time": 0.0, "workers": 1, "trials": 1}
    trial = tell(candidate(0), 5500.0, 5400.0, seconds=10.0)
    resumed = {**started, "kind": "run_resumed", "time": 1000.0}
    before = Progress([started, *trial]).utilisation()
    assert before is not None
    assert (
        Progress([started, *trial, resumed, {"kind": "stage", "time": 1001.0, "name": "test"}]).utilisation() == before
    )
    assert Progress([started]).utilisation() is None


def test_baselines_are_what_trials_are_compared_with() -> None:
    progress = Progress(
        [{"kind": "run_started", "time": 0.0}, {"kind": "baselines", "time": 1.0, "scores": {"fhs": 5000.0}}]
    )
    assert progress.best_baseline == ("fhs", 5000.0)
    assert progress.relative(4950.0) == -1.0

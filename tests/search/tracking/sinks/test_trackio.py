"""The sink of Trackio, with the library's own calls recorded; ``test_replay`` reads its database back."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.slow
def test_the_result_is_one_step_after_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    import trackio

    from synthcity.search.tracking.sinks.trackio import TrackioSink

    seen: list[Any] = []
    monkeypatch.setattr(trackio, "init", lambda project, **options: seen.append(options["config"]))
    monkeypatch.setattr(trackio, "log", lambda values, step: seen.append((values, step)))
    monkeypatch.setattr(trackio, "finish", lambda: seen.append("finished"))
    run: Any = {"project": "p", "name": "n", "id": "i", "folder": ".", "config": {"a": 1}}
    sink = TrackioSink(run, seen.append)
    sink.log(7, {"x": 1})
    assert sink.end({"y": 2}, {"name": "n"}) == "project p, run n"
    assert seen == [{"a": 1, "synthcity_run": "i"}, ({"x": 1}, 7), ({"y": 2, "row": {"name": "n"}}, 8), "finished"]

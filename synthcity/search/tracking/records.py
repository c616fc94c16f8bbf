"""From the events of a journal to what a tracker shows.

Every event has its number in the journal as its step, so a run that is told again gives the same figures. Scores are in
basis points, leads in percent of the best baseline's score, lower is better for both.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from synthcity.history.row import row_of_report
from synthcity.search.journal.events import Event
from synthcity.search.journal.history import TrialHistory
from synthcity.search.journal.parts import RunTold
from synthcity.search.journal.progress import Progress
from synthcity.search.journal.record import own_score
from synthcity.search.report.model import Report
from synthcity.search.tracking.sinks import sink

_LONGEST = 500  # characters of a text


def told(events: Iterable[Event], folder: Path, project: str) -> Iterator[sink.Record]:
    """Yield what a run's events come to, the run itself first; nothing before it is announced."""
    history = TrialHistory()
    is_open = False
    for step, event in enumerate(events):
        history = history.after(event)
        if not is_open and history.run is not None:
            yield of_run(history.run, folder, project, session=1)
            is_open = True
        values = of_event(event, history)
        if is_open and values:
            yield sink.LogTold(what="log", step=step, values=values)


def of_run(run: RunTold, folder: Path, project: str, *, session: int) -> sink.RunTold:
    """Return what a run is; a resumed one is told whole again, under a name that says which session it is of."""
    name = folder.name if session == 1 else f"{folder.name} (session {session})"
    facts = {key: run.get(key) for key in ("competition", "rules", "assets", "trials", "workers", "versions")}
    seed = f"{folder.name} {run.get('fingerprint')} {session}".encode()
    return sink.RunTold(
        what="run",
        project=project,
        name=name,
        id=hashlib.sha256(seed).hexdigest()[:12],
        folder=str(folder),
        config={**facts, **run.get("config", {})},
    )


def of_event(event: Event, history: TrialHistory) -> dict[str, object]:
    """Return the figures of one event, ``history`` being the one that includes it; empty where it has none."""
    progress = Progress(history)
    if event["kind"] == "baselines":
        return {f"baseline/{name}": score for name, score in event["scores"].items()}
    if event["kind"] == "candidate":
        parts = [part["name"] for part in (*event["config"]["blocks"], event["config"]["head"])]
        facts = {"trial/id": event["id"], "trial/source": event["source"], "trial/network": "+".join(parts)}
        return {**facts, **_flat(event["config"], "params/")}
    if event["kind"] == "rung":
        record, best = history.trials[event["id"]], progress.best_trial
        score = None if best is None else best.score
        figures: dict[str, object] = {
            "rung/trial": event["id"],
            "rung/number": event["rung"],
            f"curve/{event['id']}": own_score(event),
            "rung/score": own_score(event),
            "rung/lead": progress.relative(own_score(event)),
            "rung/steps_per_second": record.steps_per_second,
            "best/score": score,
            "best/lead": progress.relative(score),
        }
        return {name: value for name, value in figures.items() if value is not None}
    if event["kind"] == "trial_finished":
        record = history.trials[event["id"]]
        ended: dict[str, object] = {"trial/id": event["id"], "trial/state": event["status"]}
        ended |= {} if record.score is None else {"trial/score": record.score}
        failure = event.get("failure")
        return ended | (
            {} if failure is None else {"trial/failure": _text(f"{failure['class']}: {failure['message']}")}
        )
    if event["kind"] == "answered" or event["kind"] == "researched":
        return {"model/usd": history.usd}
    if event["kind"] == "finalist":
        return {f"final/{event['name']}": event["score"]}
    if event["kind"] == "degraded":
        return {"note": _text(event["note"])}
    if event["kind"] == "verdict":
        facts = {"verdict/sentence": _text(event["sentence"]), "verdict/winner": event["winner"]}
        return {"verdict/proven": int(event["proven"]), **facts}
    return {}


def of_report(report: Report) -> sink.EndTold:
    """Return the result: test scores, leads with their intervals, the verdict, and the row for the history."""
    values: dict[str, object] = {"result/verdict": _text(report["verdict"]["sentence"])}
    values |= {"result/proven": int(report["verdict"]["proven"]), "result/trials": len(report["trials"])}
    for row in report["scores"]:
        values[f"test/{row['name']}"] = row["mean"]
    for name, lead in report["leads"].items():
        bounds = {"lead": lead["mean"], "lead_low": lead["low"], "lead_high": lead["high"]}
        values |= {f"{bound}/{name}": value for bound, value in bounds.items() if value is not None}
    return sink.EndTold(what="end", values=values, row=row_of_report(report, id=report["run"]["name"]).to_dict())


def of_system(folder: Path) -> dict[str, object]:
    """Return how the machine is: processes that want to run, and room in memory and on the run's disk in GB.

    What it does not tell is left out: a search does not end for it.
    """
    asked: dict[str, Callable[[], float]] = {
        "system/load": lambda: os.getloadavg()[0],
        "system/memory_free": lambda: os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9,
        "system/disk_free": lambda: shutil.disk_usage(folder).free / 1e9,
    }
    found: dict[str, object] = {}
    for name, ask in asked.items():
        with contextlib.suppress(OSError, ValueError):  # macOS has no SC_AVPHYS_PAGES
            found[name] = ask()
    return found


def _flat(data: Mapping[str, object], prefix: str) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in data.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{name}.")
        elif isinstance(value, list):
            found |= _flat({str(at): one for at, one in enumerate(value)}, f"{prefix}{name}.")
        elif value is not None:
            found[prefix + name] = _text(value) if isinstance(value, str) else value
    return found


def _text(text: str) -> str:
    return " ".join(text.split())[:_LONGEST]

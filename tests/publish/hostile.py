"""Runs that must not leave the house: a proven one, made a lie by hand or by the honest code itself.

``edited`` changes without caring for the seal; ``forged`` seals anew what was changed, with every hash right.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from safetensors.numpy import save_file

from synthcity.forecast.evaluation.samples import read_samples, save_samples
from synthcity.lines import LineWriter, read_all
from synthcity.search.finals import final
from synthcity.search.journal.folder import read_resolved
from synthcity.search.journal.journal import Journal
from synthcity.search.journal.recorder import Recorder
from synthcity.search.report.outcome import conclude
from synthcity.search.report.seal import digest, hashes, seal
from tests.publish.proven import NAME, made_data, made_prices
from tests.standins.hub import TOKEN

Lie = Callable[[Path], None]
CANARY = TOKEN
OUTER, INNER = "winner/manifest.json", "winner/members/0/manifest.json"
CONFIG, WEIGHTS = "winner/members/0/config.json", "winner/weights.safetensors"


def rewrite(folder: Path, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
    """Write the journal anew, checksums and all."""
    path = folder / "journal.jsonl"
    events = change(read_all(path))
    path.unlink()
    with LineWriter(path) as writer:
        for event in events:
            writer.append(event)


def change_events(folder: Path, kind: str, **fields: object) -> None:
    rewrite(folder, lambda events: [{**event, **(fields if event["kind"] == kind else {})} for event in events])


def forge(folder: Path) -> None:
    """Set every hash right: of the bundle's files, of its member, and of the seal."""
    for manifest in (INNER, OUTER):
        at = (folder / manifest).parent
        if at.is_dir():
            told = json.loads((folder / manifest).read_text())
            told["sha256"] = {
                name: hashlib.sha256((at / name).read_bytes()).hexdigest()
                for name in told["sha256"]
                if (at / name).is_file()
            }
            (folder / manifest).write_text(json.dumps(told))

    def resealed(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        at = max(n for n, event in enumerate(events) if event["kind"] == "sealed")
        told = {**events[at], "files": hashes(folder), "journal": digest(events[:at])}  # type: ignore[arg-type]
        return [*events[:at], told, *events[at + 1 :]]

    rewrite(folder, resealed)


def forged(change: Lie) -> Lie:
    def lie(folder: Path) -> None:
        change(folder)
        forge(folder)

    return lie


def told_again(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Lie:
    """Let the honest code write verdict, report and seal from scores that were changed."""

    def lie(folder: Path) -> None:
        scores(change)(folder)
        ends = ("verdict", "sealed", "run_finished")
        rewrite(folder, lambda events: [event for event in events if event["kind"] not in ends])
        sweep = read_resolved(folder)
        data = made_data(sweep, made_prices(), "binance")
        with Journal(folder) as journal:
            recorder = Recorder(journal)
            look = final.TestLook(
                scores=pd.read_parquet(folder / "test_scores.parquet"), diagnostics=None, challenger=NAME
            )
            conclude(
                folder=folder, config=sweep, data=data, recorder=recorder, look=look, versions={}, command="synthcity"
            )
            seal(recorder, folder)
            recorder.emit("run_finished", winner=NAME)

    return lie


def scores(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Lie:
    def lie(folder: Path) -> None:
        path = folder / "test_scores.parquet"
        change(pd.read_parquet(path)).to_parquet(path, index=False)

    return lie


def scaled(name: str, factor: float) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(table: pd.DataFrame) -> pd.DataFrame:
        table["total"] = np.where(table["forecaster"] == name, factor * table["total"], table["total"])
        return table

    return change


def report(change: Callable[[Any], None]) -> Lie:
    return document("report.json", change)


def document(name: str, change: Callable[[Any], None]) -> Lie:
    def lie(folder: Path) -> None:
        data = json.loads((folder / name).read_text())
        change(data)
        (folder / name).write_text(json.dumps(data))

    return lie


def manifests(**fields: object) -> Lie:
    return document(OUTER, lambda data: data.update(fields))


def written(name: str, content: bytes) -> Lie:
    def lie(folder: Path) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)

    return lie


def linked(name: str) -> Lie:
    def lie(folder: Path) -> None:
        elsewhere = folder.parent / "elsewhere"
        os.rename(folder / name, elsewhere)
        (folder / name).symlink_to(elsewhere)

    return lie


def events(kind: str, **fields: object) -> Lie:
    return lambda folder: change_events(folder, kind, **fields)


def without(*kinds: str) -> Lie:
    return lambda folder: rewrite(folder, lambda told: [event for event in told if event["kind"] not in kinds])


def samples(change: Callable[[Any], Any]) -> Lie:
    def lie(folder: Path) -> None:
        path = folder / "test_prompts.parquet"
        told, market = read_samples(path)
        save_samples(path, change(told), market)

    return lie


def several(*lies: Lie) -> Lie:
    def lie(folder: Path) -> None:
        for one in lies:
            one(folder)

    return lie


def with_code(folder: Path) -> None:
    source = b"import os\n"
    written("winner/code/0.py", source)(folder)
    entry = {"kind": "block", "name": "evil", "sha256": hashlib.sha256(source).hexdigest()}
    document("winner/config.json", lambda data: data.update(code=[entry]))(folder)
    document(OUTER, lambda data: data["sha256"].update({"code/0.py": entry["sha256"]}))(folder)


def with_nan_weights(folder: Path) -> None:
    save_file({"unused": np.array([np.nan], np.float32)}, folder / WEIGHTS)


def simulated(folder: Path) -> None:
    def change(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for event in told:
            if event["kind"] == "run_started":
                event["config"]["data"]["source"] = "simulated"
        return told

    rewrite(folder, change)


def seal_with(files: dict[str, str]) -> Lie:
    def change(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**e, "files": {**e["files"], **files}} if e["kind"] == "sealed" else e for e in told]

    return lambda folder: rewrite(folder, change)


def old_rules(folder: Path) -> None:
    events("run_started", rules="2026-05")(folder)
    report(lambda data: data["run"].update(rules="2026-05"))(folder)
    manifests(rules="2026-05")(folder)
    samples(lambda told: replace(told, rules="2026-05"))(folder)


def other_sigma(data: Any) -> None:
    data["config"]["hourly_sigma"] = {"BTC": 0.01}


def a_folder(name: str) -> Lie:
    def lie(folder: Path) -> None:
        (folder / name).unlink()
        (folder / name).mkdir()

    return lie


def gone(*names: str) -> Lie:
    def lie(folder: Path) -> None:
        for name in names:
            path = folder / name
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    return lie


HOSTILE: dict[str, tuple[Lie, str]] = {
    "edited verdict": (events("verdict", proven=True, winner="other"), "an event of it was edited"),
    "forged verdict": (forged(events("verdict", sentence="Proven: by far.")), "tell another verdict"),
    "verdict of worse scores": (forged(scores(scaled(NAME, 1.3))), "the scores of the look say"),
    "not proven": (told_again(scaled(NAME, 1.2)), "it proves nothing: Not proven"),
    "not proven, said to be": (
        several(told_again(scaled(NAME, 1.2)), events("verdict", proven=True), forge),
        "tell another verdict",
    ),
    "edited figures": (report(lambda data: data["scores"][0].update(mean=1.0)), "is not what was sealed"),
    "forged scores": (forged(report(lambda data: data["scores"][0].update(mean=1.0))), "report was edited: scores"),
    "forged leads": (forged(report(lambda data: data["leads"]["fhs"].update(low=-50.0))), "report was edited: leads"),
    "forged trials": (forged(report(lambda data: data["trials"].clear())), "report was edited: trials"),
    "forged calibration": (forged(report(lambda data: data.update(diagnostics={}))), "edited: diagnostics"),
    "forged earnings": (
        forged(report(lambda data: data.update(earnings="It earns 9 %."))),
        "report was edited: earnings",
    ),
    "forged looks": (forged(report(lambda data: data["run"].update(looks=0))), "report was edited: run.looks"),
    "foreign report": (forged(report(lambda data: data.update(schema=99))), "is no report of version"),
    "report that is nonsense": (forged(report(lambda data: data.pop("run"))), "makes no sense: KeyError"),
    "baselines made worse throughout": (told_again(scaled("fhs", 1.5)), "fhs is recorded with"),
    "winner made better throughout": (told_again(scaled(NAME, 0.9)), f"{NAME} is recorded with"),
    "swapped parameter": (document(CONFIG, other_sigma), "is not what was sealed"),
    "swapped parameter, forged": (forged(document(CONFIG, other_sigma)), "on this very machine"),
    "swapped weights": (with_nan_weights, "is not what was sealed"),
    "recorded figures edited": (
        forged(samples(lambda told: replace(told, prompts=(replace(told.prompts[0], scores={NAME: 1.0}),)))),
        "not the recorded",
    ),
    "prompts of another run": (forged(samples(lambda told: replace(told, challenger="c0007"))), "c0007"),
    "NaN in the scores": (forged(scores(scaled(NAME, float("nan")))), "is no positive number"),
    "NaN in the weights": (forged(with_nan_weights), "hold NaN"),
    "code": (forged(with_code), "holds code that a language model wrote"),
    "a stray pickle": (written("winner/evil.pkl", b"\x80\x04."), "was not there when the run was finished"),
    "a sealed pickle": (forged(written("winner/evil.pkl", b"\x80\x04.")), "which is no file of a bundle"),
    "a pickle named safetensors": (
        forged(written(WEIGHTS, b"\x80\x04\x95.")),
        "calls itself safetensors",
    ),
    "a zip named safetensors": (forged(written(WEIGHTS, b"PK\x03\x04rest")), "calls itself safetensors"),
    "a simulated market": (forged(simulated), "SIMULATED prices"),
    "simulated by the manifest": (forged(manifests(venues=["simulated"])), "SIMULATED prices"),
    "mark of another venue": (forged(manifests(venues=["kraken"])), "prices of kraken"),
    "mark taken away": (forged(manifests(venues=[])), "does not tell whose prices"),
    "periods moved": (
        forged(
            manifests(
                periods={
                    "train": "2025-01-01 to 2025-02-01",
                    "validation": "2025-02-01 to 2025-02-03",
                    "test": "2025-10-10 to 2025-10-22",
                }
            )
        ),
        "other periods than the run's",
    ),
    "linked report": (linked("report.json"), "is a link"),
    "linked bundle": (linked("winner"), "is a link"),
    "linked weights": (linked(WEIGHTS), "is a link"),
    "a folder for weights": (a_folder(WEIGHTS), "cannot be read"),
    "outdated rules": (forged(old_rules), "rules of 2026-05; those of today"),
    "not over": (without("sealed", "run_finished"), "is not over"),
    "an earlier version's": (without("sealed"), "finished by an earlier synthcity"),
    "no test prompts": (forged(gone("test_prompts.parquet")), "kept no test prompts"),
    "no bundle": (gone("winner"), "cannot be read"),
    "a baseline left out": (
        told_again(lambda table: table[table["forecaster"] != "fhs"]),
        "never compared with fhs",
    ),
    "prompts left out for one": (
        forged(scores(lambda table: table.drop(table[table["forecaster"] == "fhs"].index[0]))),
        "scored on the same test prompts",
    ),
    "goes on after its seal": (
        lambda folder: rewrite(folder, lambda told: [*told, {**told[0], "kind": "run_resumed"}]),
        "goes on after its seal",
    ),
    "sealed with what lies elsewhere": (seal_with({"../../etc/passwd": "0" * 64}), "which no run holds"),
    "a secret in the report": (forged(report(lambda data: data["versions"].update(key=CANARY))), "value of HF_TOKEN"),
}

# of each kind one, for the default suite
SOME = [
    "edited verdict",
    "forged scores",
    "swapped parameter",
    "NaN in the weights",
    "code",
    "a stray pickle",
    "a pickle named safetensors",
    "simulated by the manifest",
    "linked bundle",
    "outdated rules",
    "swapped parameter, forged",
]

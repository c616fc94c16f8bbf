"""Hundreds of publications to a Hub that fails, by publishers that are killed, and lies among them.

``python -m tests.publish.campaign --publications 300 --kills 60 --seed 1``

Every run is published until it says that it is, or is refused; some publishers are killed, most meet a fault.
Then the Hub is looked at: no run that lies, no half publication, none twice, and whatever a journal calls published is
there, byte for byte. The token must be in nothing that was written, sent or printed. One that is ended by SIGTERM looks
at what it has done until then.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_DISABLE_XET", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

from synthcity.errors import PublishError, RunError
from synthcity.lines import read_all
from synthcity.publish.publish import publish
from synthcity.settings import Settings
from tests.publish.hostile import HOSTILE, document, forge, samples
from tests.publish.proven import copy_run
from tests.publish.test_hub import FAULTS
from tests.standins.hub import TOKEN, RunningHub, running_hub

REPO = "me/models"
_MORE: list[dict[str, object]] = [
    {"on": "POST .*/commit/main", "what": "missing"},
    {"on": "POST .*/commit/main", "what": "swallowed"},
    {"on": "GET /api/models/me/models$", "what": "401"},
    {"on": "POST .*/preupload/main", "what": "500"},
    {"on": "GET .*/resolve/", "what": "other", "times": 2},
    {"on": "HEAD .*/resolve/", "what": "500"},
]
_ATTEMPTS = 8
_NEVER = threading.Event()


@dataclass
class Tally:
    """What happened, and what must not have."""

    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def expect(self, is_so: bool, what: str) -> None:
        if not is_so:
            self.wrong.append(what)


def campaign(
    *,
    publications: int,
    kills: int,
    hostile: list[str],
    seed: int,
    folder: Path,
    ends: threading.Event = _NEVER,
) -> Tally:
    """Run it in ``folder``, which is left as it is for whoever wants to look, until it is through or ``ends``."""
    rng, tally = random.Random(seed), Tally()
    killed = set(rng.sample(range(publications), kills))
    with running_hub() as hub:
        settings = Settings.load({"HF_TOKEN": TOKEN, "HF_REPO_ID": REPO, "HF_ENDPOINT": hub.url})
        runs = [_variant(folder / f"run{at}", at) for at in range(publications)]
        lies = [_lie(folder / f"lie{at}", name) for at, name in enumerate(hostile)]
        for name, lie in zip(hostile, lies, strict=True):
            hub.faults()
            try:
                publish(lie, settings=settings)
                tally.wrong.append(f"a run with {name!r} was published")
            except RunError:
                tally.counts["lies refused"] += 1
        took = 3.0
        for at, run in enumerate(runs):
            if ends.is_set():
                break
            tally.counts["runs"] += 1
            begin = time.monotonic()
            if at in killed:
                hub.faults(*rng.sample([*FAULTS, *_MORE], rng.randint(0, 1)))
                tally.counts[_killed(lambda run=run: publish(run, settings=settings), rng.uniform(0.05, took))] += 1
            hub.faults(*rng.sample([*FAULTS, *_MORE], rng.randint(0, 2)))
            _until_done(run, settings, hub, tally)
            if at not in killed:
                took = 0.8 * took + 0.2 * (time.monotonic() - begin)
            if (at + 1) % 20 == 0:
                print(f"{at + 1} of {publications}: {dict(tally.counts)}", file=sys.stderr, flush=True)
        _check(hub, runs, tally)
        tally.expect(not hub.has_seen(TOKEN), "the token was sent in something else than its header")
    for path in folder.rglob("*"):
        if path.is_file() and TOKEN.encode() in path.read_bytes() and not path.is_relative_to(folder / "lie-secret"):
            tally.expect("lie" in str(path), f"the token was written to {path}")
    return tally


def _variant(folder: Path, at: int) -> Path:
    """A proven run with a bundle of its own."""
    copy_run(folder)
    samples(lambda told: replace(told, prompts=told.prompts[:1]))(folder)  # each is scored again twice
    document("winner/manifest.json", lambda data: data.update(seed=at))(folder)
    forge(folder)
    return folder


def _lie(folder: Path, name: str) -> Path:
    HOSTILE[name][0](copy_run(folder / "run"))
    return folder / "run"


def _until_done(run: Path, settings: Settings, hub: RunningHub, tally: Tally) -> None:
    for attempt in range(_ATTEMPTS):
        try:
            done = publish(run, settings=settings)
        except PublishError as error:
            tally.expect(TOKEN not in str(error), "the token was printed")
            tally.counts["failed and told"] += 1
            if "does not count as published" in str(error):  # the repository holds a damaged commit of it
                tally.counts["damaged by the Hub, told"] += 1
                if attempt >= 1:
                    return
        else:
            assert done.hub is not None
            tally.counts["published" if done.hub.is_new else "found published"] += 1
            return
    tally.wrong.append(f"{run.name} was never published")


def _killed(work: Callable[[], object], after: float) -> str:
    """Do it in a process that is killed after so many seconds."""
    child = os.fork()
    if child == 0:
        os.setsid()
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, 1)
        os.dup2(devnull, 2)
        try:
            work()
        except PublishError:
            pass
        finally:
            os._exit(0)
    time.sleep(after)  # the moment is what is drawn
    try:
        os.kill(child, signal.SIGKILL)
    finally:
        _, status = os.waitpid(child, 0)
    return "killed" if os.WIFSIGNALED(status) else "done before it was killed"


def _check(hub: RunningHub, runs: list[Path], tally: Tally) -> None:
    commits = hub.commits(REPO)
    ours = [commit for commit in commits if "[synthcity:" in commit["title"]]
    titles = Counter(commit["title"] for commit in ours)
    tally.expect(max(titles.values(), default=0) <= 1, f"published twice: {titles.most_common(1)}")
    by_id = {commit["id"]: commit for commit in ours}
    vouched = set()
    for run in runs:
        told = [event for event in read_all(run / "journal.jsonl") if event["kind"] == "published"]
        tally.expect(len(told) <= 1, f"{run.name} says {len(told)} times that it is published")
        for event in told:
            commit = by_id.get(event["commit"])
            tally.expect(commit is not None, f"{run.name} is called published at a commit that is not there")
            vouched.add(event["commit"])
            if commit is not None:
                _whole(hub, run, commit, tally)
    tally.counts["commits"] = len(ours)
    tally.counts["verified"] = len(vouched)


def _whole(hub: RunningHub, run: Path, commit: dict[str, Any], tally: Tally) -> None:
    title = commit["title"].split()
    folder = f"{title[1]}/{title[2]}"
    names = {f"{folder}/bundle/{path.relative_to(run / 'winner')}" for path in (run / "winner").rglob("*.*")}
    names |= {f"{folder}/{name}" for name in ("report.json", "test_prompts.parquet", "publication.json")}
    names |= {"README.md", "latest.json"}
    missing = names - set(commit["files"])
    tally.expect(not missing, f"{run.name} is half published, without {sorted(missing)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--publications", type=int, default=300)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--lies", type=int, default=len(HOSTILE), help="how many of the hostile runs")
    chosen = parser.parse_args()
    begin, ends = time.monotonic(), threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ends.set())
    folder = Path(tempfile.mkdtemp(prefix="campaign-"))
    tally = campaign(
        publications=chosen.publications,
        kills=chosen.kills,
        hostile=list(HOSTILE)[: chosen.lies],
        seed=chosen.seed,
        folder=folder,
        ends=ends,
    )
    shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps({**tally.counts, "seconds": round(time.monotonic() - begin), "wrong": tally.wrong}, indent=1))
    sys.exit(bool(tally.wrong))


if __name__ == "__main__":
    main()

"""From a run folder to wherever it is published, once: gate, destinations, journal."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import synthcity
from synthcity.errors import ConfigError, RunError, unknown_name
from synthcity.publish.card import draw_plots, write_card
from synthcity.publish.forms import has_code
from synthcity.publish.gate import Examined, Proof, gate
from synthcity.publish.hub import Hub, Receipt, publish_to_hub
from synthcity.publish.publication import Publication, hash_file, leads_of, named_file
from synthcity.publish.remote import Remote
from synthcity.search.journal.check import check
from synthcity.search.journal.journal import JOURNAL, Journal
from synthcity.search.tracking.replay import Tracked, replay
from synthcity.search.tracking.trackers import TRACKERS, check_trackers
from synthcity.settings import Settings

DESTINATIONS = ("hub", "hippius", *TRACKERS)


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A proven run as it would be published: ``files`` by their path in ``publication``, and its ``card``."""

    publication: Publication
    files: dict[str, Path]
    card: str


@dataclass(frozen=True, kw_only=True)
class Published:
    """What became of a call: what the gate found, and where the run is now."""

    examined: Examined
    publication: Publication
    hub: Receipt | None = None
    vault: str = ""  # where it was stored
    tracked: tuple[Tracked, ...] = ()


def publish(
    run: Path,
    to: Collection[str] = ("hub",),
    *,
    settings: Settings | None = None,
    public: bool = False,
    with_code: bool = False,
    hub: Hub | None = None,
) -> Published:
    """Publish a proven run; where it is already, it is only looked at again.

    Args:
        run: its folder.
        to: some of ``DESTINATIONS``.
        settings: tokens and names; by default those of the environment.
        public: let a repository that everybody can read do.
        with_code: let components that a language model wrote leave too.
        hub: what ``"hub"`` is; by default the repository of the settings.

    Raises:
        ConfigError: a destination is unknown, or something is not set.
        RunError: the gate found a reason against, or the run is in use.
        PublishError, VaultError, TrackerError: the other side failed; publishing again goes on where this ended.
    """
    settings = Settings.load() if settings is None else settings
    if hub is None:
        check_destinations(to, settings)
    elif hub.is_standin and set(to) != {"hub"}:
        raise ConfigError(f"{hub.repo} is a stand-in: a rehearsal goes nowhere else, got {', '.join(to)}")
    is_rehearsal = hub is not None and hub.is_standin
    with gate(run, settings, with_code=with_code, is_rehearsal=is_rehearsal) as examined:
        if examined.proof is None:
            raise RunError(f"not published: {examined.reason}")
        receipt, vault = None, ""
        with _journal(run) as journal, prepared(examined.proof, settings) as ready:
            if "hub" in to:
                remote = Remote.of(settings) if hub is None else hub
                receipt = publish_to_hub(remote, ready.publication, ready.files, ready.card, public=public)
                _tell(journal, "hub", receipt.repo, receipt.commit, ready.publication, not receipt.private)
            if "hippius" in to:
                vault = _push(run, settings, journal, ready.publication)
            tracked = tuple(replay(run, [name for name in to if name in TRACKERS], settings))
        return Published(examined=examined, publication=ready.publication, hub=receipt, vault=vault, tracked=tracked)


def destinations(text: str) -> tuple[str, ...]:
    """Read a list of destinations with commas between.

    Raises:
        ConfigError: one is unknown, or there is none.
    """
    found = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not found:
        raise ConfigError(f"--to names where to publish: {', '.join(DESTINATIONS)}")
    for name in found:
        if name not in DESTINATIONS:
            raise ConfigError(unknown_name("destination", name, DESTINATIONS))
    return found


def check_destinations(found: Collection[str], settings: Settings) -> None:
    """Refuse destinations that need what is not set, before a run is examined.

    Raises:
        ConfigError: names the first thing that is missing.
    """
    if "hub" in found:
        Remote.of(settings).check()
    check_trackers([name for name in found if name in TRACKERS])
    if "hippius" in found:
        from synthcity.vault.opening import open_vault

        open_vault(settings=settings)


@contextmanager
def prepared(proof: Proof, settings: Settings) -> Iterator[Prepared]:
    """Put a publication together in the gate's own copy of the run."""
    found, report = proof.evidence, proof.evidence.report
    files = {published: found.folder / name for name in found.files if (published := named_file(name))}
    plots = []
    for name, (caption, content) in draw_plots(report).items():
        path = found.folder / "plots" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        files[f"plots/{name}"] = path
        plots.append((caption, f"plots/{name}"))
    publication = Publication(
        synthcity=synthcity.__version__,
        name=report["run"]["name"],
        competition=report["run"]["competition"],
        rules=report["run"]["rules"],
        assets=tuple(report["run"]["assets"]),
        venues=tuple(report["run"]["venues"]),
        periods={name: str(period) for name, period in found.facts[0].periods.items()},
        finished=report["run"]["finished"],
        bundle=found.bundle_hash,
        verdict=report["verdict"]["sentence"],
        leads=leads_of(report),
        num_prompts=report["run"]["num_prompts"],
        looks=report["run"]["looks"],
        trials=len(report["trials"]),
        usd=sum(arm["usd"] for arm in report["arms"]),
        has_code=has_code(found.bundle_files),
        files={name: hash_file(path) for name, path in sorted(files.items())},
    )
    located = [(caption, f"{publication.folder}/{path}") for caption, path in plots]
    repo = settings.hf_repo_id or "OWNER/NAME"
    yield Prepared(publication=publication, files=files, card=write_card(publication, report, repo, located))


@contextmanager
def _journal(run: Path) -> Iterator[Journal]:
    """Hold the journal, so that nobody publishes or resumes the run meanwhile."""
    if not (run / JOURNAL).is_file():
        raise RunError(f"there is no run in {str(run)!r}: it has no {JOURNAL}")
    with Journal(run) as journal:
        yield journal


def _tell(journal: Journal, to: str, where: str, commit: str, publication: Publication, public: bool) -> None:
    """Write down that it is there, once for each place."""
    told = {"kind": "published", "to": to, "where": where, "commit": commit, "public": public}
    told["bundle"] = publication.bundle
    if any(event["kind"] == "published" and {**event, **told} == event for event in journal.events):
        return
    # without a session: what a run took is not longer for it
    last = next((event for event in reversed(journal.events) if "session" in event), None)
    counted = {} if last is None else {name: last[name] for name in ("session", "clock") if name in last}
    event = check({**told, **counted, "time": round(time.time(), 3)})
    journal.append(event)
    journal.events.append(event)


def _push(run: Path, settings: Settings, journal: Journal, publication: Publication) -> str:
    from synthcity.vault.opening import open_vault
    from synthcity.vault.pushing import push_run

    vault = open_vault(settings=settings)
    entry, told = push_run(vault, run), ("hippius", settings.hippius_bucket, publication.bundle)
    # the journal that tells of it is another one, so the next push is too
    if not any(e["kind"] == "published" and (e["to"], e["where"], e["bundle"]) == told for e in journal.events):
        _tell(journal, "hippius", settings.hippius_bucket, entry.id, publication, public=False)
    return entry.id

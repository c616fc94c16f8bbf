"""What a publication is made of, and where each of its files lies.

::

    README.md                       the card of the newest publication
    latest.json                     the newest folder of each competition
    <competition>/<bundle 12>/      named after the sha256 of the bundle's manifest
        publication.json            facts of the run, and sha256 and size of every other file here
        report.json                 the sealed report
        test_prompts.parquet        prompts, prices and figures to score the bundle again
        bundle/...                  the winner
        plots/...                   of the card
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from synthcity import strict_json
from synthcity.errors import BundleError, ConfigError
from synthcity.forecast.evaluation.samples import SAMPLES
from synthcity.publish.forms import foreign_name
from synthcity.schema import build, key
from synthcity.search.finals.final import WINNER
from synthcity.search.report.model import Report
from synthcity.search.report.saving import REPORT_JSON

FORMAT = 1
PUBLICATION, LATEST, CARD = "publication.json", "latest.json", "README.md"
BUNDLE = "bundle/"
MAX_TEXT = 4 << 20  # bytes of a JSON file of this room
_FOLDER = re.compile(r"[a-z0-9][a-z0-9-]{0,40}/[0-9a-f]{12}")
_PLOT = re.compile(r"plots/[a-z0-9-]{1,40}\.png")
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class PublishedFile:
    """One file of a publication."""

    sha256: str
    size: int = key(low=0, high=4 << 30)


@dataclass(frozen=True, kw_only=True)
class LeadFacts:
    """The lead over one baseline in percent of its score, minus is better, with its 95 % interval."""

    baseline: str
    mean: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Publication:
    """The content of ``publication.json``; ``files`` are those beside it. Times are unix seconds, money is USD."""

    format: int = key(FORMAT, low=FORMAT, high=FORMAT)
    synthcity: str
    name: str
    competition: str
    rules: str
    assets: tuple[str, ...]
    venues: tuple[str, ...]
    periods: dict[str, str]
    finished: float
    bundle: str
    verdict: str
    leads: tuple[LeadFacts, ...]  # over the strongest baseline first
    num_prompts: int
    looks: int
    trials: int
    usd: float
    has_code: bool
    files: dict[str, PublishedFile]

    @property
    def folder(self) -> str:
        """Where it lies in a repository."""
        return f"{self.competition}/{self.bundle[:12]}"

    @property
    def id(self) -> str:
        """What tells its commit from every other: the same run has the same one, however often it is published."""
        told = [self.bundle, self.files[REPORT_JSON].sha256]
        return hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]

    @property
    def bundle_files(self) -> dict[str, PublishedFile]:
        """Those of the bundle, by their path in it."""
        return {name.removeprefix(BUNDLE): file for name, file in self.files.items() if name.startswith(BUNDLE)}

    def to_json(self) -> bytes:
        """Return the content of ``publication.json``."""
        return _json(asdict(self))


@dataclass(frozen=True, kw_only=True)
class _Latest:
    format: int = key(FORMAT, low=FORMAT, high=FORMAT)
    competitions: dict[str, str]  # folder by competition


def named_file(name: str) -> str:
    """Return where a sealed file of a run lies in a publication; empty where it stays at home."""
    if name.startswith(f"{WINNER}/"):
        return BUNDLE + name.removeprefix(f"{WINNER}/")
    return name if name in (REPORT_JSON, SAMPLES) else ""


def leads_of(report: Report) -> tuple[LeadFacts, ...]:
    """Return the leads of a proven report, over the strongest baseline first."""
    return tuple(
        LeadFacts(baseline=name, mean=lead["mean"], low=lead["low"] or 0.0, high=lead["high"] or 0.0)
        for name, lead in report["leads"].items()
    )


def parse_publication(content: bytes, where: str) -> Publication:
    """Read a ``publication.json`` that anybody may have written.

    Raises:
        BundleError: it is none, or names a file that no publication has.
    """
    try:
        found = build(Publication, strict_json.loads(content))
    except (ValueError, ConfigError) as error:
        raise BundleError(f"{where} is none that synthcity wrote: {' '.join(str(error).split())[:300]}") from error
    shown = [found.synthcity, found.name, found.rules, found.verdict, *found.assets, *found.venues]
    shown += [*found.periods, *found.periods.values(), *(lead.baseline for lead in found.leads)]
    if odd := [text for text in shown if not text.isprintable()]:  # a terminal would take it for commands
        raise BundleError(f"{where} holds {odd[0][:80]!r}, which is no plain text")
    for name, file in found.files.items():
        plain = name in (REPORT_JSON, SAMPLES) or _PLOT.fullmatch(name)
        if not plain and (not name.startswith(BUNDLE) or foreign_name([name.removeprefix(BUNDLE)])):
            raise BundleError(f"{where} names the file {name[:100]!r}, which no publication has")
        if not _HASH.fullmatch(file.sha256):
            raise BundleError(f"{where} gives {name} the hash {file.sha256[:80]!r}, which is none")
    if not _FOLDER.fullmatch(found.folder) or not _HASH.fullmatch(found.bundle):
        raise BundleError(f"{where} makes no sense: its folder would be {found.folder[:80]!r}")
    if not {REPORT_JSON, SAMPLES} <= found.files.keys():
        raise BundleError(f"{where} lacks {REPORT_JSON} or {SAMPLES}, without which nothing can be checked")
    return found


def parse_latest(content: bytes, where: str) -> Mapping[str, str]:
    """Read a ``latest.json`` that anybody may have written: folder by competition.

    Raises:
        BundleError: it is none.
    """
    try:
        found = build(_Latest, strict_json.loads(content)).competitions
    except (ValueError, ConfigError) as error:
        raise BundleError(f"{where} is none that synthcity wrote: {' '.join(str(error).split())[:300]}") from error
    for competition, folder in found.items():
        if not _FOLDER.fullmatch(folder) or not folder.startswith(f"{competition}/"):
            raise BundleError(f"{where} names the folder {folder[:80]!r} for {competition[:40]!r}, which is none")
    return found


def write_latest(before: Mapping[str, str], publication: Publication) -> bytes:
    """Return the ``latest.json`` in which ``publication`` is the newest of its competition."""
    return _json({"format": FORMAT, "competitions": {**before, publication.competition: publication.folder}})


def hash_file(path: Path) -> PublishedFile:
    """Return what a publication tells of a file."""
    with path.open("rb") as file:
        return PublishedFile(sha256=hashlib.file_digest(file, "sha256").hexdigest(), size=path.stat().st_size)


def _json(data: object) -> bytes:
    return (json.dumps(data, indent=1, sort_keys=True, allow_nan=False) + "\n").encode()

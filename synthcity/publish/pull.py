"""A published bundle brought back, checked as if a stranger had written the repository.

Names and sizes are judged before anything is fetched, hashes, forms and figures before anything is handed out. What is
fetched are JSON, safetensors and one table of prices; nothing of it is run but the packaged forecasters, in a process
without secrets.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from synthcity.errors import BundleError, ConfigError, RunError, unknown_name
from synthcity.files import atomic_folder
from synthcity.forecast.bundles.provenance import read_facts
from synthcity.forecast.bundles.verified import MANIFEST, WEIGHTS, listed_files, sha256
from synthcity.forecast.evaluation.samples import MAX_BYTES, SAMPLES
from synthcity.private import private_folder
from synthcity.publish.forms import has_code, wrong_weights
from synthcity.publish.publication import (
    BUNDLE,
    LATEST,
    MAX_TEXT,
    PUBLICATION,
    Publication,
    hash_file,
    parse_latest,
    parse_publication,
)
from synthcity.publish.remote import Remote
from synthcity.publish.rescoring import rescore
from synthcity.settings import Settings

_REPO = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}")
_REVISION = re.compile(r"[\w.][\w./-]{0,199}")
_MAX_WEIGHTS = 2 << 30


@dataclass(frozen=True, kw_only=True)
class Pulled:
    """A bundle that was brought back: ``folder`` holds it, ``commit`` is where it was."""

    folder: Path
    repo: str
    commit: str
    publication: Publication


def pull(
    repo: str,
    *,
    revision: str | None = None,
    competition: str | None = None,
    to: Path | None = None,
    settings: Settings | None = None,
    trust_code: bool = False,
) -> Pulled:
    """Bring a published bundle to ``to``, where every command takes it that takes a bundle.

    Args:
        repo: ``owner/name``.
        revision: commit, branch or tag; the newest by default.
        competition: which one, where the repository holds several.
        to: a new folder; by default ``<competition>-<bundle>`` here.
        settings: whose token sees a private repository.
        trust_code: take, and run, what a language model wrote.

    Raises:
        ConfigError: a name is none, or ``to`` holds something else.
        BundleError: the repository holds no publication, or one that is not what it says.
        PublishError: the Hub failed or refused.
    """
    if not _REPO.fullmatch(repo):
        raise ConfigError(f"{repo[:100]!r} is no repository; write owner/name, such as somebody/synth-city")
    if revision is not None and (not _REVISION.fullmatch(revision) or ".." in revision):
        raise ConfigError(f"{revision[:100]!r} is no commit, branch or tag")
    remote = Remote.of(Settings.load() if settings is None else settings, repo)
    commit = remote.head(revision).commit
    if commit is None:
        raise BundleError(f"{repo} is empty: nothing was published there")
    sizes = remote.sizes(commit)
    with private_folder() as private:
        where = _folder(remote, commit, sizes, private, competition)
        publication = _publication(remote, commit, sizes, private, where)
        if has_code(publication.bundle_files) and not trust_code:
            raise BundleError(
                f"{repo} holds code that a language model wrote; read it there, and if you trust it add --trust-code"
            )
        wanted = [SAMPLES, *(name for name in publication.files if name.startswith(BUNDLE))]
        _check_sizes(repo, publication, sizes)
        remote.download([f"{where}/{name}" for name in wanted], commit, private)
        _check(private / where, publication, wanted, trust_code=trust_code)
        folder = Path(to) if to is not None else Path(where.replace("/", "-"))
        _place(private / where / BUNDLE, folder, publication)
    return Pulled(folder=folder, repo=repo, commit=commit, publication=publication)


def _folder(remote: Remote, commit: str, sizes: Mapping[str, int], private: Path, competition: str | None) -> str:
    """Return the folder of the newest publication of a competition."""
    content = _text(remote, commit, sizes, private, LATEST)
    found = parse_latest(content, f"{LATEST} of {remote.repo}")
    if competition is None and len(found) > 1:
        raise ConfigError(f"{remote.repo} holds several competitions; add --competition {'|'.join(sorted(found))}")
    if not found or (competition is not None and competition not in found):
        raise ConfigError(f"{unknown_name('competition', competition, found or ['none'])} (of {remote.repo})")
    return found[competition] if competition is not None else next(iter(found.values()))


def _publication(remote: Remote, commit: str, sizes: Mapping[str, int], private: Path, where: str) -> Publication:
    name = f"{where}/{PUBLICATION}"
    found = parse_publication(_text(remote, commit, sizes, private, name), f"{name} of {remote.repo}")
    if found.folder != where:
        raise BundleError(f"{name} of {remote.repo} is of {found.folder}; it was put elsewhere")
    return found


def _text(remote: Remote, commit: str, sizes: Mapping[str, int], private: Path, name: str) -> bytes:
    if name not in sizes:
        raise BundleError(f"{remote.repo} has no {name}, so synthcity published nothing there")
    if sizes[name] > MAX_TEXT:
        raise BundleError(f"{name} of {remote.repo} has {sizes[name]} bytes, more than the {MAX_TEXT} of such a file")
    remote.download([name], commit, private)
    return (private / name).read_bytes()


def _check_sizes(repo: str, publication: Publication, sizes: Mapping[str, int]) -> None:
    for name, file in publication.files.items():
        most = {SAMPLES: MAX_BYTES}.get(name, _MAX_WEIGHTS if name.endswith(WEIGHTS) else MAX_TEXT * 4)
        found = sizes.get(f"{publication.folder}/{name}")
        if found is None:
            raise BundleError(f"{repo} lacks {publication.folder}/{name}: it holds half a publication")
        if found != file.size or found > most:
            raise BundleError(
                f"{publication.folder}/{name} of {repo} has {found} bytes, not the {file.size} that were published, or "
                f"more than the {most} that it may have"
            )


def _check(folder: Path, publication: Publication, wanted: list[str], *, trust_code: bool) -> None:
    for name in wanted:
        path = folder / name
        if path.is_symlink() or not path.is_file() or hash_file(path) != publication.files[name]:
            raise BundleError(f"{name} is not what was published: its hash is another")
    bundle = folder / BUNDLE
    for name in publication.bundle_files:
        if name.endswith(WEIGHTS) and (wrong := wrong_weights(bundle / name)):
            raise BundleError(wrong)
    listed = set(listed_files(bundle))
    if strange := sorted(set(publication.bundle_files) - listed):
        raise BundleError(f"the bundle holds {strange[0]}, which its manifest does not list")
    if sha256((bundle / MANIFEST).read_bytes()) != publication.bundle:
        raise BundleError(f"the bundle is not that of hash {publication.bundle[:12]}, which the publication tells of")
    for facts in read_facts(bundle):
        told = (publication.competition, publication.rules, set(publication.venues), set(publication.assets))
        if (facts.competition, facts.rules, set(facts.venues), set(facts.assets)) != told:
            raise BundleError(f"the bundle tells of {facts}, and the publication of something else")
        if facts.is_simulated:
            raise BundleError("the bundle was trained on SIMULATED prices, which nobody publishes")
    again = rescore(bundle, folder / SAMPLES, trust_code=trust_code)
    if again.reason:
        raise BundleError(f"the bundle does not come to the figures it was published with: {again.reason}")
    if (again.competition, again.rules) != (publication.competition, publication.rules):
        raise BundleError("the test prompts are of another competition than the publication")


def _place(bundle: Path, folder: Path, publication: Publication) -> None:
    """Put the bundle in its place, where nothing stands but itself."""
    try:
        if folder.is_dir() and (folder / MANIFEST).is_file():
            if sha256((folder / MANIFEST).read_bytes()) == publication.bundle:
                return
        elif not folder.exists():
            with atomic_folder(folder) as draft:
                shutil.copytree(bundle, draft, dirs_exist_ok=True)
            return
    except OSError as error:
        raise RunError(f"cannot write {folder}: {error.strerror or error}; choose another --to") from error
    raise ConfigError(f"{folder} exists and holds something else; it is left alone, choose another --to")

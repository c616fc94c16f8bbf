"""A proven run on the Hub: one commit, then everything fetched back from that commit, compared and scored again.

The title of the commit bears a mark that only this run's publication has. Before anything is written it is looked for,
so whatever became of an earlier attempt, there is one commit of it at most.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from synthcity.errors import BundleError, ConfigError, PublishError
from synthcity.forecast.evaluation.samples import SAMPLES
from synthcity.private import private_folder
from synthcity.publish.publication import (
    BUNDLE,
    CARD,
    LATEST,
    MAX_TEXT,
    PUBLICATION,
    Publication,
    hash_file,
    parse_latest,
    write_latest,
)
from synthcity.publish.remote import Head, Missing, Moved, Unknown
from synthcity.publish.rescoring import rescore

_ATTEMPTS = 6


class Hub(Protocol):
    """A repository with commits: ``remote.Remote`` on the Hub, or ``standin.shelf.Shelf``, its stand-in in a folder.

    ``is_standin``: it is no place where anybody is told anything; only there what was found on simulated prices passes.
    """

    @property
    def repo(self) -> str:
        """Its name."""

    @property
    def endpoint(self) -> str:
        """Where it is."""

    @property
    def is_standin(self) -> bool:
        """See above."""

    def check(self) -> None:
        """Refuse to write without what that needs; raises ``ConfigError``."""

    def create(self, *, private: bool) -> None:
        """Make the repository unless it is there."""

    def head(self) -> Head:
        """Look at the repository."""

    def commit_of(self, mark: str) -> str | None:
        """Return the newest commit whose title has ``mark``, None where there is none."""

    def sizes(self, commit: str) -> dict[str, int]:
        """Return the size of every file at a commit."""

    def download(self, paths: Iterable[str], commit: str, to: Path) -> None:
        """Fetch files at a commit into a folder, under their own paths."""

    def commit(self, files: Mapping[str, Path | bytes], title: str, parent: str | None) -> str:
        """Make one commit on top of ``parent``; raises ``Moved`` where the branch is elsewhere, ``PublishError``."""

    def sleep(self, seconds: float, /) -> None:
        """Wait before the next attempt."""


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """Where a publication is, once it was found there whole; ``is_new``: this call wrote it."""

    repo: str
    commit: str
    folder: str
    private: bool
    url: str
    is_new: bool


def publish_to_hub(
    remote: Hub, publication: Publication, files: Mapping[str, Path], card: str, *, public: bool = False
) -> Receipt:
    """Write a publication unless it is there, and see that it is there whole.

    Args:
        remote: the repository; it is made where there is none.
        publication: what is told of the run.
        files: where each of ``publication.files`` lies.
        card: text of the card.
        public: whether a repository that everybody can read will do; a new one is made public then.

    Raises:
        ConfigError: there is no token, or the repository is public and ``public`` is not asked for.
        PublishError: the Hub failed or refused, or what it gives back is not what was written.
    """
    remote.check()
    remote.create(private=not public)
    head = remote.head()
    if not head.private and not public:
        raise ConfigError(f"{remote.repo} is public: everybody would see it; add --public, or name another HF_REPO_ID")
    mark = f"[synthcity:{publication.id}]"
    commit, is_new = _written(remote, publication, files, card, mark)
    _verify(remote, publication, commit)
    return Receipt(
        repo=remote.repo,
        commit=commit,
        folder=publication.folder,
        private=head.private,
        url=f"{remote.endpoint}/{remote.repo}/tree/{commit}/{publication.folder}",
        is_new=is_new,
    )


def _written(
    remote: Hub, publication: Publication, files: Mapping[str, Path], card: str, mark: str
) -> tuple[str, bool]:
    """Return the commit of the publication and whether this call made it."""
    trouble: PublishError | None = None
    is_new = False
    for attempt in range(_ATTEMPTS):
        if trouble is not None:
            remote.sleep(min(2.0 ** (attempt - 1), 8.0))
        if (found := remote.commit_of(mark)) is not None:
            return found, is_new
        parent = remote.head().commit
        try:
            content = _content(remote, publication, files, card, parent)
            is_new = True  # from here on a commit with the mark may be of this call
            title = f"Publish {publication.competition} {publication.bundle[:12]} {mark}"
            return remote.commit(content, title, parent), True
        except (Moved, Unknown) as error:
            trouble = error
    if (found := remote.commit_of(mark)) is not None:
        return found, is_new
    raise trouble or PublishError(f"cannot write to {remote.repo}; try again later")


def _content(
    remote: Hub, publication: Publication, files: Mapping[str, Path], card: str, parent: str | None
) -> dict[str, Path | bytes]:
    content: dict[str, Path | bytes] = {f"{publication.folder}/{name}": path for name, path in files.items()}
    content[f"{publication.folder}/{PUBLICATION}"] = publication.to_json()
    content[LATEST] = write_latest(_latest(remote, parent), publication)
    content[CARD] = card.encode()
    return content


def _latest(remote: Hub, commit: str | None) -> Mapping[str, str]:
    """Return what is the newest of each competition now; what is no such file is written anew."""
    size = remote.sizes(commit).get(LATEST) if commit is not None else None
    if commit is None or size is None or size > MAX_TEXT:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        remote.download([LATEST], commit, Path(folder))
        with suppress(BundleError):
            return parse_latest((Path(folder) / LATEST).read_bytes(), LATEST)
    return {}


def _verify(remote: Hub, publication: Publication, commit: str) -> None:
    """Fetch the publication at its commit and hold it against what was to be written.

    Raises:
        PublishError: something is missing or differs, or the bundle that came back does not come to its figures.
    """
    wrong = ""
    for _ in range(2):  # a cut or damaged transfer is no damaged repository
        with private_folder() as private:
            wanted = {f"{publication.folder}/{name}": file for name, file in publication.files.items()}
            try:
                remote.download([*wanted, f"{publication.folder}/{PUBLICATION}"], commit, private)
            except Missing as error:
                wrong = str(error)
                continue
            bad = [name for name, file in wanted.items() if hash_file(private / name) != file]
            if (private / publication.folder / PUBLICATION).read_bytes() != publication.to_json():
                bad.append(f"{publication.folder}/{PUBLICATION}")
            wrong = f"{bad[0]} came back other than it was sent" if bad else ""
            if not wrong:
                at = private / publication.folder
                wrong = rescore(at / BUNDLE, at / SAMPLES, trust_code=publication.has_code).reason
                if not wrong:
                    return
    raise PublishError(
        f"{remote.repo} at commit {commit}: {wrong}; it does not count as published: look at it there, "
        "or name another HF_REPO_ID"
    )

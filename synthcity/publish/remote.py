"""The Hugging Face Hub by its own client: bounded in time, repeated where that is safe, and told in one sentence.

The token is passed with every call: nothing logs in, and nothing of it is written to the disk.
"""

from __future__ import annotations

import functools
import logging
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from synthcity.errors import BundleError, ConfigError, PublishError
from synthcity.settings import Settings

if TYPE_CHECKING:
    import httpx2
    from huggingface_hub import HfApi

T = TypeVar("T")
MAX_FILES = 5_000  # of a repository that are looked at
_ATTEMPTS = 4
_LONGEST_WAIT = 60.0  # seconds that a server may ask for and gets
_CONNECT, _ANSWER = 10.0, 60.0  # seconds


@dataclass(frozen=True, kw_only=True)
class Head:
    """What a repository is now: ``commit`` of its branch, None while it has none."""

    commit: str | None
    private: bool


@dataclass(frozen=True, kw_only=True)
class Remote:
    """One repository.

    Attributes:
        repo: ``owner/name``.
        token: empty for what is public.
        endpoint: of the Hub.
        sleep: waits for so many seconds.
    """

    repo: str
    token: str = field(repr=False)
    endpoint: str
    sleep: Callable[[float], None] = time.sleep

    @classmethod
    def of(cls, settings: Settings, repo: str = "") -> Remote:
        """Return the repository of the settings, or ``repo``.

        Raises:
            ConfigError: no repository is named, or what speaks to the Hub is not installed.
        """
        if not (repo or settings.hf_repo_id):
            raise ConfigError("no repository is named; set HF_REPO_ID to owner/name")
        try:
            import huggingface_hub  # noqa: F401
        except ImportError as error:
            raise ConfigError("the Hub needs huggingface_hub; pip install 'synth-city[publish]'") from error
        return cls(repo=repo or settings.hf_repo_id, token=settings.hf_token.reveal(), endpoint=settings.hf_endpoint)

    @property
    def is_standin(self) -> bool:
        """What is written there is read by others, whatever its address."""
        return False

    def check(self) -> None:
        """Refuse to write without a token; raises ``ConfigError``."""
        if not self.token:
            raise ConfigError("HF_TOKEN is not set; put a token that may write into the environment or .env")

    def create(self, *, private: bool) -> None:
        """Make the repository unless it is there."""
        self.ask(lambda api: api.create_repo(self.repo, private=private, exist_ok=True), f"make {self.repo}")

    def head(self, revision: str | None = None) -> Head:
        """Look at the repository, or at a branch, tag or commit of it."""
        found = self.ask(lambda api: api.model_info(self.repo, revision=revision), f"look at {self.repo}")
        return Head(commit=found.sha, private=bool(found.private))

    def commit_of(self, mark: str) -> str | None:
        """Return the newest commit whose title has ``mark``, None where there is none."""
        commits = self.ask(lambda api: api.list_repo_commits(self.repo), f"list the commits of {self.repo}")
        return next((one.commit_id for one in commits if mark in one.title), None)

    def sizes(self, commit: str) -> dict[str, int]:
        """Return the size of every file at a commit.

        Raises:
            BundleError: there are more than any publication makes.
        """

        def listed(api: HfApi) -> list[tuple[str, int]]:
            entries = islice(api.list_repo_tree(self.repo, recursive=True, revision=commit), MAX_FILES + 1)
            return [(entry.path, getattr(entry, "size", 0)) for entry in entries if hasattr(entry, "blob_id")]

        found = self.ask(listed, f"list the files of {self.repo}")
        if len(found) > MAX_FILES:
            raise BundleError(f"{self.repo} holds more than {MAX_FILES} files, which no publication does")
        return dict(found)

    def download(self, paths: Iterable[str], commit: str, to: Path) -> None:
        """Fetch files at a commit into an empty folder, under their own paths.

        Raises:
            Missing: the commit has no such file.
        """
        from huggingface_hub import hf_hub_download

        for path in paths:
            name = path  # for the closure
            self.ask(
                lambda _, name=name: hf_hub_download(  # type: ignore[misc]
                    self.repo, name, revision=commit, local_dir=to, token=self.token or False, endpoint=self.endpoint
                ),
                f"download {name} of {self.repo}",
            )

    def commit(self, files: Mapping[str, Path | bytes], title: str, parent: str | None) -> str:
        """Make one commit on top of ``parent``, without a second attempt: whoever asks has to look what became of it.

        Raises:
            Moved: the branch is not at ``parent`` any more; nothing was written.
            PublishError: it failed, or its outcome is not known.
        """
        from huggingface_hub import CommitOperationAdd

        operations = [CommitOperationAdd(path_in_repo=name, path_or_fileobj=value) for name, value in files.items()]
        return self.ask(
            lambda api: api.create_commit(self.repo, operations, commit_message=title, parent_commit=parent).oid,
            f"write to {self.repo}",
            attempts=1,
        )

    def ask(self, question: Callable[[HfApi], T], what: str, *, attempts: int | None = None) -> T:
        """Ask, again where the Hub is busy, away or broken.

        Raises:
            Moved: the answer is that somebody else has written.
            PublishError: it did not work out.
        """
        import httpx2
        from huggingface_hub import HfApi
        from huggingface_hub.utils.tqdm import disable_progress_bars

        attempts = attempts or _ATTEMPTS
        disable_progress_bars()
        logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
        _bound_sessions()
        for attempt in range(1, attempts + 1):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # that a model has a data file, that a card has no licence
                    return question(HfApi(endpoint=self.endpoint, token=self.token or False))
            except (OSError, ValueError, httpx2.HTTPError) as error:  # ValueError: what it read is no JSON
                failure, wait = _read(error)
                if failure is not None:
                    raise failure(self._sentence(error, what)) from None
                if attempt == attempts:
                    raise Unknown(self._sentence(error, what)) from None
                self.sleep(min(wait or 2.0 ** (attempt - 1), _LONGEST_WAIT))
        raise AssertionError("an attempt returns or raises")

    def _sentence(self, error: Exception, what: str) -> str:
        if _lacks(error):
            return f"cannot {what} at {self.endpoint}: there is no such file at that commit"
        status = _status(error)
        remedy = _REMEDIES.get(status or 500, "see what it said" if status else "try again later")
        said = " ".join(str(error).split())
        said = said.replace(self.token, "***") if self.token else said
        told = f"it answered {status}" if status is not None else type(error).__name__
        return f"cannot {what} at {self.endpoint} ({told}: {said[:200]}); {remedy}"


class Moved(PublishError):
    """Somebody else has written meanwhile; nothing of ours was."""


class Missing(PublishError):
    """There is a repository, and no such file in it."""


class Unknown(PublishError):
    """Nobody knows whether it was done."""


@functools.cache
def _bound_sessions() -> None:
    """Let no request of huggingface_hub wait for ever: most of them ask to, whatever their session says."""
    from huggingface_hub import set_client_factory
    from huggingface_hub.utils._http import default_client_factory

    def bound(request: httpx2.Request) -> None:
        told = request.extensions.get("timeout", {})
        most = {"connect": _CONNECT, "read": _ANSWER, "write": _ANSWER, "pool": _CONNECT}
        request.extensions["timeout"] = {name: told.get(name) or seconds for name, seconds in most.items()}

    def session() -> httpx2.Client:
        client = default_client_factory()
        client.event_hooks = {**client.event_hooks, "request": [*client.event_hooks["request"], bound]}
        return client

    set_client_factory(session)


_REMEDIES = {
    500: "try again later",
    401: "set HF_TOKEN to a token that may write there (https://huggingface.co/settings/tokens)",
    403: "set HF_TOKEN to a token that may write there (https://huggingface.co/settings/tokens)",
    404: "HF_REPO_ID names no repository that this token sees; mend one of them",
    429: "the Hub limits how often it is asked; try again in some minutes",
}


def _status(error: Exception) -> int | None:
    status = getattr(getattr(error, "response", None), "status_code", None)
    return status if isinstance(status, int) else None


def _lacks(error: Exception) -> bool:
    """Whether the Hub said that there is no such file; without an answer its client says so, too, of its own cache."""
    from huggingface_hub.errors import EntryNotFoundError

    return isinstance(error, EntryNotFoundError) and _status(error) == 404


def _read(error: Exception) -> tuple[type[PublishError] | None, float]:
    """Return what an error certainly means, or None and how many seconds to wait before the next attempt."""
    status = _status(error)
    if status in (409, 412):
        return Moved, 0.0
    if _lacks(error):
        return Missing, 0.0
    if status is not None and 400 <= status < 500 and status not in (408, 429):
        return PublishError, 0.0
    if isinstance(error, ValueError) and status is None and "metadata in README" in str(error):
        return PublishError, 0.0
    wait = getattr(getattr(error, "response", None), "headers", {}).get("Retry-After", "")
    return None, float(wait) if wait.isdecimal() else 0.0

"""A search and its vault: every run is pushed there while it goes on, and one that only the vault has is resumed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from synthcity.cluster.job import is_job
from synthcity.errors import RunError
from synthcity.search.config import SearchConfig
from synthcity.search.journal.journal import JOURNAL
from synthcity.search.journal.recorder import Recorder
from synthcity.vault import find, list_runs, open_vault, pull
from synthcity.vault.folder import FolderVault
from synthcity.vault.layout import identity_of
from synthcity.vault.mirror import PATIENCE_SECONDS, Mirror, Mirrored
from synthcity.vault.outbox import OUTBOX

_PRICES = ".prices"  # no run
_INTERRUPTED_SECONDS = 10.0  # somebody waits for the prompt


def check_vault(config: SearchConfig) -> None:
    """Find out what can be known of the vault without asking it: its address, its keys, and what it needs.

    Raises:
        ConfigError: one of them is missing or wrong.
        VaultError: it is a folder that cannot be written to.
    """
    if config.vault is not None:
        vault = open_vault(config.vault)
        if isinstance(vault, FolderVault):
            vault.check()


@contextmanager
def mirrored(config: SearchConfig, folder: Path, recorder: Recorder) -> Iterator[list[Mirrored]]:
    """Push the run while the block goes on, where there is a vault; what came of it is in the list that is yielded.

    Raises:
        ConfigError: the vault cannot be opened; nothing was started.
    """
    told: list[Mirrored] = []
    if config.vault is None:
        yield told
        return

    def note(sentence: str) -> None:
        recorder.emit("degraded", note=sentence)

    mirror = Mirror(folder, config.vault, Path(config.output).absolute() / OUTBOX, note)
    if config.search.storage:
        where = config.search.storage
        note(f"checkpoints lie in {where} and not in the vault; without them a resumed run trains its open trials anew")
    try:
        yield told
    except BaseException:
        mirror.close(PATIENCE_SECONDS if is_job() else _INTERRUPTED_SECONDS)
        raise
    told.append(mirror.close())


def fetch_run(config: SearchConfig, stem: str) -> None:
    """Restore the run that is to be resumed, where only the vault has it.

    Without a name in ``config`` it is the one of ``stem``, ``stem-2`` and so on that was pushed last.

    Raises:
        RunError: neither this machine nor the vault has it.
        VaultError: the vault does not answer, or holds a file that differs from its hash.
    """
    output = Path(config.output).absolute()
    wanted = re.compile(re.escape(config.name) if config.name else re.escape(stem) + r"(?:-\d+)?")
    if config.vault is None or any(_is_run(folder, wanted) for folder in _folders(output)):
        return
    vault = open_vault(config.vault)
    entry = next((entry for entry in list_runs(vault) if wanted.fullmatch(entry.name)), None)
    if entry is None:
        raise RunError(
            f"there is no run {config.name or stem!r} to resume in {output} or in the vault {vault.name}; "
            "leave out --resume to start one"
        )
    pull(vault, entry, output / entry.name)


def fetch_prices(config: SearchConfig) -> SearchConfig:
    """Return ``config`` with its prices on this machine: a store that the vault has is kept below ``output``.

    Every day is held against its hash; of a store that was fetched before only the days that are new or have grown are.

    Raises:
        ConfigError: the vault has no such store; the text gives the nearest name.
        VaultError: the vault does not answer, or holds a file that differs from its hash.
        RunError: the disk refuses.
    """
    wanted = config.data.in_vault
    if wanted is None or config.vault is None:
        return config
    vault = open_vault(config.vault)
    entry = find(vault, wanted, kinds=("prices",))
    folder = Path(config.output).absolute() / _PRICES / identity_of(entry.id)
    for file in entry.files:  # a day that was not over when it was fetched has grown since
        day = folder / file.path
        if day.exists() and hashlib.sha256(day.read_bytes()).hexdigest() != file.sha256:
            day.unlink()
    pull(vault, entry, folder)
    return replace(config, data=replace(config.data, path=str(folder)))


def _folders(output: Path) -> list[Path]:
    return list(output.iterdir()) if output.is_dir() else []


def _is_run(folder: Path, wanted: re.Pattern[str]) -> bool:
    journal = folder / JOURNAL
    return wanted.fullmatch(folder.name) is not None and journal.exists() and journal.stat().st_size > 0

"""Where a bridge works: its own folder, and those of the operator that it may look into."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from synthcity.errors import ConfigError

DEFAULT_BOT = "default"
_BOT = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, kw_only=True)
class Place:
    """Folders of a bridge.

    Attributes:
        state: its own: key, jobs, runs of bots.
        runs: the operator's runs, which are those of the bot ``default``.
        configs: where the sweep files lie that may be run by name.
        pipelines: the operator's pipelines, which are the bot ``default``'s beside those that it started here; None
            without any.
        data: the price store, None without one.
        miner: the state of a miner, None without one.
        vault: address of the vault, "" for that of the environment.
    """

    state: Path
    runs: Path
    configs: Path
    pipelines: Path | None = None
    data: Path | None = None
    miner: Path | None = None
    vault: str = ""

    @property
    def jobs(self) -> Path:
        """Where the records of jobs lie."""
        return self.state / "jobs"

    def pipelines_of(self, bot: str) -> Path:
        """Where the pipelines lie that a bot starts here."""
        return self.state / "bots" / bot / "pipelines"

    def runs_of(self, bot: str) -> Path:
        """Where the runs of one bot lie."""
        return self.runs if bot == DEFAULT_BOT else self.state / "bots" / bot / "runs"


def checked_bot(name: str) -> str:
    """Return the name of a bot.

    Raises:
        ConfigError: it is none.
    """
    if not _BOT.fullmatch(name) or name in (".", ".."):
        raise ConfigError(f"a bot's name has 1 to 64 letters, digits, dots, hyphens and underscores, got {name[:80]!r}")
    return name

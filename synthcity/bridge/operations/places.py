"""Other places: the vault, the Hub, and the miner."""

from __future__ import annotations

import json
from typing import Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from synthcity.bridge.operation import Answer, Asked, Input, Nothing, Operation, Refused


class EntryTold(TypedDict):
    """One thing in the vault."""

    id: str
    kind: str
    name: str
    pushed_at: str
    competition: str
    files: int
    bytes: int


class VaultTold(TypedDict):
    """What the vault holds, the last pushed first."""

    vault: str
    entries: list[EntryTold]
    left_out: list[str]


class CardTold(TypedDict):
    """The model card of the repository on the Hub as it is now, Markdown with its front matter."""

    repo: str
    commit: str
    card: str


class AlarmTold(TypedDict):
    """What is wrong with a miner."""

    name: str
    severity: str
    text: str


class MinerTold(TypedDict):
    """How a miner stands; ``averages`` are rolling scores by competition, lower is better."""

    verdict: str
    title: str
    written_at: float
    started_at: float
    last_answered_at: float | None
    answered: dict[str, int]
    refused: dict[str, int]
    price_ages: dict[str, float | None]
    averages: dict[str, float]
    num_settled: int
    num_pending: int
    alarms: list[AlarmTold]
    notes: list[str]


class Kind(Input):
    """Of which kind."""

    kind: Literal["run", "bundle", "prices"] = Field("run", description="Runs, bundles or price stores.")


def _vault(asked: Asked[Kind]) -> Answer:
    from synthcity.history.telling import moment
    from synthcity.vault import list_bundles, list_runs, list_stores, open_vault

    vault, left_out = open_vault(asked.place.vault), list[str]()
    listed = {"run": list_runs, "bundle": list_bundles, "prices": list_stores}[asked.given.kind]
    entries = [
        {
            "id": entry.id,
            "kind": entry.kind,
            "name": entry.name,
            "pushed_at": moment(entry.time),
            "competition": entry.competition,
            "files": len(entry.files),
            "bytes": entry.size,
        }
        for entry in listed(vault, left_out.append)
    ]
    return {"vault": vault.name, "entries": entries, "left_out": left_out}


def _card(asked: Asked[Nothing]) -> Answer:
    from synthcity.private import private_folder
    from synthcity.publish.publication import CARD, MAX_TEXT
    from synthcity.publish.remote import Remote
    from synthcity.settings import Settings

    remote = Remote.of(Settings.load())
    commit = remote.head().commit
    size = None if commit is None else remote.sizes(commit).get(CARD)
    if commit is None or size is None:
        raise Refused(f"{remote.repo} has no model card yet; `synthcity publish` writes one", 404)
    if size > MAX_TEXT:
        raise Refused(f"the model card of {remote.repo} has {size} bytes, more than any that is written here", 404)
    with private_folder() as folder:
        remote.download([CARD], commit, folder)
        card = (folder / CARD).read_text(encoding="utf-8", errors="replace")
    return {"repo": remote.repo, "commit": commit, "card": card}


def _miner(asked: Asked[Nothing]) -> Answer:
    if asked.place.miner is None:
        raise Refused("this bridge knows no miner; start it with --miner STATE, as `synthcity mine run` has it", 404)
    from synthcity.serve.operations.report import read_report

    told = json.loads(read_report(asked.place.miner).to_json())
    return {name: told[name] for name in MinerTold.__annotations__}


OPERATIONS: tuple[Operation[Any], ...] = (
    Operation(
        name="vault",
        about="List the runs, bundles or price stores that the vault holds.",
        route="/vault/entries",
        takes=Kind,
        gives=VaultTold,
        act=_vault,
    ),
    Operation(
        name="model_card",
        about="Show the model card of the repository on the Hub: what was proven, and by how much.",
        route="/hf/model-card",
        takes=Nothing,
        gives=CardTold,
        act=_card,
    ),
    Operation(
        name="miner",
        about="Tell how the miner stands: what it answered, its scores, and what is wrong.",
        route="/miner/status",
        takes=Nothing,
        gives=MinerTold,
        act=_miner,
    ),
)

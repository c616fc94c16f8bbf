"""A challenger that a miner is offered while it runs: a file beside that of who is champion, written by somebody else.

The miner takes it into the shadow once no other challenger is being judged there. Who answers validators is not for an
offer to say: that takes a settled verdict or a hand (``succession``).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from synthcity.errors import BundleError, ConfigError, RunError
from synthcity.files import PRIVATE, atomic_write
from synthcity.forecast.bundles.choose import identify
from synthcity.lines import Event, append_line, read_lines
from synthcity.schema import build
from synthcity.serve.settlement.challenge import CHALLENGES, ChallengeVerdict, Decision
from synthcity.serve.settlement.succession import Succession, is_won
from synthcity.strict_json import loads

OFFER, DECLINED = "challenger.json", "declined.jsonl"


@dataclass(frozen=True, kw_only=True)
class Offer:
    """Attributes:
    folder: of the bundle.
    bundle: its hash, so that what is taken is what was offered.
    reason: why it is offered, in one sentence.
    from_place: whether it turned up in a watched place, where others may write; it races as a stranger then.
    on_trial: whether nothing is claimed of it, so that its race is held to the stricter rule.
    """

    folder: str
    bundle: str
    reason: str
    from_place: bool = False
    on_trial: bool = False

    @classmethod
    def of(cls, folder: Path, reason: str, *, from_place: bool = False, on_trial: bool = False) -> Offer:
        """Return the offer of the bundle in ``folder``. Raises ``BundleError`` where it is gone."""
        bundle = identify(str(folder))
        return cls(folder=str(folder), bundle=bundle, reason=reason, from_place=from_place, on_trial=on_trial)

    @classmethod
    def read(cls, state: Path) -> Offer | None:
        """Read the offer in a miner's folder; None where there is none.

        Raises:
            RunError: it is damaged.
        """
        path = state / OFFER
        try:
            return build(cls, loads(path.read_bytes()))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, ConfigError) as error:
            raise RunError(f"{path} offers no challenger ({error}); remove it") from error

    def write(self, state: Path) -> Offer:
        """Replace the offer in one step.

        Raises:
            RunError: the disk refuses.
        """
        try:
            atomic_write(state / OFFER, json.dumps(asdict(self)) + "\n", mode=PRIVATE)
        except OSError as error:
            raise RunError(f"cannot write {state / OFFER} ({error.strerror}); nothing is offered") from error
        return self

    def check(self) -> None:
        """Refuse a bundle that is not what was offered.

        Raises:
            BundleError: it is another one, or gone.
        """
        if identify(self.folder) != self.bundle:
            raise BundleError(f"{self.folder} is not the bundle that was offered; offer it again")

    def taken(self, succession: Succession) -> Succession:
        """Whoever answers now goes on, and what is offered shadows it, on its terms."""
        return succession.challenged(self.folder, self.reason, from_place=self.from_place, on_trial=self.on_trial)

    def decline(self, state: Path, reason: str) -> None:
        """Write down that the miner does not take it, for whoever offered it.

        Raises:
            RunError: the disk refuses.
        """
        append_line(state / DECLINED, {"bundle": self.bundle, "folder": self.folder, "reason": reason})


def waits(state: Path, folder: str) -> bool:
    """Whether the challenger in ``folder`` is offered still, and the miner did not decline it.

    Raises:
        RunError: a file cannot be read.
    """
    offer = Offer.read(state)
    if offer is None or offer.folder != folder:
        return False
    return all(one.get("bundle") != offer.bundle for one in read_lines(state / DECLINED).events)


def is_new(offer: Offer, succession: Succession) -> bool:
    """Whether an offer names another bundle than those that answer or shadow."""
    return offer.folder not in (succession.named, succession.challenger, succession.champion)


def is_over(verdicts: Sequence[ChallengeVerdict]) -> bool:
    """Whether a race is lost or proved nothing; one that is won waits for its promotion."""
    return bool(verdicts) and not is_won(verdicts) and all(v.decision is not Decision.TOO_EARLY for v in verdicts)


def lost(ledger: Path, bundle: str, competition: str, *, is_refit: bool = False) -> str | None:
    """Return why the challenger of this hash did not win there, by the verdicts in a ledger; None while it may yet.

    What it shares with the champion elsewhere may be judged long before. A refit loses wherever it is not let through.

    Raises:
        RunError: the ledger cannot be read.
    """
    found = [one for one in _verdicts(ledger, bundle) if is_refit or one.get("competition") == competition]
    if is_refit:
        found = [one for one in found if one.get("decision") != Decision.PROMOTE]
    if not found or any(one.get("decision") == Decision.PROMOTE for one in found):
        return None
    return "; ".join(f"{one.get('competition')}: {one.get('reason')}" for one in found)


def had_its_race(ledger: Path, bundle: str) -> bool:
    """Whether any verdict in a ledger is about this challenger: it has no second chance by itself.

    Raises:
        RunError: the ledger cannot be read.
    """
    return bool(_verdicts(ledger, bundle))


def _verdicts(ledger: Path, bundle: str) -> list[Event]:
    return [one for one in read_lines(ledger / CHALLENGES).events if one.get("challenger") == bundle]

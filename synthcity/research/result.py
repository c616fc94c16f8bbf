"""What came of a research, arm by arm, and how people read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from synthcity.research.labbook import Claimed, Decided, LabBook, Look, Tried
from synthcity.wording import bounds, percent


@dataclass(frozen=True, kw_only=True)
class ArmResult:
    """One arm.

    Attributes:
        arm: its name.
        rounds: it began.
        looks: it took, tests not counted.
        tests: inputs and forecasters it tested, those that broke the contract included.
        refused: of these.
        promising: of these, on the folds for finding.
        claims: asked of the confirming fold.
        kept: of these.
        gain: of all inputs that are kept, together, on the confirming fold, in percent; minus is better; None for none.
        recovered: that gain as a share of what the oracle of a world gains; None where there is nothing to find.
        usd: what its language model cost.
        ended: why it ended before its rounds were over; empty where they were.
    """

    arm: str
    rounds: int
    looks: int
    tests: int
    refused: int
    promising: int
    claims: tuple[Claimed, ...]
    gain: float | None = None
    recovered: float | None = None
    usd: float = 0.0
    ended: str = ""

    @property
    def kept(self) -> tuple[Claimed, ...]:
        return tuple(claim for claim in self.claims if claim.kept)

    @property
    def replicated(self) -> float | None:
        """The share of claims that held on the confirming fold; None where nothing was claimed."""
        return len(self.kept) / len(self.claims) if self.claims else None


@dataclass(frozen=True, kw_only=True)
class Result:
    """A whole research.

    Attributes:
        arms: by order.
        notes: sentences on what was left out or could not be.
        world: kind and parameters of what was planted; None for real prices.
        oracle: what the oracle gains on the confirming fold, (mean, low, high) in percent; None likewise.
        known_months: months of the folds that the language model may have known.
        seconds: it took.
    """

    arms: tuple[ArmResult, ...]
    notes: tuple[str, ...] = ()
    world: Mapping[str, Any] | None = None
    oracle: tuple[float, float | None, float | None] | None = None
    known_months: tuple[str, ...] = field(default=())
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain JSON data."""
        data = asdict(self)
        for arm, plain in zip(self.arms, data["arms"], strict=True):
            plain["replicated"] = arm.replicated
        return data


def arm_result(book: LabBook, arm: str, **rest: Any) -> ArmResult:
    """Count what a lab book says of an arm."""
    tried = book.of(Tried, arm)
    rounds = {entry.round for entry in tried} | {entry.round for entry in book.of(Decided, arm)}
    rounds |= {entry.round for entry in book.of(Look, arm)}
    return ArmResult(
        arm=arm,
        rounds=len(rounds),
        looks=len(book.of(Look, arm)),
        tests=len(tried),
        refused=sum(bool(entry.refused) for entry in tried),
        promising=sum(entry.promising for entry in tried),
        claims=tuple(book.of(Claimed, arm)),
        **rest,
    )


def sentence(result: Result) -> str:
    """Return what came of it in one sentence without its stop."""
    return "; ".join(_of_arm(arm, is_alone=len(result.arms) == 1) for arm in result.arms)


def _of_arm(arm: ArmResult, *, is_alone: bool) -> str:
    told = f"{arm.tests} tested, {arm.promising} promising, {len(arm.kept)} of {len(arm.claims)} claims kept"
    gain = "" if arm.gain is None else f", which gain {percent(arm.gain)}"
    ended = f" (it ended early: {arm.ended})" if arm.ended else ""
    return f"{told}{gain}" if is_alone else f"by the {arm.arm}, {told}{gain}{ended}"


TABLE = ("arm", "rounds", "looks", "tests", "promising", "claimed", "kept", "replicated", "gain", "of oracle", "USD")


def table_rows(result: Result) -> list[list[str]]:
    """Return a line an arm under ``TABLE``."""
    return [
        [
            arm.arm,
            str(arm.rounds),
            str(arm.looks),
            str(arm.tests),
            str(arm.promising),
            str(len(arm.claims)),
            str(len(arm.kept)),
            "-" if arm.replicated is None else f"{arm.replicated:.0%}",
            percent(arm.gain, 3),
            "-" if arm.recovered is None else f"{arm.recovered:.0%}",
            f"{arm.usd:.2f}",
        ]
        for arm in result.arms
    ]


def claim_lines(result: Result) -> list[str]:
    """Return a sentence for each claim."""
    return [_claim_line(claim) for arm in result.arms for claim in arm.claims]


def _claim_line(claim: Claimed) -> str:
    said = f"{claim.arm} claims the {claim.what} {claim.name}: "
    if claim.refused:
        return f"{said}not confirmed, {claim.refused}"
    return (
        f"{said}{percent(claim.mean, 3)} ({bounds(claim.low, claim.high)}, {100 * claim.confidence:g} % interval, "
        f"{claim.prompts} prompts), {'kept' if claim.kept else 'not confirmed'}"
    )

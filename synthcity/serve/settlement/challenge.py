"""Champion and challenger: whether a bundle that answers in the shadow should take over, from settled scores alone.

Both are scored on the same prompts and compared by the paired interval of ``forecast.compare``. Whoever looks
every day stops at a lucky one: so the race is looked at after a few set numbers of days only, each time with the wider
interval that as many looks ask for, and a verdict stays what it was when it was reached.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from synthcity.durations import DAY
from synthcity.errors import DataError
from synthcity.forecast.evaluation.compare import Lead, lead
from synthcity.forecast.evaluation.interval import MIN_BLOCKS, block_days
from synthcity.lines import LineWriter, read_lines
from synthcity.serve.answering.answer_ledger import Fallback
from synthcity.serve.settlement.settle import PATIENCE_SECONDS, read_scores
from synthcity.sn50.competitions import Competition, Rules, get_rules
from synthcity.wording import bounds, percent

CHALLENGES = "challenges.jsonl"


class Decision(StrEnum):
    """What to do about a challenger."""

    PROMOTE = "promote"
    KEEP = "keep"
    TOO_EARLY = "too early"


@dataclass(frozen=True, kw_only=True)
class ChallengeConfig:
    """How long a race runs and what counts as proof.

    With these values at most 5 % of simulated races between equals end in a promotion, however tails, sizes and
    memory of the blocks are (``python -m benchmarks.coverage races``).

    Attributes:
        looks: numbers of blocks of days after which the race is looked at; the last one ends it.
        confidence: of the interval at each look.
        min_per_block: paired prompts, fewer in a block of days and it does not count.
        max_invalid: answers of the challenger, invalid ones or none at all, beyond which it is not promoted.
        margin: percent that the challenger may be worse by and is promoted still; 0: it has to be better.
    """

    looks: tuple[int, ...] = (8, 16, 32)
    confidence: float = 0.975
    min_per_block: int = 10
    max_invalid: int = 0
    margin: float = 0.0

    def __post_init__(self) -> None:
        if not self.looks or min(self.looks) < MIN_BLOCKS or sorted(set(self.looks)) != list(self.looks):
            raise ValueError(f"looks must rise from {MIN_BLOCKS} blocks on, got {list(self.looks)}")
        if not 0 < self.confidence < 1:
            raise ValueError(f"confidence must lie between 0 and 1, got {self.confidence}")
        if not 0 <= self.margin < 100:
            raise ValueError(f"margin must be a percent from 0 on, got {self.margin}")


REFIT = ChallengeConfig(margin=0.1)
"""For a champion's own networks, trained again: it is enough that they are no worse, since newer prices are no claim.

A tenth of a percent is a fifth of the smallest lead that a search has proved. In
``benchmarks.promotions refits`` at most 5 % of refits that are worse by as much come through."""

TRIAL = ChallengeConfig(confidence=0.998)
"""For what led on unseen prices and proved nothing there, so that its race has to be the surer.

At most 0.6 % of simulated races between equals end in a promotion, and one in twenty equals comes to race
(``benchmarks.promotions``)."""


class Pair(NamedTuple):
    """Hashes of the bundles that race, and whether the challenger is a refit of the champion, or is on trial."""

    champion: str
    challenger: str
    is_refit: bool = False
    on_trial: bool = False

    @property
    def config(self) -> ChallengeConfig:
        """The rule of their race."""
        if self.on_trial:
            return TRIAL
        return REFIT if self.is_refit else ChallengeConfig()


@dataclass(frozen=True, kw_only=True)
class ChallengeVerdict:
    """What the scores say so far.

    Attributes:
        decision: what to do.
        reason: why, in one sentence.
        num_blocks: blocks of days that are over, settled and count; ``num_prompts`` that both answered in them.
        lead: of the challenger at the look that decided, at the last one where none did; None before the first.
        margin: percent that the challenger may be worse by.
    """

    champion: str
    challenger: str
    competition: str
    decision: Decision
    reason: str
    num_blocks: int
    num_prompts: int
    lead: Lead | None
    margin: float = 0.0


def decide(
    scores: pd.DataFrame,
    champion: str,
    challenger: str,
    competition: Competition,
    now: float,
    *,
    config: ChallengeConfig | None = None,
    rules: Rules | None = None,
) -> ChallengeVerdict:
    """Replay the race up to ``now``: the first look that proves one of the two better decides.

    Args:
        scores: as from ``settle.read_scores``; answers of a fallback count for nobody, but for prompts
            that a bundle was not made for: there they are its answers.
        champion, challenger: hashes of their bundles.
        now: unix seconds; a block of days counts once its last prompt can be settled.
    """
    config = ChallengeConfig() if config is None else config
    rules = get_rules() if rules is None else rules
    own = scores[scores["competition"] == competition.name]
    days = block_days(competition.time_length)
    over = now - competition.time_length - PATIENCE_SECONDS
    own = own[(own["start_time"] // (days * DAY) + 1) * (days * DAY) <= over]
    in_vain = own["fallback"].notna() & (own["fallback"] != Fallback.FOREIGN)
    failed = (own["total"] < 0) | in_vain
    num_invalid = int(((own["bundle"] == challenger) & failed).sum())
    own = own[~in_vain]
    pairs = _paired(own[own["total"] >= 0], champion, challenger)
    block = pairs["start_time"] // (days * DAY)
    sizes = block.value_counts() / 2
    blocks = np.sort(sizes[sizes >= config.min_per_block].index.to_numpy())
    pairs = pairs[block.isin(blocks)]
    verdict = ChallengeVerdict(
        champion=champion,
        challenger=challenger,
        competition=competition.name,
        decision=Decision.TOO_EARLY,
        reason=f"{len(blocks)} of {config.looks[0]} blocks of {days} days before the first look",
        num_blocks=len(blocks),
        num_prompts=len(pairs) // 2,
        lead=None,
        margin=config.margin,
    )
    for look in config.looks:
        if len(blocks) < look:
            next_look = f"the next look is at {look} blocks of {days} days, there are {len(blocks)}"
            return verdict if verdict.lead is None else replace(verdict, reason=f"nothing is proven; {next_look}")
        seen = pairs[pairs["start_time"] // (days * DAY) <= blocks[look - 1]]
        found = _lead(seen, champion, challenger, competition, config, rules)
        verdict = replace(verdict, lead=found)
        is_enough = found.high < config.margin
        what = "better" if found.high < 0 or not config.margin else f"no worse than by {config.margin:g} %"
        if is_enough and num_invalid > config.max_invalid:
            reason = f"the challenger is {what} but gave {num_invalid} invalid answers or none"
            return replace(verdict, decision=Decision.KEEP, reason=reason)
        if is_enough:
            return replace(verdict, decision=Decision.PROMOTE, reason=f"the challenger is {what}: {_describe(found)}")
        if found.low > config.margin:
            return replace(verdict, decision=Decision.KEEP, reason=f"the challenger is worse: {_describe(found)}")
    assert verdict.lead is not None
    reason = f"the race is over and proves nothing: {_describe(verdict.lead)}"
    return replace(verdict, decision=Decision.KEEP, reason=reason)


def judge(
    folder: Path,
    champion: str,
    challenger: str,
    competition: Competition,
    now: float,
    *,
    config: ChallengeConfig | None = None,
    rules: Rules | None = None,
    scores: pd.DataFrame | None = None,
) -> ChallengeVerdict:
    """Decide by the scores in a ledger, and write a verdict that ends the race to ``challenges.jsonl``, once.

    Args:
        scores: of the ledger, as from ``settle.read_scores``; read by default.

    Raises:
        DataError: the ledger holds no score of one of the two in this competition.
        RunError: the ledger cannot be read or written.
    """
    scores = read_scores(folder) if scores is None else scores
    known = set(scores[scores["competition"] == competition.name]["bundle"])
    for bundle in (champion, challenger):
        if bundle not in known:
            have = ", ".join(sorted(known)) or "none"
            raise DataError(f"{folder} holds no settled {competition.name} answer of bundle {bundle!r}; it has {have}")
    verdict = decide(scores, champion, challenger, competition, now, config=config, rules=rules)
    if verdict.decision is not Decision.TOO_EARLY:
        race = {"champion": champion, "challenger": challenger, "competition": competition.name}
        with LineWriter(folder / CHALLENGES, exclusive=True) as lines:
            if not any(race.items() <= event.items() for event in read_lines(folder / CHALLENGES).events):
                lines.append({**asdict(verdict), "judged_at": now})
    return verdict


def _paired(valid: pd.DataFrame, champion: str, challenger: str) -> pd.DataFrame:
    """Totals of the prompts that both answered, one row each: ``asset``, ``start_time``, ``forecaster``, ``total``."""
    both = valid[valid["bundle"].isin([champion, challenger])]
    table = both.groupby(["asset", "start_time", "bundle"])["total"].mean().unstack("bundle")
    table = table.reindex(columns=[champion, challenger]).dropna()
    return table.melt(ignore_index=False, var_name="forecaster", value_name="total").reset_index()


def _lead(
    pairs: pd.DataFrame,
    champion: str,
    challenger: str,
    competition: Competition,
    config: ChallengeConfig,
    rules: Rules,
) -> Lead:
    """Compare, each bucket of which the network scores one answer counting once."""
    bucket = pairs["start_time"] // competition.bucket_seconds * competition.bucket_seconds
    means = pairs.groupby(["asset", bucket, "forecaster"])["total"].mean().reset_index()
    weights = {str(asset): rules.coefficient(str(asset)) for asset in means["asset"].unique()}
    return lead(
        means,
        challenger,
        champion,
        block_days=block_days(competition.time_length),
        weights=weights,
        confidence=config.confidence,
    )


def _describe(found: Lead) -> str:
    return f"{percent(found.mean)} ({bounds(found.low, found.high)}), {found.num_blocks} blocks of days"

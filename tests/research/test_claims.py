from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from synthcity.authored.locked.forks import Misbehaved
from synthcity.authored.locked.lock import NotIsolated
from synthcity.market.bars import Floats, Times
from synthcity.research.bench import Bench
from synthcity.research.claims import choose_claims, confirm
from synthcity.research.config import ResearchConfig
from synthcity.research.examiner import Examiner
from synthcity.research.inputs import InputRefused, Rows
from synthcity.research.known import Known
from synthcity.research.labbook import DROP, MEND, Claimed, Decided, LabBook, Noted, Origin
from synthcity.research.measuring.trial import Judge
from tests.research.conftest import FOLDS, Wave, examiner_of

CONFIG = ResearchConfig(folds=FOLDS, claims=2, level=0.05)


@pytest.fixture
def bench(swinging: Judge, tmp_path: Path) -> Iterator[Bench]:
    with LabBook(tmp_path) as book:
        yield Bench("control", examiner_of(swinging), FOLDS, book)


def test_the_level_is_spent_over_the_claims_that_are_made() -> None:
    assert CONFIG.confidence(1) == pytest.approx(0.9)
    assert ResearchConfig(claims=5, level=0.05).confidence(5) == pytest.approx(0.98)


def test_two_claims_share_the_level(bench: Bench) -> None:
    for name in ("one", "two"):
        bench.test(Wave(name=name), Origin(recipe={"name": name}), round=1)
    confirm(bench.found, bench.examiner, CONFIG, bench.book)
    assert [claim.confidence for claim in bench.book.of(Claimed)] == pytest.approx([0.95, 0.95])


def test_the_surest_is_claimed_and_not_the_largest(bench: Bench) -> None:
    """What gains more by a wide interval is the likelier one to have been lucky."""
    bench.test(Wave(name="sure"), Origin(recipe={"name": "sure"}), round=1)
    bench.test(Wave(name="wide"), Origin(recipe={"name": "wide"}), round=1)
    sure, wide = bench.found
    assert sure.entry.high is not None
    larger = replace(wide.entry, mean=sure.entry.mean - 1, high=sure.entry.high + 0.01)
    chosen = choose_claims([replace(wide, entry=larger), sure], bench.examiner, CONFIG, bench.book)
    assert [one.candidate.name for one in chosen] == ["sure"]


def test_what_its_author_dropped_in_the_end_is_not_claimed(bench: Bench) -> None:
    for name in ("one", "two"):
        bench.test(Wave(name=name), Origin(recipe={"name": name}), round=1)
    for round_, name, decision in ((1, "one", DROP), (1, "two", DROP), (2, "two", MEND)):
        bench.book.add(
            Decided(arm="control", round=round_, name=name, decision=decision, reason="the same as the other")
        )
    chosen = choose_claims(bench.found, bench.examiner, CONFIG, bench.book)
    assert [one.candidate.name for one in chosen] == ["two"]


def test_what_is_planted_is_claimed_once_and_kept(bench: Bench) -> None:
    for number, one in enumerate((Wave(name="other", hours=9.3), Wave(), Wave(name="the same once more"))):
        bench.test(one, Origin(recipe={"number": number}), round=1)
    chosen = choose_claims(bench.found, bench.examiner, CONFIG, bench.book)
    assert len(chosen) == 1
    assert chosen[0].candidate.name in ("wave", "the same once more")
    kept = confirm(chosen, bench.examiner, CONFIG, bench.book)
    (claim,) = bench.book.of(Claimed)
    assert [(held.found, held.claim) for held in kept] == [(chosen[0], claim)]
    assert claim.kept
    assert claim.high is not None
    assert claim.high < 0
    assert claim.confidence == pytest.approx(0.9)


def test_each_of_two_inputs_of_one_name_is_kept_with_its_own_claim(bench: Bench) -> None:
    """The first is as good as nothing beside the other, so its claim fails."""
    for number, one in enumerate((Wave(hours=9.3), Wave())):
        bench.test(one, Origin(recipe={"number": number}), round=1)
    (held,) = confirm(bench.found, bench.examiner, CONFIG, bench.book)
    assert held.found is bench.found[1]
    assert (held.claim.number, held.claim.kept) == (2, True)


@dataclass(frozen=True)
class Tiring(Wave):
    """Fails when it is asked again, as authored code may."""

    error: Exception = field(default_factory=lambda: Misbehaved("it was still running after 10 s"))
    asked: list[int] = field(default_factory=list)

    def future(self, known: Known, rows: Rows, ends: Times) -> Floats:
        self.asked.append(len(rows))
        if self.asked.count(max(self.asked)) > 1:
            raise self.error
        return super().future(known, rows, ends)


@pytest.mark.parametrize("error", [Misbehaved("late"), InputRefused("shape"), NotIsolated("ended")])
def test_what_fails_when_it_is_asked_again_is_noted_and_the_next_is_claimed(bench: Bench, error: Exception) -> None:
    for one in (Tiring(name="tiring", error=error), Wave()):
        bench.test(one, Origin(source=one.name), round=1)
    assert [found.entry.promising for found in bench.found] == [True, True]
    assert choose_claims(bench.found, bench.examiner, CONFIG, bench.book) == [bench.found[1]]
    assert [note.text for note in bench.book.of(Noted)] == [f"control: tiring is not claimed: {error}"]


class Absent(Examiner):
    """An examiner whose forecasters fail on the confirming fold."""

    def test(self, one, folds, *, beside=(), confidence=0.95):  # type: ignore[no-untyped-def]
        if one.name == "absent" and folds == FOLDS.confirming:
            raise Misbehaved("the forecaster absent: KeyError: 3600")
        assert "absent" not in [other.name for other in beside]
        return super().test(one, folds, beside=beside, confidence=confidence)


def test_what_fails_on_the_confirming_fold_is_not_kept_and_the_next_is_asked_without_it(bench: Bench) -> None:
    for name in ("absent", "wave"):
        bench.test(Wave(name=name), Origin(recipe={"name": name}), round=1)
    examiner = Absent(bench.examiner.judge, bench.examiner.contest)
    (held,) = confirm(bench.found, examiner, CONFIG, bench.book)
    assert held.found is bench.found[1]
    first, second = bench.book.of(Claimed)
    assert (first.kept, first.refused, first.prompts) == (False, "the forecaster absent: KeyError: 3600", 0)
    assert (second.kept, second.number) == (True, 2)


def test_nothing_promising_makes_no_claim(bench: Bench) -> None:
    bench.test(Wave(name="other", hours=9.3), Origin(recipe={}), round=1)
    assert choose_claims(bench.found, bench.examiner, CONFIG, bench.book) == []


def test_what_held_by_luck_is_not_kept(still: Judge, tmp_path: Path) -> None:
    """A find of the swinging market asked of another one, as if the first folds had lied."""
    with LabBook(tmp_path) as book:
        lucky = Bench("control", examiner_of(still), FOLDS, book)
        lucky.test(Wave(), Origin(recipe={}), round=1)
        assert confirm(lucky.found, lucky.examiner, CONFIG, book) == []
        assert not book.of(Claimed)[0].kept

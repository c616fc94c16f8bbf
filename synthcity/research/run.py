"""A whole research: rounds on the folds for finding, then the claims, then what is kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from synthcity.agents.client import LLMClient
from synthcity.authored.forecaster import AuthoredForecaster
from synthcity.authored.locked.isolation import check_isolation
from synthcity.durations import DAY
from synthcity.errors import RunError
from synthcity.market.times import parse_time
from synthcity.research import library
from synthcity.research.asked import asked_by, write_down
from synthcity.research.bench import Bench, Found
from synthcity.research.claims import Held, choose_claims, confirm
from synthcity.research.config import ResearchConfig
from synthcity.research.control import arm as control
from synthcity.research.control.grammar import Grammar
from synthcity.research.folder import write_resolved, write_result
from synthcity.research.inputs import InputRefused
from synthcity.research.labbook import Claimed, FindingOver, LabBook, Look, Noted, Tried, finite
from synthcity.research.model import arm as model
from synthcity.research.model.arm import Experimenter
from synthcity.research.result import Result, arm_result
from synthcity.research.setting import Setting, prepare
from synthcity.research.written import candidate_of, panel_of
from synthcity.wording import percent

Tell = Callable[[str], None]


@dataclass(frozen=True, eq=False, kw_only=True)
class _Kept:
    held: list[Held]
    gain: float | None
    recovered: float | None


def research(
    config: ResearchConfig,
    folder: Path,
    *,
    client: LLMClient | None = None,
    tell: Tell = lambda text: None,
    progress: Callable[[int, int], None] | None = None,
    setting: Setting | None = None,
    resume: bool = False,
    left: Callable[[], float] = lambda: float("inf"),
) -> Result:
    """Do a research and leave its lab book, its result and what it kept behind.

    Args:
        config: which.
        folder: gets ``labbook.jsonl``, ``resolved.yaml`` and ``result.json``.
        client: the language model; without one, or where it has nothing tested, the control works alone.
        tell: gets a sentence now and then.
        progress: of asking the baseline, (done, all).
        setting: prices and judge where they are at hand already.
        resume: go on with the research of ``folder``. Its steps are taken again in the same order; what its lab book
            tells is not tested or asked of the confirming fold a second time, and a client that is ``again`` answers
            what it was answered before without asking. Once claims were chosen, nothing more is tried.
        left: seconds that whoever has it done leaves to finding; asked before each test and question.

    Raises:
        ConfigError, DataError: what it is to work on is wrong.
        Fatal: in the model's work nothing could be locked, or written into the lab book, any more.
        NotIsolated: there is a model, and nothing here can hold what it writes.
        RunError: the folder cannot be written, or holds a research already; or its lab book cannot be read.
    """
    began = time.monotonic()
    if client is not None:
        check_isolation()
    setting = prepare(config, progress) if setting is None else setting
    with LabBook(folder, resume=resume) as book:
        if not resume:
            write_resolved(folder, config)
        for note in setting.notes:
            book.add(Noted(text=note))
        tell(f"{len(setting.cases)} prompts of {', '.join(setting.cases.assets)}; every test is paired on them")

        def finding_left() -> float:
            budget = float("inf") if config.time_budget is None else began + config.time_budget - time.monotonic()
            return min(budget, left())

        bench = Bench(control.NAME, setting.examiner, config.folds, book)
        author = None
        if client is not None:
            author = Experimenter.of(client, Bench(model.NAME, setting.examiner, config.folds, book), setting, config)
        over = book.told(FindingOver)
        if over is None:
            _rounds(config, bench, Grammar(setting.known, config.seed), author, finding_left, tell)
            if rest := book.take_rest():
                book.add(Noted(text=f"{rest} lines of an earlier session stand in the lab book and were not met again"))
        else:
            _restore(book, bench, author, setting)
            tell("finding was over; what is left is to ask the claims that were not asked yet")
        benches = [bench] if author is None else [author.bench, bench]
        chosen = {one.arm: choose_claims(one.found, setting.examiner, config, book) for one in benches}
        if over is None:
            over = _end_finding(sum(map(len, chosen.values())), setting, config, book, author)
        elif author is not None:
            author.ended = over.ended
        earlier = over.earlier
        kept = {arm: _judged(claims, setting, config, book) for arm, claims in chosen.items()}
        result = _result(config, setting, book, author, kept, time.monotonic() - began)
        write_result(folder, result.to_dict())
        evidence = partial(_evidence, earlier=earlier, config=config, book=book, simulated=setting.simulated)
        lost = _shelve([held for one in kept.values() for held in one.held], evidence, config, book, tell)
        if lost:
            result = replace(result, notes=(*result.notes, *lost))
            write_result(folder, result.to_dict())
        return result


def _rounds(
    config: ResearchConfig,
    bench: Bench,
    grammar: Grammar,
    author: Experimenter | None,
    left: Callable[[], float],
    tell: Tell,
) -> None:
    """Let the model work first in each round, and the control test as many inputs as it did.

    A model that could have nothing tested leaves the control to work alone; one that ends later ends both, since what
    they find is told at equal trials.
    """
    for number in range(1, config.rounds + 1):
        trials = config.trials
        if author is not None and left() > 0:
            trials = author.run_round(number, left)
            tell(_round_line(author.bench, number, config.rounds))
        ended = "" if author is None else author.ended
        if author is not None and ended and not author.bench.book.of(Tried, model.NAME):
            bench.book.add(Noted(text=f"the control works alone: {ended}"))
            author, trials, ended = None, config.trials, ""
        control.run_round(bench, grammar, number, trials, lambda: left() <= 0)
        tell(_round_line(bench, number, config.rounds))
        if ended:
            bench.book.add(Noted(text=f"the model works no more, and the control ends with it: {ended}"))
            return
        if left() <= 0:
            bench.book.add(Noted(text=f"time was over in round {number}"))
            return


def _restore(book: LabBook, bench: Bench, author: Experimenter | None, setting: Setting) -> None:
    """Put on the benches what an earlier session tested; the order of claims comes from that alone."""
    panel = panel_of(setting.market, setting.known)
    book.take_rest(but=Claimed)
    bench.restore(lambda origin: candidate_of(origin, panel))
    if author is not None:
        author.bench.restore(lambda origin: candidate_of(origin, panel))


def _end_finding(
    claims: int, setting: Setting, config: ResearchConfig, book: LabBook, author: Experimenter | None
) -> FindingOver:
    """Write down that nothing more is tried, before the first claim is asked."""
    earlier = _count(claims, setting, config, book)
    over = FindingOver(claims=claims, earlier=earlier, ended="" if author is None else author.ended)
    book.add(over)
    return over


def _count(claims: int, setting: Setting, config: ResearchConfig, book: LabBook) -> int:
    """Write down that so many claims are about to be asked; return how many were asked of the same days before."""
    if not claims:
        return 0
    try:
        earlier = write_down(
            Path(config.library), asked_by(config, setting.cases.assets, claims, simulated=setting.simulated)
        )
    except RunError as error:
        book.add(Noted(text=f"later researches will not know what was asked of these days: {error}"))
        return 0
    for problem in earlier.problems:
        book.add(Noted(text=problem))
    if earlier.claims:
        told = f"{earlier.claims} claim{'s were' if earlier.claims > 1 else ' was'}"
        book.add(Noted(text=f"{told} asked of days of folds.confirm before, so chance has had more tries"))
    return earlier.claims


def _shelve(
    kept: Sequence[Held],
    evidence: Callable[[Held], library.Evidence],
    config: ResearchConfig,
    book: LabBook,
    tell: Tell,
) -> tuple[str, ...]:
    """Put what is kept into the library; return a sentence for each that it does not take."""
    lost = []
    for held in kept:
        entry = held.found.entry
        try:
            path = library.add(Path(config.library), entry.name, entry.origin, evidence(held))
        except RunError as error:
            lost.append(f"{entry.name} is kept, but stands in the lab book alone: {error}")
            book.add(Noted(text=lost[-1]))
        else:
            tell(f"kept: {entry.name}, in {path}")
    return tuple(lost)


def _round_line(bench: Bench, number: int, rounds: int) -> str:
    best = f"; best {bench.best[0].entry.name} {percent(bench.best[0].entry.mean, 3)}" if bench.best else ""
    return f"round {number} of {rounds}, {bench.arm}: {len(bench.found)} tests so far{best}"


def _judged(claims: Sequence[Found], setting: Setting, config: ResearchConfig, book: LabBook) -> _Kept:
    """Ask the claims of an arm, and measure the inputs that are kept together."""
    kept = confirm(claims, setting.examiner, config, book)
    candidates = [held.found.candidate for held in kept]
    inputs = [one for one in candidates if not isinstance(one, AuthoredForecaster)]
    if not inputs:
        return _Kept(held=kept, gain=None, recovered=0.0 if _has_gap(setting, config) else None)
    gain = setting.judge.test(inputs, config.folds.confirming).lead.mean
    recovered = gain / _oracle(setting, config)[0] if _has_gap(setting, config) else None
    return _Kept(held=kept, gain=gain, recovered=recovered)


def _has_gap(setting: Setting, config: ResearchConfig) -> bool:
    return setting.world is not None and setting.world.truth["kind"] != "none" and _oracle(setting, config)[0] < 0


def _oracle(setting: Setting, config: ResearchConfig) -> tuple[float, float | None, float | None]:
    assert setting.world is not None
    try:
        lead = setting.judge.test([setting.world.oracle], config.folds.confirming).lead
    except InputRefused:  # nothing that was planted moves these assets on these days, as one that leads no other
        return 0.0, None, None
    return lead.mean, finite(lead.low), finite(lead.high)


def _result(
    config: ResearchConfig,
    setting: Setting,
    book: LabBook,
    author: Experimenter | None,
    kept: Mapping[str, _Kept],
    seconds: float,
) -> Result:
    world = setting.world
    has_gap = world is not None and world.truth["kind"] != "none"
    arms = []
    for arm, one in kept.items():
        is_model = author is not None and arm == model.NAME
        usd, ended = (author.usd, author.ended) if author is not None and is_model else (0.0, "")
        arms.append(arm_result(book, arm, gain=one.gain, recovered=one.recovered, usd=usd, ended=ended))
    return Result(
        arms=tuple(arms),
        notes=tuple(note.text for note in book.of(Noted)),
        world=None if world is None else world.truth,
        oracle=_oracle(setting, config) if has_gap else None,
        known_months=() if author is None or setting.simulated else known_months(config),
        seconds=seconds,
    )


def _evidence(held: Held, earlier: int, config: ResearchConfig, book: LabBook, *, simulated: bool) -> library.Evidence:
    arm, entry = held.found.entry.arm, held.found.entry
    prices = config.prices
    return library.Evidence(
        competition=config.competition,
        baseline=config.baseline,
        prices=f"world {prices.world.seed}" if prices.source == "world" else str(prices.path),
        found=entry,
        confirmed=held.claim,
        folds=plain_folds(config),
        looks=len(book.of(Look, arm)),
        tests=len(book.of(Tried, arm)),
        asked_before=earlier,
        known_months=() if arm == control.NAME or simulated else known_months(config),
        simulated=simulated,
    )


def known_months(config: ResearchConfig) -> tuple[str, ...]:
    """Return the months of the folds whose prices a language model may have known: all, where its end is unknown."""
    if config.prices.source == "world":
        return ()
    end = None if config.knowledge_ends is None else parse_time(config.knowledge_ends)
    months = []
    for second in range(config.folds.learn.start, config.folds.confirm.end, DAY):
        month = datetime.fromtimestamp(second, UTC).strftime("%Y-%m")
        if month not in months and (end is None or second < end):
            months.append(month)
    return tuple(months)


def plain_folds(config: ResearchConfig) -> dict[str, str]:
    """Return the folds by name, as people read them."""
    folds = {"learn": config.folds.learn, **config.folds.finding, **config.folds.confirming}
    return {name: str(period) for name, period in folds.items()}

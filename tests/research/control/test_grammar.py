from __future__ import annotations

from synthcity.research.control.grammar import Grammar
from synthcity.research.control.recipes import RECIPES
from synthcity.research.measuring.trial import Judge


def test_draws_are_seeded_differ_and_cover_every_kind(still: Judge) -> None:
    first, second = Grammar(still.known, 5), Grammar(still.known, 5)
    drawn = [first.draw() for _ in range(80)]
    assert drawn == [second.draw() for _ in range(80)]
    assert len(set(drawn)) == 80
    assert {recipe.kind for recipe in drawn} == set(RECIPES)

from __future__ import annotations

import numpy as np
import pytest

from synthcity.errors import ConfigError
from synthcity.research.control.grammar import Grammar
from synthcity.research.control.recipes import RECIPES, Cycle, Recipe, recipe_of
from synthcity.research.inputs import ask
from synthcity.research.trial import Judge
from tests.research.conftest import STEP


def test_draws_are_seeded_differ_and_cover_every_kind(still: Judge) -> None:
    first, second = Grammar(still.known, 5), Grammar(still.known, 5)
    drawn = [first.draw() for _ in range(80)]
    assert drawn == [second.draw() for _ in range(80)]
    assert len(set(drawn)) == 80
    assert {recipe.kind for recipe in drawn} == set(RECIPES)


def test_every_recipe_keeps_the_contract_and_can_be_read_back(still: Judge) -> None:
    grammar = Grammar(still.known, 1)
    best: list[Recipe] = []
    rows = np.sort(np.random.default_rng(0).choice(len(still.known) - 100, 30, replace=False)) + 50
    ends = still.known.times[rows][:, None] + STEP * np.arange(1, 49)
    for _ in range(60):
        recipe = grammar.draw(best[-6:])
        best.append(recipe)
        said = ask(recipe, still.known, rows, ends, np.random.default_rng(0))
        assert said.past.shape[-1] + said.future.shape[-1] > 0
        assert recipe_of(recipe.to_dict()) == recipe


def test_an_unknown_recipe_is_refused() -> None:
    with pytest.raises(ConfigError, match="cycle"):
        recipe_of({**Cycle(hours=3.0, harmonics=1).to_dict(), "kind": "cycel"})

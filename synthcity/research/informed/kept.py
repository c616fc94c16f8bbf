"""A kept input where it is used: a recipe in this process, a text of a language model in locked children alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from synthcity.authored.declared import digest
from synthcity.authored.feature import FeatureSource
from synthcity.authored.reading import Refused
from synthcity.durations import DAY
from synthcity.errors import ConfigError
from synthcity.market.bars import Floats, Market, Times
from synthcity.research.control.recipes import Recipe, recipe_of
from synthcity.research.inputs import Input, Rows
from synthcity.research.known import Known
from synthcity.research.labbook import Origin
from synthcity.research.written import Written, panel_of

LOOKBACK = 60 * DAY  # of what an input is told; the most that a text may ask for
FEATURE, RECIPE = "feature", "recipe"


@dataclass(frozen=True, kw_only=True)
class Kept:
    """An input of a library, read and not run.

    Attributes:
        name: in the library.
        origin: a recipe or a text.
        sha256: of the text, or of the recipe as JSON.
    """

    name: str
    origin: Origin
    sha256: str

    @classmethod
    def of(cls, name: str, origin: Origin) -> Kept:
        """Read what an item is made of.

        Raises:
            ConfigError: it is no recipe or text that may run here.
        """
        try:
            if origin.source is not None:
                return cls(name=name, origin=origin, sha256=FeatureSource.of(origin.source).sha256)
        except Refused as error:
            raise ConfigError(f"the text of {name} may not run: {error}") from error
        if origin.recipe is None:
            raise ConfigError(f"{name} holds neither a recipe nor a text")
        recipe = recipe_of(origin.recipe)
        return cls(name=name, origin=origin, sha256=digest(json.dumps(recipe.to_dict(), sort_keys=True)))

    @property
    def kind(self) -> str:
        """FEATURE where a language model wrote it, RECIPE where the grammar made it."""
        return FEATURE if self.origin.source is not None else RECIPE

    @property
    def series(self) -> str | None:
        """The extra series that a recipe reads; a text does not say."""
        recipe: Mapping[str, Any] = self.origin.recipe or {}
        return recipe.get("series")

    @property
    def leader(self) -> str | None:
        """The asset whose prices a recipe reads beside an asset's own; a text does not say."""
        recipe: Mapping[str, Any] = self.origin.recipe or {}
        return recipe.get("leader")

    def open(self, market: Market, known: Known) -> Input:
        """Return it over the prices of ``market``, which ``known`` holds too."""
        if self.origin.source is not None:
            return Written(FeatureSource.of(self.origin.source), panel_of(market, known))
        assert self.origin.recipe is not None
        return Recent(recipe_of(self.origin.recipe))


@dataclass(frozen=True)
class Recent:
    """A recipe that is told of the last ``LOOKBACK`` alone, so that it says the same however much is at hand."""

    recipe: Recipe

    @property
    def name(self) -> str:
        """The recipe's."""
        return self.recipe.name

    def past(self, known: Known, rows: Rows) -> Floats:
        """Return (rows, assets, p)."""
        told = [known.recent(int(row), LOOKBACK) for row in rows]
        return np.concatenate([self.recipe.past(one, np.array([len(one) - 1])) for one in told])

    def future(self, known: Known, rows: Rows, ends: Times) -> Floats:
        """Return (rows, assets, steps, q)."""
        told = [(known.recent(int(row), LOOKBACK), end[None]) for row, end in zip(rows, ends, strict=True)]
        return np.concatenate([self.recipe.future(one, np.array([len(one) - 1]), end) for one, end in told])

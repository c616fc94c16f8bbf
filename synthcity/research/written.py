"""What a language model writes, texts that run in locked children alone (docs/authoring.md)."""

from __future__ import annotations

import numpy as np

from synthcity.authored.feature import FeatureSource, open_feature
from synthcity.authored.forecaster import AuthoredForecaster, ForecasterSource
from synthcity.authored.panel import Panel
from synthcity.market.bars import Floats, Market, Times
from synthcity.research.control.recipes import recipe_of
from synthcity.research.examiner import Candidate
from synthcity.research.inputs import Rows
from synthcity.research.known import Known
from synthcity.research.labbook import Origin


class Written:
    """A feature of ``authored`` as an input.

    Its children are given prices in the order of time, so no answer can know a later one; the ``known`` that other
    inputs read is not shown to it.
    """

    def __init__(self, source: FeatureSource, panel: Panel) -> None:
        self.source = source
        self._panel = panel

    @property
    def name(self) -> str:
        """What the file calls itself."""
        return self.source.name

    def past(self, known: Known, rows: Rows) -> Floats:
        """Return (rows, assets, p); raises ``Misbehaved`` as ``Feature.past``."""
        if not self.source.past:
            return np.zeros((len(rows), len(known.assets), 0))
        with open_feature(self.source, self._panel) as feature:
            return feature.past(known.times[rows])

    def future(self, known: Known, rows: Rows, ends: Times) -> Floats:
        """Return (rows, assets, steps, q); raises ``Misbehaved`` as ``Feature.future``."""
        if not self.source.future:
            return np.zeros((len(rows), len(known.assets), ends.shape[1], 0))
        with open_feature(self.source, self._panel) as feature:
            return feature.future(known.times[rows], ends)


def panel_of(market: Market, known: Known) -> Panel:
    """Return what locked children are given of the prices and series that other inputs read."""
    return Panel.of(market, known.assets, known.step, series=dict(known.series))


def candidate_of(origin: Origin, panel: Panel) -> Candidate:
    """Return a candidate as it was made: a recipe of the grammar, or a text, which is read again and not run.

    Raises:
        Refused: the text may not run here.
        ConfigError: there is no such recipe.
    """
    if origin.forecaster is not None:
        return AuthoredForecaster(ForecasterSource.of(origin.forecaster))
    if origin.source is not None:
        return Written(FeatureSource.of(origin.source), panel)
    assert origin.recipe is not None
    return recipe_of(origin.recipe)

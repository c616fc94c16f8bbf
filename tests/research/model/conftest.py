"""The desk of an experimenter at a market whose volatility swings in seven hours, and its tools."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from synthcity.agents.tools import Toolset
from synthcity.research.bench import Bench
from synthcity.research.labbook import LabBook
from synthcity.research.measuring.residuals import Residuals
from synthcity.research.measuring.trial import Judge
from synthcity.research.model.desk import Desk
from synthcity.research.model.trying import toolset
from synthcity.research.written import panel_of
from tests.research.conftest import FOLDS, examiner_of, market_of


@pytest.fixture
def desk(swinging: Judge, tmp_path: Path) -> Iterator[Desk]:
    known = swinging.known
    with LabBook(tmp_path) as book:
        yield Desk(
            bench=Bench("model", examiner_of(swinging), FOLDS, book),
            residuals=Residuals.of(swinging.cases, FOLDS.confirm.start),
            known=known,
            panel=panel_of(market_of(known), known),
            round=2,
            tests=2,
        )


@pytest.fixture
def tools(desk: Desk) -> Toolset:
    return toolset(desk)


def call(tools: Toolset, tool: str, /, **arguments: object) -> str:
    return tools.call(tool, json.dumps(arguments)).text

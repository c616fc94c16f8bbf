"""Tests that an experimenter asks for: of an input and of a forecaster; what may not run is told and costs no test."""

from __future__ import annotations

from synthcity.agents.tools import Toolset
from synthcity.authored.feature import FeatureSource
from synthcity.authored.forecaster import AuthoredForecaster, ForecasterSource
from synthcity.authored.reading import Refused
from synthcity.research.examiner import Candidate
from synthcity.research.labbook import Origin, Tried
from synthcity.research.model.desk import ROLE, Desk
from synthcity.research.model.looks import TOOLS
from synthcity.research.written import Written
from synthcity.wording import bounds, percent

_SOURCE_MOST = 12_000  # characters of a file
_NOT_COUNTED = "not counted as a test"


@TOOLS.tool(ROLE)
def test_input(context: Desk, source: str, hypothesis: str) -> str:
    """Have the file of an input tested: with and without it, on the folds for finding. Minus is better.

    Args:
        source: the whole text of the file.
        hypothesis: what should be so, and why, in one sentence.
    """
    return _test(context, Origin(source=source), hypothesis)


@TOOLS.tool(ROLE)
def test_forecaster(context: Desk, source: str, hypothesis: str) -> str:
    """Have the file of a forecaster tested against the baseline by the network's score, on the folds for finding.

    Minus is better. It takes some seconds for each hundred prompts.

    Args:
        source: the whole text of the file.
        hypothesis: what should be so, and why, in one sentence.
    """
    return _test(context, Origin(forecaster=source), hypothesis)


def toolset(desk: Desk) -> Toolset:
    """Return all that an experimenter may call: looks and tests."""
    return TOOLS.build_toolset(ROLE, desk)


def _test(desk: Desk, origin: Origin, hypothesis: str) -> str:
    source = origin.text or ""
    if desk.tests < 1:
        return "refused: all tests of this round were made; call finish"
    if len(source) > _SOURCE_MOST:
        return f"refused: the file has {len(source):,} characters and may have {_SOURCE_MOST:,}; {_NOT_COUNTED}"
    if source in desk.seen:
        return f"refused: this very text was tested before; {_NOT_COUNTED}"
    one: Candidate
    try:
        if origin.forecaster is None:
            one = Written(FeatureSource.of(source), desk.panel)
        else:
            one = AuthoredForecaster(ForecasterSource.of(source))
    except Refused as error:
        return f"refused unread; {_NOT_COUNTED}:\n{error}"
    if one.name in desk.tested:
        return f"refused: {one.name} was tested before; choose another NAME; {_NOT_COUNTED}"
    if why := desk.fails(one):
        return f"refused at a few prompts; {_NOT_COUNTED}: {why}"
    desk.seen.add(source)
    desk.tests -= 1
    return f"{told(desk.test(one, origin, hypothesis))}\n{desk.tests} tests are left in this round"


def told(entry: Tried) -> str:
    """Return a test as a model reads it."""
    name = f"{entry.origin.kind} {entry.name}"
    if entry.refused:
        return f"{name}: refused: {entry.refused}"
    folds = ", ".join(f"{name} {gain:+.3f}" for name, gain in entry.by_fold.items())
    assets = ", ".join(f"{name} {gain:+.3f}" for name, gain in entry.by_asset.items())
    word = "promising" if entry.promising else "not promising"
    columns = f"; {entry.columns} coefficients" if entry.columns else ""
    return (
        f"{name}: {percent(entry.mean, 3)} (95 % interval {bounds(entry.low, entry.high)}), {word}; "
        f"folds {folds}; assets {assets}{columns}"
    )

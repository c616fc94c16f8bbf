"""What research inside a search is: its folds, all of the train period, its folder and its library.

Nothing of validation or test is looked at, for finding as for confirming. So candidates may be compared afterwards on
the former, and the verdict stands on the latter, as in any other search.
"""

from __future__ import annotations

from pathlib import Path

from synthcity.durations import DAY
from synthcity.errors import DataError
from synthcity.market.periods import Period
from synthcity.market.store.series import SIMULATED
from synthcity.research.config import FoldsConfig, PricesConfig, ResearchConfig
from synthcity.research.setting import HISTORY
from synthcity.search.config import SearchConfig
from synthcity.search.data import SearchData
from synthcity.search.finals.found import FOLDER

LIBRARY = "library"
_LEARN, _FIND = 0.3, 0.75  # where learning and finding end
_LEAST_DAYS = 40
_FOLD_DAYS = 30  # of finding, at least


def plan_research(config: SearchConfig, data: SearchData, folder: Path) -> ResearchConfig:
    """Return the research that a search has beside its trials.

    Args:
        config: of the search.
        data: its prices.
        folder: of the run; what is kept goes into ``search.library``, without one into the run's own.

    Raises:
        DataError: the train period is too short.
    """
    own, source = config.search.research, config.data
    named = f"the simulated market {source.simulated.seed}" if source.source == SIMULATED else source.path
    return ResearchConfig(
        competition=data.competition.name,
        rules=data.rules.date,
        name=FOLDER,
        output=str(folder),
        library=config.search.library or str(folder / FOLDER / LIBRARY),
        prices=PricesConfig(source="store", path=named, venue=source.venue, assets=data.assets),
        folds=_folds(data),
        rounds=own.rounds,
        trials=own.trials,
        seed=config.search.seed,
        llm=config.llm,
    )


def _folds(data: SearchData) -> FoldsConfig:
    train, step = data.periods.train, data.competition.time_increment
    begin = min(int(data.market[asset, step].observed[0]) for asset in data.assets) + HISTORY
    first = max(train.start, begin + -begin % DAY)
    days = (train.end - first) // DAY
    if days < _LEAST_DAYS:
        raise DataError(
            f"the train period {train} has {max(0, days)} days after the first {HISTORY // DAY} of the prices, and "
            f"research needs {_LEAST_DAYS}; begin data.periods.train earlier, or load more history"
        )
    middle, late = (first + int(share * days) * DAY for share in (_LEARN, _FIND))
    return FoldsConfig(
        learn=Period(start=first, end=middle),
        find=Period(start=middle, end=late),
        confirm=Period(start=late, end=train.end),
        parts=max(1, min(3, (late - middle) // (_FOLD_DAYS * DAY))),
    )

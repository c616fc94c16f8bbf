"""Test prompts kept with the prices that they need and what they scored, so that anybody can score a bundle again.

One Parquet file: bars of the prompts' assets from well before the first prompt to the end of the last one, and beside
them, as JSON in the schema, the prompts, the seed and the figures. Rows with another ``now`` than 0 are what was known
then of the minutes around it (``foreknown``). It is read as if a stranger had written it.
"""

from __future__ import annotations

import importlib.metadata
import json
import math
import platform
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from synthcity import strict_json
from synthcity.durations import DAY
from synthcity.errors import ConfigError, DataError
from synthcity.files import atomic_file
from synthcity.forecast.baselines import BASELINES, baseline
from synthcity.forecast.evaluation.backtest import score_prompt
from synthcity.forecast.evaluation.foreknown import Foreknown, written_down
from synthcity.forecast.forecaster import Forecaster
from synthcity.forecast.named import Named
from synthcity.forecast.quantise import MARK, Quantised
from synthcity.market.bars import Bars, Market, Times
from synthcity.schema import build, key
from synthcity.sn50.competitions import get_competition, get_rules
from synthcity.sn50.prompt import Prompt

SAMPLES = "test_prompts.parquet"
MAX_BYTES = 256 << 20
MAX_PROMPTS = 100
_MAX_ROWS = 20_000_000
_KEY = b"synthcity"
_PRICES = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One prompt, with the total of every forecaster on it by name, in basis points."""

    asset: str
    start_time: int = key(low=0, high=1 << 40)
    time_increment: int = key(low=1, high=DAY)
    time_length: int = key(low=1, high=30 * DAY)
    num_simulations: int = key(low=2, high=1000)
    scores: dict[str, float]

    @property
    def prompt(self) -> Prompt:
        """The question itself."""
        asked = {name: value for name, value in asdict(self).items() if name != "scores"}
        return Prompt(**asked)


@dataclass(frozen=True, kw_only=True)
class Samples:
    """Prompts that were scored, ``market`` apart.

    Attributes:
        competition, rules: by which, by name and date.
        seed: each prompt derives its own from it.
        challenger: the name that the bundle goes by in the figures.
        machine: what decides the last bits of a figure, see ``this_machine``.
        prompts: with their figures.
    """

    competition: str
    rules: str
    seed: int = key(low=-(1 << 62), high=1 << 62)
    challenger: str
    machine: dict[str, str]
    prompts: tuple[Sample, ...]

    @property
    def is_from_here(self) -> bool:
        """Whether this machine must come to the same bits."""
        return self.machine == this_machine()


def this_machine() -> dict[str, str]:
    """Return what decides the last bits of a figure: processor and numerical libraries, and no name of a host."""
    found = {"processor": _processor(), "python": platform.python_version()}
    for name in ("numpy", "torch", "scipy"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "none"
    return found


def spread(scores: pd.DataFrame, count: int) -> list[tuple[str, int]]:
    """Return about ``count`` (asset, start_time) of a table of scores, spread over its assets and its time."""
    starts = {str(asset): np.unique(part["start_time"]) for asset, part in scores.groupby("asset", sort=True)}
    share = math.ceil(count / len(starts))
    found: list[tuple[str, int]] = []
    for asset, times in starts.items():
        places = np.unique(np.linspace(0, len(times) - 1, min(share, len(times))).round().astype(int))
        found += [(asset, int(time)) for time in times[places]]
    return sorted(found, key=lambda pair: (pair[1], pair[0]))


def part_of(market: Market, prompts: Sequence[Prompt], days: float | None) -> Market:
    """Return the bars of the prompts' assets, from ``days`` (None: all) before the first one to the last one's end."""
    assets = {prompt.asset for prompt in prompts}
    end = max(int(prompt.grid[-1]) for prompt in prompts)
    known = {key: bars.until(end) for key, bars in market.items() if key[0] in assets}
    if days is None:
        begin = min((int(bars.time[0]) for bars in known.values() if len(bars)), default=0)
    else:
        begin = int(min(prompt.start_time for prompt in prompts) - days * DAY)
    parts = {key: bars.slice(int(np.searchsorted(bars.time, begin)), len(bars)) for key, bars in known.items()}
    return Market(parts, written_down(market, prompts, begin))


def everyone(bundle: Forecaster, name: str, looked_at: Sequence[str]) -> list[Forecaster]:
    """Return the bundle under its ``name`` in the look, and every baseline that was ``looked_at``, as it was there."""
    plain = {each: baseline(each) for each in BASELINES}
    whole: dict[str, Forecaster] = {**plain, **{each + MARK: Quantised(one) for each, one in plain.items()}}
    return [Named(bundle, name), *(whole[each] for each in looked_at if each in whole)]


def score_again(
    samples: Samples, market: Market, forecasters: Sequence[Forecaster]
) -> Iterator[tuple[Prompt, dict[str, float]]]:
    """Yield each prompt with the total of every forecaster by name.

    Raises:
        DataError: a forecaster cannot answer one of them.
        ValueError: one returns paths that no validator would take.
    """
    rules = get_rules(samples.rules)
    competition = get_competition(samples.competition, rules)

    def lose(prompt: Prompt, reason: str) -> None:
        raise DataError(f"the test prompt of {prompt.asset} at {prompt.start_time} cannot be answered: {reason}")

    for sample in samples.prompts:
        rows = score_prompt(forecasters, market, sample.prompt, competition, rules, samples.seed, lose)
        if not rows:
            raise DataError(f"the prices kept for {sample.asset} at {sample.start_time} lack the last one")
        yield sample.prompt, {row["forecaster"]: row["total"] for row in rows}


def save_samples(path: Path, samples: Samples, market: Market) -> None:
    """Write the one file.

    Raises:
        OSError: the disk refuses.
    """
    parts = [
        pd.DataFrame({name: getattr(bars, name) for name in ("time", *_PRICES)}).assign(
            asset=asset, resolution=resolution, now=0
        )
        for (asset, resolution), bars in sorted(market.items())
    ]
    if isinstance(market.foresight, Foreknown):
        for (asset, now), (times, values) in sorted(market.foresight.tables.items()):
            rows = pd.DataFrame({"time": times, **dict.fromkeys(_PRICES, values)})
            parts.append(rows.assign(asset=asset, resolution=0, now=now))
    table = pa.Table.from_pandas(pd.concat(parts, ignore_index=True), preserve_index=False)
    told = json.dumps(asdict(samples), allow_nan=False, sort_keys=True).encode()
    with atomic_file(path) as draft:
        pq.write_table(table.replace_schema_metadata({_KEY: told}), draft, compression="zstd")


def read_samples(path: Path) -> tuple[Samples, Market]:
    """Read what ``save_samples`` wrote.

    Raises:
        DataError: it is missing, damaged, too large or of another form.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DataError(f"{path} has {path.stat().st_size} bytes, more than the {MAX_BYTES} of such a file")
        with pq.ParquetFile(path) as file:
            if file.metadata.num_rows > _MAX_ROWS:
                raise DataError(f"{path} has {file.metadata.num_rows} rows, more than the {_MAX_ROWS} of such a file")
            told = (file.schema_arrow.metadata or {}).get(_KEY, b"{}")
            samples = build(Samples, strict_json.loads(told))
            frame = file.read().to_pandas()
        bars, known = frame[frame["now"] == 0], frame[frame["now"] != 0]
        found = {
            (str(asset), int(resolution)): _bars(part, int(resolution))
            for (asset, resolution), part in bars.groupby(["asset", "resolution"], sort=True)
        }
        tables = {
            (str(asset), int(now)): (_times(part), part["close"].to_numpy(dtype=np.float64))
            for (asset, now), part in known.groupby(["asset", "now"], sort=True)
        }
        market = Market(found, Foreknown(tables) if tables else None)
        asked = get_competition(samples.competition, get_rules(samples.rules))
        for sample in samples.prompts:
            length, increment = sample.prompt.time_length, sample.prompt.time_increment
            if (length, increment) != (asked.time_length, asked.time_increment):
                raise ValueError(f"{asked.name} asks for no {length} seconds in steps of {increment}")
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException, ConfigError) as error:
        raise DataError(f"{path} is no file of test prompts: {' '.join(str(error).split())[:300]}") from error
    if not 0 < len(samples.prompts) <= MAX_PROMPTS:
        raise DataError(f"{path} holds {len(samples.prompts)} prompts, not 1 to {MAX_PROMPTS}")
    return samples, market


def _bars(part: pd.DataFrame, resolution: int) -> Bars:
    if resolution < 1:
        raise ValueError(f"bars of {resolution} seconds")
    prices = {name: part[name].to_numpy(dtype=np.float64) for name in _PRICES}
    return Bars(time=_times(part), resolution=resolution, **prices)


def _times(part: pd.DataFrame) -> Times:
    times = part["time"].to_numpy(dtype=np.int64)
    if (np.diff(times) <= 0).any():
        raise ValueError("rows are not sorted by time")
    return times


def differs(found: float, recorded: float, *, exactly: bool) -> bool:
    """Whether a figure that was computed again is another one: to the bit on one machine, else by 1e-4 of it."""
    if not math.isfinite(found):
        return True
    return found != recorded if exactly else abs(found - recorded) > 1e-4 * abs(recorded)


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith(("model name", "CPU part")):
                return f"{platform.machine()} {line.partition(':')[2].strip()}"
    except OSError:  # not Linux
        pass
    return f"{platform.machine()} {platform.processor()}".strip()

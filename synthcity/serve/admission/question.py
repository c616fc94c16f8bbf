"""From the body of a request to a prompt, every field bounded.

Nothing of a body is signed, so nothing of it is trusted, and nothing is put in for what is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson

from synthcity.serve.admission.refusal import Refusal
from synthcity.sn50.competitions import get_rules, rule_dates
from synthcity.sn50.prompt import Prompt

MAX_BYTES = 16 * 1024


def _known() -> tuple[frozenset[str], frozenset[tuple[int, int]]]:
    """All assets, and all (length, increment), of all rules: roll-outs overlap and test networks differ."""
    competitions = [one for date in rule_dates() for one in get_rules(date).competitions.values()]
    assets = {asset for one in competitions for asset in one.assets}
    return frozenset(assets), frozenset((one.time_length, one.time_increment) for one in competitions)


_ASSETS, _GRIDS = _known()


@dataclass(frozen=True, kw_only=True)
class QuestionConfig:
    """What may be asked.

    Attributes:
        assets: names of assets.
        grids: pairs of length and increment, seconds.
        max_simulations: most paths.
        latest_start_seconds: how far ahead a start may lie; the network asks at most two minutes before it.
        earliest_start_seconds: how far back; an answer after its start comes too late.
    """

    assets: frozenset[str] = _ASSETS
    grids: frozenset[tuple[int, int]] = _GRIDS
    max_simulations: int = 1000
    latest_start_seconds: float = 300.0
    earliest_start_seconds: float = 0.0


def read_body(body: bytes, now: float, config: QuestionConfig) -> Prompt:
    """Read a synapse.

    Args:
        body: JSON bytes.
        now: unix seconds.
        config: what may be asked.

    Raises:
        Refusal: 400 for anything that is not exactly a question; 413 for too many bytes.
    """
    if len(body) > MAX_BYTES:
        raise Refusal(413, "size", f"a question has at most {MAX_BYTES} bytes")
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Refusal(400, "malformed", "the body is no JSON") from None
    asked = data.get("simulation_input") if isinstance(data, dict) else None
    if not isinstance(asked, dict):
        raise Refusal(400, "malformed", "the body must be an object with the object simulation_input")
    return read_question(asked, now, config)


def read_question(asked: Mapping[str, object], now: float, config: QuestionConfig) -> Prompt:
    """Read the fields of ``simulation_input``.

    Raises:
        Refusal: 400 for the first field that is missing or out of bounds.
    """
    asset = asked.get("asset")
    grid = (_whole(asked, "time_length"), _whole(asked, "time_increment"))
    start = _start(asked.get("start_time"))
    return check_question(asset, grid, _whole(asked, "num_simulations"), start, now, config)


def check_question(
    asset: object, grid: tuple[int, int], num_simulations: int, start: int, now: float, config: QuestionConfig
) -> Prompt:
    """Return the prompt if it lies within bounds; ``grid`` is (length, increment).

    Raises:
        Refusal: 400 for the first field that does not.
    """
    if not isinstance(asset, str) or asset not in config.assets:
        raise Refusal(400, "asset", f"asset must be one of {_list(config.assets)}, not {_shown(asset)}")
    if grid not in config.grids:
        names = _list(f"{length}/{step}" for length, step in config.grids)
        raise Refusal(
            400, "grid", f"time_length/time_increment must be one of {names}, not {_shown(grid[0])}/{_shown(grid[1])}"
        )
    if not 1 <= num_simulations <= config.max_simulations:
        limits = f"1 to {config.max_simulations}"
        raise Refusal(400, "simulations", f"num_simulations must be {limits}, not {_shown(num_simulations)}")
    if not now - config.earliest_start_seconds <= start <= now + config.latest_start_seconds:
        raise Refusal(400, "start", "start_time must lie ahead, by a few minutes at most")
    return Prompt(
        asset=asset,
        start_time=start,
        time_length=grid[0],
        time_increment=grid[1],
        num_simulations=num_simulations,
    )


def _whole(asked: Mapping[str, object], name: str) -> int:
    value = asked.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Refusal(400, "malformed", f"{name} must be a whole number, not {_shown(value)}")
    return value


def _start(value: object) -> int:
    """Unix seconds of ISO 8601 with an offset, whole seconds."""
    try:
        if not isinstance(value, str) or len(value) > 40:
            raise ValueError
        time = datetime.fromisoformat(value)
        if time.tzinfo is None or time.microsecond:
            raise ValueError
        return int(time.timestamp())
    except (ValueError, OverflowError):
        shape = "a whole second of ISO 8601 with an offset, such as 2026-09-08T12:00:00+00:00"
        raise Refusal(400, "start", f"start_time must be {shape}, not {_shown(value)}") from None


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def _shown(value: object) -> str:
    """What was sent, no longer than a word."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."

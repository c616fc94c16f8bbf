"""What trains networks: each is a command of its own in a process of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from synthcity.bridge.jobs import board
from synthcity.bridge.jobs.telling import JobTold, told
from synthcity.bridge.operation import Answer, Asked, Input, Operation, Refused
from synthcity.durations import DAY
from synthcity.errors import ConfigError, unknown_name

if TYPE_CHECKING:
    from synthcity.search.config import SearchConfig

MOST_STEPS, MOST_TRIALS, MOST_SECONDS = 100_000, 1000, 14 * DAY
Asset = Annotated[str, Field(pattern="^[A-Z0-9]{1,12}$")]
Sweep = Annotated[str, Field(pattern="^[A-Za-z0-9][A-Za-z0-9_-]{0,60}$")]
Name = Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,40}$")]  # so that no module:Name of a caller's is imported


class Long(Input):
    """What all long operations take."""

    idempotency_key: str | None = Field(
        None, min_length=1, max_length=200, pattern="^[!-~]+$", description="The same key starts a job once."
    )


class Network(Long):
    """Which network, and how it is trained."""

    blocks: list[Name] = Field([], max_length=4, description="Blocks, first to last.")
    head: Name | None = Field(None, description="What makes paths; gbm by default.")
    seed: int | None = Field(None, ge=0, lt=2**62, description="Of weights, batches and paths.")


class OnPrices(Long):
    """On which prices, and how long."""

    config: Sweep | None = Field(None, description="Sweep file in the bridge's folder of configs, without .yaml.")
    steps: int | None = Field(None, ge=1, le=MOST_STEPS, description="Steps of a training.")
    seed: int | None = Field(None, ge=0, lt=2**62, description="Of weights, batches and paths.")
    assets: list[Asset] | None = Field(None, min_length=1, max_length=20, description="Assets; those of the config.")


class Experiment(OnPrices):
    """One network."""

    blocks: list[Name] = Field([], max_length=4, description="Blocks, first to last.")
    head: Name = Field("gbm", description="What makes paths.")


class Presets(OnPrices):
    """Known-good networks."""

    presets: list[Name] | None = Field(None, min_length=1, max_length=30, description="Which; all by default.")


class Search(OnPrices):
    """A whole search."""

    config: Sweep = Field("quickstart", description="Sweep file in the bridge's folder of configs, without .yaml.")
    trials: int | None = Field(None, ge=1, le=MOST_TRIALS, description="Networks tried at most.")
    seconds: int | None = Field(None, ge=1, le=MOST_SECONDS, description="Time that the search may take.")


def start(asked: Asked[Any], action: str, arguments: list[str], secrets: tuple[str, ...] = ()) -> Answer:
    """Start ``synthcity ACTION ARGUMENTS`` in a run folder of its own."""
    where = ["--set", "name={run}", "--set", f"output={json.dumps('{runs}')}"]
    job = board.start(
        asked.place,
        asked.bot,
        action,
        asked.given.model_dump(mode="json", exclude={"idempotency_key"}),
        [action, *arguments, *where],
        key=asked.given.idempotency_key,
        secrets_needed=secrets,
    )
    return told(asked.place, job)


def sweep_file(asked: Asked[Any], name: str) -> str:
    """Return the sweep file of a name; nothing but the bridge's own folder is looked into.

    Raises:
        Refused: there is none.
    """
    path = asked.place.configs / f"{name}.yaml"
    if not path.is_file():
        known = sorted(each.stem for each in asked.place.configs.glob("*.yaml"))
        raise Refused(unknown_name("sweep file", name, known) if known else "this bridge has no sweep files", 404)
    return str(path.absolute())


def _network(blocks: list[str], head: str | None) -> list[str]:
    return [*(["--blocks", ",".join(blocks)] if blocks else []), *(["--head", head] if head else [])]


def _prices(asked: Asked[Any]) -> tuple[list[str], list[str]]:
    """Arguments, and settings of a sweep file."""
    given = asked.given
    arguments = [] if given.config is None else [sweep_file(asked, given.config)]
    settings = [] if given.steps is None else [f"search.max_steps={given.steps}"]
    settings += [] if given.seed is None else [f"search.seed={given.seed}"]
    settings += [] if given.assets is None else [f"data.assets=[{','.join(given.assets)}]"]
    return arguments, settings


def _set(settings: list[str]) -> list[str]:
    return [part for setting in settings for part in ("--set", setting)]


def _needed(config: SearchConfig) -> tuple[str, ...]:
    """Beginnings of the variables whose secrets a search needs."""
    asks = config.search.asks_model or config.search.author
    found = ["SYNTHCITY_LLM_", "CHUTES_"] if asks else []
    found += ["HIPPIUS_"] if config.vault or any(name.startswith("vault:") for name in config.search.earlier) else []
    return tuple(found + (["WANDB_"] if "wandb" in config.track else []))


def _quick(asked: Asked[Network]) -> Answer:
    given = asked.given
    seed = [] if given.seed is None else ["--seed", str(given.seed)]
    return start(asked, "quick", [*_network(given.blocks, given.head), *seed])


def _experiment(asked: Asked[Experiment]) -> Answer:
    from synthcity.search.handpicked import compose, handpicked_config

    arguments, settings = _prices(asked)
    network, _ = compose(asked.given.blocks, asked.given.head, ())
    config = handpicked_config(arguments[0] if arguments else None, [network], settings)
    chosen = _network(asked.given.blocks, asked.given.head)
    return start(asked, "experiment", [*arguments, *chosen, *_set(settings)], _needed(config))


def _sweep(asked: Asked[Presets]) -> Answer:
    from synthcity.search.candidates.presets import presets
    from synthcity.search.handpicked import handpicked_config

    arguments, settings = _prices(asked)
    chosen = [] if asked.given.presets is None else ["--presets", ",".join(asked.given.presets)]
    for name in asked.given.presets or ():
        if name not in presets():
            raise ConfigError(unknown_name("preset", name, presets()))
    config = handpicked_config(arguments[0] if arguments else None, asked.given.presets or list(presets()), settings)
    return start(asked, "sweep", [*arguments, *chosen, *_set(settings)], _needed(config))


def _search(asked: Asked[Search]) -> Answer:
    from synthcity.search.config import load_config

    given = asked.given
    arguments, settings = _prices(asked)
    settings += [] if given.trials is None else [f"search.trials={given.trials}"]
    settings += [] if given.seconds is None else [f"search.time_budget={given.seconds}s"]
    config = load_config(Path(arguments[0]), settings)  # what is wrong is told now, and not by a job that fails
    return start(asked, "search", [*arguments, *_set(settings)], _needed(config))


def _starts(name: str, about: str, takes: type[Long], act: Callable[[Asked[Any]], Answer]) -> Operation[Any]:
    return Operation(
        name=name,
        about=about,
        route=f"/{name}/run",
        takes=takes,
        gives=JobTold,
        act=act,
        writes=True,
        long=True,
    )


OPERATIONS: tuple[Operation[Any], ...] = (
    _starts("quick", "Train and judge a small network on a simulated market, in a minute or two.", Network, _quick),
    _starts("experiment", "Train and judge one network of your choice.", Experiment, _experiment),
    _starts("sweep", "Train known-good networks side by side and judge the best.", Presets, _sweep),
    _starts("search", "Search for the best forecaster as a sweep file says, and prove it.", Search, _search),
)

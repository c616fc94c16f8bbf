"""The gate that a proposal passes before it costs a worker a second: cheap checks first, dear ones last.

What the measured costs of its blocks show to be far too slow is not even tried; of the rest the dry run times a step.
A clock is noisy, so what was measured of a shape (a network without its rates) is kept in the journal with the verdict,
and whoever has the same shape later, on the same machine, has the same verdict. What is a little too slow is timed
again, and its fastest step counts. A rejection is recorded with its reason, is free for the trial budget and is what a
proposer learns from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from synthcity.errors import ConfigError, SynthcityError, TrialFailed
from synthcity.nets.config import RECIPE
from synthcity.nets.registry import component
from synthcity.search.candidates.candidate import Candidate, Config, Proposal
from synthcity.search.candidates.notation import sketch
from synthcity.search.candidates.space import Space, canonical, config_hash, shape
from synthcity.search.journal.diagnosis import at_least_as_large
from synthcity.search.journal.history import TrialHistory

DryRun = Callable[[Config], Mapping[str, float]]
# with some twenty active parameters a change of a tenth of one range; less is within the noise of a seed
NEAREST = 0.005
# measured costs are those of default options on another machine: only what is this many times too slow is not tried
_CLEARLY = 4.0
# what one timing finds too slow by less may be the noise of a busy machine: it is timed so many times in all
_NEARLY, _TIMINGS = 1.5, 3


class Rejected(SynthcityError):
    """The gate refused a proposal; ``stage`` says where."""

    def __init__(self, stage: str, reason: str, step_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.stage = stage
        self.step_seconds = step_seconds  # where a step was timed


@dataclass(frozen=True, kw_only=True)
class GateLimits:
    """What a candidate may cost: parameters, and seconds a step of a whole training (None: any)."""

    max_parameters: int
    max_step_seconds: float | None = None

    def step_seconds(self, config: Config) -> float | None:
        """Return the most that a training step of a config may take: more where it trains fewer of the steps."""
        steps = float(config["training"].get("steps", RECIPE["steps"]))
        return None if self.max_step_seconds is None else self.max_step_seconds / steps


class Gate:
    """Turns proposals into candidates or refuses them.

    ``dry_run`` takes a canonical config, builds the network, runs a forward and backward pass and returns its number
    of ``parameters`` and its ``step_seconds``; it raises ConfigError or TrialFailed with the cause.
    """

    def __init__(self, space: Space, dry_run: DryRun, limits: GateLimits) -> None:
        self._space = space
        self._dry_run = dry_run
        self._limits = limits

    def admit(self, proposal: Proposal, source: str, history: TrialHistory) -> Candidate:
        """Return the candidate that ``proposal`` becomes, numbered after those in ``history``.

        Raises:
            Rejected: with the stage and the reason.
        """
        config, digest = self.screen(proposal, history)
        step_seconds = self._check_run(config, history)
        return Candidate(
            index=len(history.trials),
            source=source,
            config=config,
            hash=digest,
            parent=proposal.parent,
            rationale=proposal.rationale,
            usd=proposal.usd,
            step_seconds=step_seconds,
        )

    def screen(self, proposal: Proposal, history: TrialHistory) -> tuple[Config, str]:
        """Run the checks that build no network, safe on any thread; return the canonical config and its hash.

        Raises:
            Rejected: with the stage and the reason.
        """
        try:
            config = canonical(proposal.config)
        except ConfigError as error:
            raise Rejected("config", str(error)) from error
        digest = config_hash(config)
        self._check_new(config, digest, history)
        self._check_limits(config, history)
        self._check_estimate(config)
        return config, digest

    def _check_new(self, config: Config, digest: str, history: TrialHistory) -> None:
        for record in history.records:
            other = record.candidate
            if other.hash == digest:
                raise Rejected("duplicate", f"the same network as {other.id}")
        for record in history.records:
            distance = near(self._space, config, record.candidate.config)
            if distance is not None:
                raise Rejected("near duplicate", f"only {distance:.4f} away from {record.id}")

    def _check_limits(self, config: Config, history: TrialHistory) -> None:
        """Refuse what is at least as large as a trial that needed too much memory or time."""
        for record in history.limits:
            if at_least_as_large(config, record.candidate.config):
                assert record.diagnosis is not None
                cause = record.diagnosis.cause
                raise Rejected("limit", f"in nothing smaller than {record.candidate.id}, which ran out of {cause}")

    def _check_estimate(self, config: Config) -> None:
        """Refuse by the measured costs of the blocks what no dry run need show to be too slow."""
        limit = self._limits.step_seconds(config)
        if limit is None:
            return
        size = {"seq": config["history"], "d_model": config["d_model"], "batch": config["training"]["batch_size"]}
        costs = [(component("block", block["name"]).cost, block["name"]) for block in config["blocks"]]
        seconds = [(cost.step_seconds(**size), name) for cost, name in costs if cost is not None]
        total = sum(each for each, _ in seconds)
        if total > _CLEARLY * limit:
            worst = max(seconds)
            text = f"a step of {sketch(config)} would take about {total:.3g} s"
            text += f", {worst[0]:.3g} s of it the block {worst[1]}"
            raise Rejected("too slow", f"{text}; that is far more than the {limit:.3g} s there are")

    def _check_run(self, config: Config, history: TrialHistory) -> float | None:
        """Run it; return what a step took where that is known, of its shape if that was timed before."""
        limit, known = self._limits.step_seconds(config), _timings(history).get(shape(config))
        if limit is not None and known is not None and known > limit:
            raise self._too_slow(config, known, limit)
        cost = self._run(config)
        limits = self._limits
        if cost["parameters"] > limits.max_parameters:
            text = f"{sketch(config)} has {cost['parameters']:.0f} parameters, more than the limit of"
            raise Rejected("size", f"{text} {limits.max_parameters}")
        if limit is None or known is not None:
            return known
        found = cost["step_seconds"]
        for _ in range(_TIMINGS - 1):
            if not limit < found <= _NEARLY * limit:
                break
            found = min(found, self._run(config)["step_seconds"])
        if found > limit:
            raise self._too_slow(config, found, limit)
        return found

    def _run(self, config: Config) -> Mapping[str, float]:
        try:
            return self._dry_run(config)
        except ConfigError as error:
            raise Rejected("config", str(error)) from error
        except TrialFailed as error:
            raise Rejected("dry run", str(error)) from error
        except Exception as error:
            raise Rejected("dry run", f"{type(error).__name__}: {error}") from error

    def _too_slow(self, config: Config, seconds: float, limit: float) -> Rejected:
        takes, most = 1e3 * seconds, 1e3 * limit
        text = f"a step of {sketch(config)} takes {takes:.1f} ms, more than the {most:.1f} ms there are"
        return Rejected("too slow", text, seconds)


def _structure(config: Config) -> list[str]:
    """Return the names of the blocks, in order, and of the head."""
    return [*(block["name"] for block in config["blocks"]), config["head"]["name"]]


def _timings(history: TrialHistory) -> dict[str, float]:
    """What a training step of each shape took, as it was first timed on this machine."""
    rejections, trials = history.timed_from
    told = [(each.step_seconds, each.config) for each in history.rejections[rejections:]]
    told += [(record.candidate.step_seconds, record.candidate.config) for record in history.records[trials:]]
    found: dict[str, float] = {}
    for seconds, config in told:
        if seconds is not None:
            with suppress(ConfigError):  # a component that is no longer there was timed, and nobody proposes it
                found.setdefault(shape(canonical(config)), seconds)
    return found


def near(space: Space, first: Config, second: Config) -> float | None:
    """Return how far two networks lie apart where that is too little to tell them apart, else None."""
    # another block or head counts 1, and there are far fewer than 1 / NEAREST parameters: never that near
    if _structure(first) != _structure(second):
        return None
    try:
        distance = space.distance(first, second)
    except ValueError:  # a hand-written candidate may lie outside the sampled space: no distance
        return None
    return distance if distance < NEAREST else None

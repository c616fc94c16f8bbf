"""Train the networks of a frozen bundle once more, on all prices that there are by now.

What a search found out stays as it was: networks, steps, seeds, weights of a mix, routes. Only what the networks have
seen grows, from the first day that they learned from to the newest price. Nothing is chosen and nothing is judged, so
no verdict speaks of what comes out; its manifest tells what it was made from.

Every network is kept on the disk when it is done: who is killed goes on with the next one.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from synthcity.cluster.local import cluster
from synthcity.errors import BundleError, ConfigError, RunError
from synthcity.files import atomic_write, standing
from synthcity.forecast.bundles.bundle import Savable, load
from synthcity.forecast.bundles.facts import Facts, facts_kept, keep_facts
from synthcity.forecast.bundles.verified import MANIFEST
from synthcity.forecast.forecaster import Composite, Forecaster
from synthcity.market.bars import Bars, Market
from synthcity.market.dataset import Dataset, build_dataset
from synthcity.market.finer import COARSE, lengthen
from synthcity.market.periods import Period
from synthcity.market.store import open_store
from synthcity.market.times import format_duration, format_time
from synthcity.nets.authored.code import codes_of
from synthcity.nets.forecaster import NetForecaster
from synthcity.research.informed.columns import with_inputs
from synthcity.research.informed.forecaster import Informed
from synthcity.sn50.competitions import Competition, get_competition, get_rules

Tell = Callable[[str], None]
WORK = ".refit"
"""Ends the name of the folder of what is trained already, beside that of the new bundle."""


@dataclass(frozen=True, eq=False, kw_only=True)
class _Job:
    """One network, and what it is trained on again."""

    network: NetForecaster
    facts: Facts
    competition: Competition
    rules: str
    seed: int
    steps: int

    @property
    def data_key(self) -> tuple[object, ...]:
        """Equal for those that share a dataset."""
        drawn = self.facts.drawn_minutes
        inputs = self.network.inputs.digest if isinstance(self.network.inputs, Informed) else None
        return self.competition.name, self.rules, self.network.spec, self.network.assets, self._start, drawn, inputs

    @property
    def _start(self) -> int:
        return self.facts.periods["train"].start

    def dataset(self, market: Market, until: int) -> Dataset:
        """Return all windows up to ``until``; a handful are told apart to be scored, which decides nothing."""
        spec, rules = self.network.spec, get_rules(self.rules)
        horizon = spec.horizon * spec.increment
        known = market.until(until)
        if self.facts.drawn_minutes:
            coarse = {asset: known[asset, COARSE] for asset in self.network.assets if (asset, COARSE) in known}
            known = lengthen(known, coarse, spec.increment, self._start - spec.lookback * spec.increment)
        dataset = build_dataset(
            known,
            competition=self.competition.name,
            rules=self.rules,
            spec=spec,
            assets=self.network.assets,
            train=(self._start, until),
            validation=(max(self._start, until - 40 * horizon), until),
            validation_every=horizon,
            coefficients={asset: rules.coefficient(asset) for asset in self.network.assets},
        )
        inputs = self.network.inputs
        return dataset if not isinstance(inputs, Informed) else with_inputs(dataset, inputs, market.until(until))


def renew(
    bundle: Path,
    data: Path | str,
    folder: Path,
    *,
    until: int | None = None,
    trust_code: bool = False,
    workers: int | None = None,
    tell: Tell = lambda sentence: None,
) -> Facts:
    """Write to ``folder`` the bundle of the same networks, trained up to ``until``; return what its manifest tells.

    Args:
        bundle: of a search, or several of them combined.
        data: a price store.
        folder: of the new bundle; one that is there is replaced at the end, in one step.
        until: end of the prices to learn from (unix seconds), None for all there are.
        workers: networks at a time, None for one every CPU.
        tell: gets a sentence of progress.

    Raises:
        ConfigError: the bundle holds no network, does not tell where it comes from or learned from later prices.
        DataError: the store lacks prices.
        BundleError: the bundle is damaged.
        RunError: the disk refuses.
    """
    digest = hashlib.sha256((standing(bundle) / MANIFEST).read_bytes()).hexdigest() if bundle.is_dir() else ""
    old = load(bundle, trust_code=trust_code)
    jobs = [_job(bundle, network, facts) for network, facts in _networks(old, None)]
    if not jobs:
        raise ConfigError(f"{bundle} holds no network: {old.name} learns from the prices that it is asked with")
    market, venues = _prices(data, jobs)
    work = folder.with_name(folder.name + WORK)
    end = _end(bundle, market, jobs, until, _begun(work, digest))
    plan = {"bundle": digest, "until": end}
    try:
        work.mkdir(parents=True, exist_ok=True)
        atomic_write(work / "plan.json", json.dumps(plan))
        states = _train(jobs, market, end, work, workers, tell)
    except OSError as error:
        raise RunError(f"cannot write {work} ({error.strerror or error}); make space and repeat the command") from error
    by_network = {
        id(job.network): NetForecaster.from_state(state, job.network.inputs)
        for job, state in zip(jobs, states, strict=True)
    }
    new = _rebuilt(old, by_network, lambda facts: _renewed(facts, venues, end, digest))
    assert isinstance(new, Savable)
    new.save(folder)
    shutil.rmtree(work, ignore_errors=True)
    return _renewed(jobs[0].facts, venues, end, digest)


def _networks(forecaster: Forecaster, facts: Facts | None) -> Iterator[tuple[NetForecaster, Facts | None]]:
    """Every network in the tree, with the facts of the nearest bundle around it that tells some."""
    facts = facts_kept(forecaster) or facts
    if isinstance(forecaster, NetForecaster):
        yield forecaster, facts
    elif isinstance(forecaster, Composite):
        for part in forecaster.parts:
            yield from _networks(part, facts)


def _job(bundle: Path, network: NetForecaster, facts: Facts | None) -> _Job:
    meta = network.meta
    if facts is None or "train" not in facts.periods:
        raise ConfigError(f"{bundle} does not tell what it learned from (an older bundle); search again")
    name, rules, seed, steps = (meta.get(key) for key in ("competition", "rules", "seed", "steps"))
    if not (isinstance(name, str) and isinstance(rules, str) and isinstance(seed, int) and isinstance(steps, int)):
        raise ConfigError(f"{bundle} does not tell how its networks were trained (an older bundle); search again")
    try:
        competition = get_competition(name, get_rules(rules))
    except ValueError as error:
        raise BundleError(f"a network of {bundle} was trained for what is not known here: {error}") from error
    return _Job(network=network, facts=facts, competition=competition, rules=rules, seed=seed, steps=steps)


def _prices(data: Path | str, jobs: Sequence[_Job]) -> tuple[Market, tuple[str, ...]]:
    """Return the bars of all networks, and whose they are."""
    store = open_store(str(data))
    bars, venues = dict[tuple[str, int], Bars](), set[str]()
    told = {venue for job in jobs for venue in job.facts.venues}
    held = store.series()
    for asset, increment in {(asset, job.network.spec.increment) for job in jobs for asset in job.network.assets}:
        # of several venues the one that the bundle learned from, beside which the network's own closes may lie
        of = [one.venue for one in held if (one.asset, one.resolution) == (asset, increment) and one.venue in told]
        series = store.find(asset, increment, of[0] if len(of) == 1 else None)
        bars[asset, increment] = store.load(asset, increment, series.venue)
        venues.add(series.venue)
        if any((one.asset, one.venue, one.resolution) == (asset, series.venue, COARSE) for one in held):
            bars[asset, COARSE] = store.load(asset, COARSE, series.venue)  # to draw minutes from
    return Market(bars, store.outlook(venues)), tuple(sorted(venues))


def _begun(work: Path, digest: str) -> int | None:
    """The end of a refit of the same bundle that was cut off, None without one."""
    try:
        plan = json.loads((work / "plan.json").read_text(encoding="utf-8"))
        return int(plan["until"]) if plan["bundle"] == digest else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _end(bundle: Path, market: Market, jobs: Sequence[_Job], until: int | None, begun: int | None) -> int:
    last = min(
        int(market[asset, job.network.spec.increment].observed[-1]) for job in jobs for asset in job.network.assets
    )
    end = until if until is not None else begun if begun is not None and begun <= last else last
    longest = max(job.competition.time_length for job in jobs)
    if end > last + longest:
        raise ConfigError(
            f"the store ends on {format_time(last)}, before {format_time(end)}; download later prices first"
        )
    learned = max(job.facts.learned.end for job in jobs if job.facts.learned is not None)
    if end < learned:
        raise ConfigError(
            f"{bundle} learned from prices up to {format_time(learned)}, and the prices to refit it with end on "
            f"{format_time(end)}; download later ones"
        )
    return end


def _train(
    jobs: Sequence[_Job], market: Market, until: int, work: Path, workers: int | None, tell: Tell
) -> list[bytes]:
    """Return the states of all networks, those that lie in ``work`` already among them."""
    paths = [work / f"{number}-{until}.safetensors" for number in range(len(jobs))]
    missing = [number for number, path in enumerate(paths) if not _is_whole(path, jobs[number])]
    if len(missing) < len(jobs):
        tell(f"{len(jobs) - len(missing)} of {len(jobs)} networks were trained before")
    if missing:
        datasets = {job.data_key: job.dataset(market, until) for job in (jobs[number] for number in missing)}
        begin, done = time.monotonic(), 0
        with cluster(workers) as found:
            for number, state in _trained({n: jobs[n] for n in missing}, datasets):
                atomic_write(paths[number], state)
                done += 1
                left = (time.monotonic() - begin) / done * (len(missing) - done)
                tell(
                    f"{len(jobs) - len(missing) + done} of {len(jobs)} networks trained ({jobs[number].network.name}, "
                    f"{jobs[number].steps:,} steps), {found.workers} at a time"
                    + (f"; about {format_duration(round(left))} left" if done < len(missing) else "")
                )
    return [path.read_bytes() for path in paths]


def _trained(jobs: Mapping[int, _Job], datasets: Mapping[tuple[object, ...], Dataset]) -> Iterator[tuple[int, bytes]]:
    """Train on the running cluster, in the order in which they are done."""
    import ray

    from synthcity.search.finals.refit import fit

    shared = {key: ray.put(dataset) for key, dataset in datasets.items()}
    task = ray.remote(num_cpus=1)(fit)
    pending = {}
    for number, job in jobs.items():
        config = job.network.network.config.to_dict()
        handle = task.remote(config, codes_of(config), shared[job.data_key], job.seed, job.steps)
        pending[handle] = number
    while pending:
        (ready,), _ = ray.wait(list(pending), num_returns=1)
        state, _, _ = ray.get(ready)
        yield pending.pop(ready), state


def _is_whole(path: Path, job: _Job) -> bool:
    try:
        NetForecaster.from_state(path.read_bytes(), job.network.inputs)
    except (OSError, BundleError):
        return False
    return True


def _renewed(facts: Facts, venues: Sequence[str], until: int, digest: str) -> Facts:
    """What was chosen on simulated prices stays simulated, whatever it is trained on again."""
    train = Period(start=facts.periods["train"].start, end=until)
    everyone = tuple(dict.fromkeys([*facts.venues, *venues]))
    return replace(facts, venues=everyone, periods={"train": train}, refit_of=digest)


def _rebuilt(old: Forecaster, networks: Mapping[int, NetForecaster], renewed: Callable[[Facts], Facts]) -> Forecaster:
    """Return the same tree with other networks, each part with what it tells of itself brought up to date."""
    new: Forecaster = old
    if isinstance(old, NetForecaster):
        new = networks[id(old)]
    elif isinstance(old, Composite):
        new = old.with_parts([_rebuilt(part, networks, renewed) for part in old.parts])
    if new is not old and (facts := facts_kept(old)) is not None:
        keep_facts(new, renewed(facts))
    return new

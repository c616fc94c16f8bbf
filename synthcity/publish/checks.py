"""The checks of the gate: each returns the first reason against publishing a run, or an empty text."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields

from synthcity.forecast.baselines import BASELINES, STRONGEST
from synthcity.forecast.bundles.facts import PERIODS
from synthcity.forecast.bundles.verified import WEIGHTS, listed_files
from synthcity.forecast.evaluation.samples import SAMPLES
from synthcity.forecast.quantise import MARK
from synthcity.market.periods import Periods
from synthcity.market.store.series import SIMULATED
from synthcity.publish.evidence import Evidence
from synthcity.publish.forms import foreign_name, has_code, wrong_weights
from synthcity.publish.rescoring import rescore
from synthcity.search.report.outcome import baselines_of
from synthcity.settings import Secret, Settings
from synthcity.sn50.competitions import get_rules

_COMPUTED = (
    "verdict", "scores", "leads", "choice", "cuts", "finals", "validation_baselines", "trials", "failures", "repairs",
    "limits", "rejections", "diagnostics", "periods", "earnings", "place",
    "inputs", "kept_inputs",
)  # fmt: skip
_RUN = ("name", "competition", "rules", "assets", "is_simulated", "num_prompts", "looks", "first_prompt", "last_prompt")
_CLOSE = 1e-9


def real_prices(found: Evidence) -> str:
    """Prices that somebody paid, by the word of journal, report and bundle alike."""
    config, report = found.told.get("config", {}), found.report["run"]
    data = config.get("data")
    source = data.get("source") if isinstance(data, Mapping) else None
    venues = {SIMULATED} if source == SIMULATED else set[str]()
    for facts in found.facts:
        venues |= set(facts.venues) or {"unknown"}
    if SIMULATED in venues or report["is_simulated"] or SIMULATED in report["venues"]:
        return "it was searched on SIMULATED prices, so what it proves is worth nothing; search on real ones"
    if source != "store" or not venues or "unknown" in venues:
        return "it does not tell whose prices it was searched on"
    if sorted(venues) != sorted(report["venues"]):
        told, shown = ", ".join(sorted(venues)), ", ".join(sorted(report["venues"]))
        return f"its bundle was made from prices of {told}, and its report tells of {shown}"
    return ""


def made_up_prices(found: Evidence) -> str:
    """Prices that nobody paid, by the word of all: what is found on real ones goes to no stand-in."""
    data = found.told.get("config", {}).get("data")
    told = {str(data.get("source")) if isinstance(data, Mapping) else "unknown", *found.report["run"]["venues"]}
    told |= {venue for facts in found.facts for venue in facts.venues or ("unknown",)}
    if told != {SIMULATED} or not found.report["run"]["is_simulated"]:
        return f"it is no rehearsal: it was searched on prices of {', '.join(sorted(told - {SIMULATED})) or 'nobody'}"
    return ""


def rules(found: Evidence) -> str:
    """The network's newest rules, and one competition of them all over."""
    newest, told = get_rules(), found.told
    dates = {told.get("rules"), found.report["run"]["rules"], *(facts.rules for facts in found.facts)}
    if dates != {newest.date}:
        was = ", ".join(sorted({str(date) for date in dates} - {newest.date}))
        return f"it was judged by the rules of {was}; those of today are of {newest.date}: search again by them"
    names = {told.get("competition"), found.report["run"]["competition"], *(one.competition for one in found.facts)}
    if len(names) != 1 or next(iter(names)) not in newest.competitions:
        return f"journal, report and bundle tell of different competitions: {', '.join(sorted(map(str, names)))}"
    return ""


def verdict(found: Evidence) -> str:
    """The verdict is about a network, against every baseline, and is what the scores of the look say."""
    scores, history = found.scores, found.history
    told = next((event for event in reversed(found.events) if event["kind"] == "verdict"), None)
    if told is None:
        return "it has no verdict; continue it with --resume"
    if not all(math.isfinite(value) and value > 0 for value in scores["total"]):
        return "a score of the look is no positive number"
    chosen = history.finals.chosen
    if chosen is None or chosen["challenger"] is None or chosen["name"] != chosen["challenger"]:
        return "a baseline was frozen, so there is nothing to publish"
    wanted = {*BASELINES, *found.history.baselines, chosen["challenger"]}
    wanted |= {name + MARK for name in (chosen["best_baseline"], *STRONGEST)}
    if missing := sorted(wanted - set(scores["forecaster"])):
        return f"it was never compared with {', '.join(missing)}; search again"
    keys = ["asset", "start_time"]
    if scores.duplicated([*keys, "forecaster"]).any() or scores.groupby(keys)["forecaster"].nunique().nunique() != 1:
        return "not everybody was scored on the same test prompts"
    shown = found.report["verdict"]
    if any(told.get(key) != value for key, value in shown.items()):
        return f"its journal and its report tell another verdict: {told['sentence']!r} and {shown['sentence']!r}"
    rebuilt = found.rebuilt["verdict"]
    if rebuilt["sentence"] != told["sentence"]:
        return f"the scores of the look say {rebuilt['sentence']!r}, and the verdict {told['sentence']!r}"
    if rebuilt["proven"] != told["proven"]:
        return "its verdict and the scores of the look differ on whether anything is proven"
    return ""


def proven(found: Evidence) -> str:
    """Proven against every baseline, by leads that are computed here from the scores of the look."""
    rebuilt = found.rebuilt["verdict"]
    if not (rebuilt["proven"] and all(rebuilt["proven_against"].values())):
        return f"it proves nothing: {rebuilt['sentence']}"
    return ""


def report(found: Evidence) -> str:
    """Every figure of the report that can be computed from journal and scores is computed again."""
    rebuilt, told = _plain(found.rebuilt), _plain(found.report)
    run, told_run = _plain(rebuilt["run"]), _plain(told["run"])
    for key in _COMPUTED:
        if not _same(rebuilt.get(key), told.get(key)):
            return f"its report was edited: {key} is not what journal and scores tell"
    for key in _RUN:
        if not _same(run[key], told_run[key]):
            return f"its report was edited: run.{key} is {told_run[key]!r}, not {run[key]!r}"
    return ""


def _plain(value: object) -> dict[str, object]:
    """Return a record as JSON has it."""
    plain: dict[str, object] = json.loads(json.dumps(value))
    return plain


def _same(one: object, other: object) -> bool:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, float | int) and isinstance(other, float | int) and not isinstance(one, bool):
        return math.isclose(one, other, rel_tol=_CLOSE, abs_tol=_CLOSE)
    return type(one) is type(other) and one == other


def bundle(found: Evidence, with_code: bool) -> str:
    """Files of bundles only, each held against its manifest, of one run with journal and report."""
    names = found.bundle_files
    if (strange := foreign_name(names)) is not None:
        return f"its bundle holds {strange}, which is no file of a bundle"
    if has_code(names) and not with_code:
        return (
            "its bundle holds code that a language model wrote; read it, and publish it --with-code if you stand by it"
        )
    for name in names:
        if name.endswith(WEIGHTS) and (wrong := wrong_weights(found.bundle / name)):
            return f"its bundle: {wrong}"
    if unlisted := sorted(set(names) - set(listed_files(found.bundle))):
        return f"its bundle holds {unlisted[0]}, which its manifest does not list"
    told = found.told
    for facts in found.facts:
        if set(facts.assets) != set(told["assets"]) or facts.learned is None:
            return "its bundle does not tell the assets and periods that the run has"
        if facts.periods["test"].start < facts.learned.end:
            return f"its bundle learned from {facts.learned}, which reaches into its test period"
        if {name: str(period) for name, period in facts.periods.items()} != _periods(told["config"]):
            return "its bundle was made from other periods than the run's"
    return ""


def _periods(config: Mapping[str, object]) -> dict[str, str]:
    data = config["data"]
    assert isinstance(data, Mapping)
    found = Periods.parse(data["periods"])
    return {name: str(getattr(found, name)) for name in PERIODS}


def scored_again(found: Evidence, with_code: bool) -> str:
    """The bundle comes to its figures in a fresh process, and those are the figures of the look."""
    again = rescore(found.bundle, found.folder / SAMPLES, trust_code=with_code)
    if again.reason:
        return again.reason
    chosen, told = found.history.finals.chosen, found.told
    if chosen is None or (again.challenger, again.competition, again.rules) != (
        chosen["challenger"], told["competition"], told["rules"],
    ):  # fmt: skip
        return "its test prompts are of another run"
    totals = found.scores.set_index(["asset", "start_time", "forecaster"])["total"].to_dict()
    wanted = {*baselines_of(found.scores), again.challenger}
    for asset, start, scores in again.recorded:
        if set(scores) != wanted:
            return f"its test prompts were not scored for everybody: {', '.join(sorted(wanted ^ set(scores)))}"
        for name, value in scores.items():
            seen = totals.get((asset, start, name))
            if seen is None or not math.isclose(seen, value, rel_tol=1e-4):
                return f"{name} is recorded with {value!r} on {asset} at {start}, and the look saw {seen!r}"
    return ""


def no_secret(found: Evidence, settings: Settings) -> str:
    """No file holds the value of a secret of this environment."""
    values = {field.name: getattr(settings, field.name) for field in fields(settings)}
    secrets = {name: value.reveal().encode() for name, value in values.items() if isinstance(value, Secret) and value}
    for path in sorted(found.folder.rglob("*")):
        content = path.read_bytes() if path.is_file() else b""
        for name, value in secrets.items():
            if value in content:
                variable = Settings.variables()[name][0]
                where = path.relative_to(found.folder)
                return (
                    f"{where} holds the value of {variable}; change that key, and search again without it in any file"
                )
    return ""

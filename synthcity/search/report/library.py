"""What a report says of what research kept, earlier or in this run: what is used of it, and its parts in the mix."""

from __future__ import annotations

from synthcity.search.finals.choice import MIX
from synthcity.search.finals.found import NAME
from synthcity.search.journal.history import TrialHistory
from synthcity.search.journal.parts import FoundTold, InputTold
from synthcity.wording import bounds, percent


def kept_of(history: TrialHistory) -> list[InputTold]:
    """Return all that is used of the library."""
    inputs, forecasters = history.inputs, history.forecasters
    return [*(inputs["inputs"] if inputs else ()), *(forecasters["forecasters"] if forecasters else ())]


def from_library(history: TrialHistory) -> str:
    """Return a sentence for the inputs together, and one for each forecaster."""
    told, forecasters = history.inputs, history.forecasters
    sentences = []
    if told is not None and told["inputs"]:
        listed = ", ".join(f"{one['name']} ({one['made_by']}, sha256 {one['sha256'][:12]})" for one in told["inputs"])
        name = told["forecaster"]
        who = f"networks and {name} know" if told.get("networks") else f"{name} knows"
        sentences.append(f"Of the user's library {who} {listed}; {name} is {_part(history, name)}.")
    else:
        sentences.append("Of the user's library no input is used.")
    for one in forecasters["forecasters"] if forecasters else ():
        part = _part(history, one["name"])
        sentences.append(f"Its forecaster {one['name']} (sha256 {one['sha256'][:12]}) is {part}.")
    return " ".join(sentences)


def from_research(history: TrialHistory) -> str:
    """Return what research beside the trials came to, a sentence for each that was kept, and its part in the mix."""
    told = history.researched
    if told is None:
        return ""
    sentences = [f"Research beside the trials, on prices of the train period alone: {told['sentence']}."]
    sentences += [_claim(one) for one in told["found"]]
    if told["inputs"]:
        sentences.append(f"{NAME}, which knows {', '.join(told['inputs'])}, is {_part(history, NAME)}.")
    sentences += [f"The forecaster {name} is {_part(history, name)}." for name in told["forecasters"]]
    return " ".join(sentences)


def _claim(one: FoundTold) -> str:
    what = "forecaster" if one["made_by"] == "forecaster" else "input"
    return (
        f"Found in this run by the {one['arm']}: the {what} {one['name']} ({one['made_by']}, sha256 "
        f"{one['sha256'][:12]}), on days that it was not found on {percent(one['mean'], 3)} "
        f"({bounds(one['low'], one['high'])}, {100 * one['confidence']:g} % interval, {one['prompts']} prompts)."
    )


def _part(history: TrialHistory, name: str) -> str:
    mix = history.finals.mix
    weight = dict(zip(mix["members"], mix["weights"], strict=True)).get(name, 0.0) if mix else 0.0
    frozen = ", which is frozen" if weight and history.finals.winner == MIX else ""
    return f"{100 * weight:.0f} % of the mix{frozen}" if weight else "no part of the mix"

"""``llm.jsonl``: every exchange with a language model, one JSON object a line, appended and fsynced.

A ``request`` line is written before anything is sent, with the worst that it may cost, and a ``reply`` or
``failure`` line after. So a process that is killed in between leaves a trace of what it may have spent, and a run
that goes on begins with the money that its earlier parts have spent. ``models`` lines hold the price list, and
``gave_up`` lines say why a question got no answer at all. Secrets are taken out before a line gets here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from synthcity.agents.messages import Spend
from synthcity.lines import Event

NAME = "llm.jsonl"


def spent(events: Iterable[Event]) -> dict[str, Spend]:
    """Add up what each account spent; a request whose outcome nobody wrote down counts at its worst.

    Raises:
        KeyError, TypeError: an event is not one of ours.
    """
    accounts: dict[str, Spend] = defaultdict(Spend)
    open_requests: dict[tuple[int, int], tuple[str, Spend]] = {}
    for event in events:
        if event.get("kind") == "request":
            worst = Spend.from_dict(event["worst"])
            open_requests[event["call"], event["attempt"]] = (event["account"], worst)
        elif event.get("kind") in ("reply", "failure"):
            open_requests.pop((event["call"], event.get("attempt", 0)), None)
            accounts[event["account"]] += Spend.from_dict(event["spend"])
    for account, worst in open_requests.values():
        accounts[account] += worst
    return dict(accounts)

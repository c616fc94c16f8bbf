"""One alarm, one case that raises it, and the least that does not."""

from __future__ import annotations

import pytest

from synthcity.serve.answering.tally import Status
from synthcity.serve.operations.alarms import ALARMS, Severity, raised
from synthcity.serve.operations.facts import Facts
from tests.serve.dialogue import NOW
from tests.serve.operations.look import around, counted, well

WARNING, CRITICAL = Severity.WARNING, Severity.CRITICAL


def lately(**figures: object) -> Facts:
    return well(recent=counted(**figures).figures())


CASES = [
    (
        "silence",
        CRITICAL,
        well(status=Status(replica=0, last_answered_at=NOW - 400)),
        "for 6m 40s; from here 203.0.113",
    ),
    ("silence", CRITICAL, well(status=Status(replica=0)), "no prompt was answered for 1h"),
    (
        "address",
        CRITICAL,
        around(on_chain="198.51.100.1:8091"),
        "the chain says 198.51.100.1:8091, not 203.0.113.7:8091",
    ),
    ("address", CRITICAL, around(published=None, on_chain="0.0.0.0:0"), "start with --publish"),
    ("prices", WARNING, well(ages={"BTC": 40.0, "ETH": 200.0}), "no fresh price: ETH 3m 20s old; paths start"),
    ("prices", CRITICAL, well(ages={"BTC": float("inf"), "ETH": 30.0}), "BTC none; prompts are refused"),
    ("venues", CRITICAL, well(troubles={"venues": ("nobody follows binance",)}), "nobody follows binance"),
    ("clock", WARNING, around(clock_offset=-3.0), "our clock is 3 s behind https://venue"),
    ("clock", CRITICAL, around(clock_offset=7.0), "our clock is 7 s ahead of"),
    (
        "refusals",
        CRITICAL,
        lately(refusals={"old": 4, "ahead": 1}),
        "5 requests were refused in the last 10m for their",
    ),
    ("refusals", CRITICAL, lately(refusals={"stake": 9}), "for stake, permit or registration"),
    ("refusals", WARNING, lately(refusals={"permit": 9}, answers={"none": 3}), "permit 9; 3 were answered"),
    ("refusals", CRITICAL, lately(refusals={"receiver": 9}), "do they ask another hotkey?"),
    ("refusals", CRITICAL, lately(refusals={"no_answer": 1}, answers={"none": 99}), "1 prompts of validators got no"),
    ("fallback", WARNING, lately(answers={"none": 7, "late": 3}), "answered 30 % of 10 prompts"),
    ("fallback", CRITICAL, lately(answers={"none": 4, "failed": 6, "foreign": 50}), "60 % of 10 prompts"),
    ("disk", WARNING, around(disk_free=3 * 2**30), "3.0 GiB left"),
    ("disk", CRITICAL, around(disk_free=2**29), "0.5 GiB left"),
    ("ledger", WARNING, around(ledger_bytes=17 * 10**9), "17.0 of its 20.0 GB"),
    ("ledger", CRITICAL, around(ledger_bytes=20 * 10**9), "or raise --ledger-quota"),
    ("ledger", WARNING, lately(lost=2), "2 answers are not in the ledger (quota 2)"),
    ("calendar", WARNING, around(calendar_end=int(NOW) + 13 * 86_400), "FOMC meetings ends on 20"),
    ("calendar", WARNING, around(calendar_end=int(NOW) - 60), "FOMC meetings ended on 20"),
    ("calendar", WARNING, around(calendar_end=0), "lacks one of them, and forecasts do not know all"),
    ("calendar", WARNING, around(calendar_problem="calendar.csv, line 2: no"), "calendar.csv, line 2: no"),
    ("troubles", CRITICAL, well(troubles={"chain": ("the chain: gone",)}), "the chain: gone"),
    ("troubles", WARNING, well(troubles={"drift": ("too narrow",)}), "too narrow"),
]


@pytest.mark.parametrize(("name", "severity", "facts", "text"), CASES)
def test_what_is_wrong_is_told_in_a_sentence(name: str, severity: Severity, facts: Facts, text: str):
    (alarm,) = raised(facts)
    assert (alarm.name, alarm.severity) == (name, severity)
    assert text in alarm.text
    assert "\n" not in alarm.text


def test_every_alarm_has_a_case():
    assert {name for name, *_ in CASES} == set(ALARMS)


@pytest.mark.parametrize(
    "facts",
    [
        well(),
        well(status=Status(replica=0, last_answered_at=NOW - 299)),
        well(started_at=NOW - 200, status=Status(replica=0)),
        around(on_chain=None),
        around(clock_offset=None, disk_free=None, ledger_bytes=None),
        around(clock_offset=2.4),
        around(calendar_end=int(NOW) + 14 * 86_400 + 60),
        lately(refusals={"unregistered": 4}),
        lately(refusals={"unregistered": 400}, answers={"none": 500}),
        lately(refusals={"share": 400}),
        lately(answers={"none": 8, "late": 2}),
        lately(answers={"late": 9}),
        lately(answers={"foreign": 400}),
    ],
)
def test_what_is_in_order_raises_nothing(facts: Facts):
    assert raised(facts) == ()


def test_an_address_that_was_just_published_may_take_its_time():
    facts = around(on_chain="198.51.100.1:8091")
    assert raised(well(started_at=NOW - 599, surroundings=facts.surroundings)) == ()


def test_the_worst_comes_first():
    facts = well(ages={"BTC": 200.0}, troubles={"replicas": ("none answers",)})
    assert [alarm.severity for alarm in raised(facts)] == [CRITICAL, WARNING]

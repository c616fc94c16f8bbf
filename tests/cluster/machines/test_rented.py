"""The lessor is the true one, and so is the market's HTTP; machines are said to join."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from synthcity import rates
from synthcity.cluster.folder import Folder
from synthcity.cluster.joining.transport import Reached
from synthcity.cluster.layout import Place
from synthcity.cluster.machines import rented
from synthcity.cluster.machines.rented import AGAIN, RentedMachines, _Asked
from synthcity.cluster.notes import Notes
from synthcity.cluster.plan import Plan
from synthcity.errors import ConfigError, RunError
from synthcity.rent import Lessor
from synthcity.schema import build
from synthcity.settings import Settings
from tests.rent.builders import PUBLIC_KEY, Virtual, market
from tests.rent.conftest import _server, clock, server  # noqa: F401
from tests.standins.market import Running
from tests.waiting import until

PLAN = {
    "name": "syntha",
    "nodes": {
        "gpu": {"market": "basilica", "gpus": ["A100"], "cpus": 4, "max_nodes": 2, "max_hourly_rate": "1.50"},
        "cpu": {"market": "basilica", "max_nodes": 1, "max_hourly_rate": "0.20"},
    },
    "limits": {"hourly": "4.00", "spend": "60"},
    "storage": "s3://bucket/syntha",
}


@dataclass
class Noted:
    """A transport that does nothing but note what it is told."""

    machines: dict[str, Reached] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    joined: set[str] = field(default_factory=set)
    is_told: bool = True  # who has joined

    def nodes(self) -> set[str]:
        if not self.is_told:
            raise RunError("the control store does not tell which nodes live")
        return self.joined

    def join(self, machine: Reached) -> None:
        assert machine.name not in self.machines
        self.machines[machine.name] = machine

    def leave(self, name: str) -> None:
        del self.machines[name]
        self.left.append(name)

    def failure(self, name: str) -> str:
        return self.failures.get(name, "")

    def close(self) -> None:
        self.machines.clear()


@dataclass
class Walk:
    """One autoscaler's life, tended by hand."""

    plan: Plan
    server: Running
    clock: Virtual
    folder: Path
    transport: Noted = field(default_factory=Noted)
    refusal: str = ""  # why nothing may be rented

    def __post_init__(self) -> None:
        assert self.plan.limits is not None
        self.lessor = Lessor(
            self.plan.name,
            self.plan.node_types,
            self.plan.limits,
            market=market(self.server, self.clock),
            ledger=self.folder / "rentals.jsonl",
            public_key=PUBLIC_KEY,
            settings=Settings.load({}, self.folder / ".env"),
        )
        self.machines = RentedMachines(
            self.folder, self.plan, self.lessor, self.transport, self.transport.nodes, self.allowed, now=self.clock.now
        )

    def allowed(self) -> None:
        if self.refusal:
            raise ConfigError(self.refusal)

    def pass_by(self, seconds: float) -> None:
        """Let time pass, with a round of the lessor at its end and a look at the machines."""
        self.clock.sleep(seconds)
        self.lessor.reconcile()
        self.machines.tend()

    def answered(self) -> None:
        """Wait until the market has answered all that is asked."""
        until(lambda: not any(one.place for one in self.machines._asked.values()), seconds=20)

    @property
    def rentals(self):
        return self.lessor.rentals()

    def up(self, kind: str = "gpu", count: int = 1) -> list[str]:
        """Have nodes up and joined."""
        for number in range(count):
            self.machines.ask(kind, f"request-{number}")
        self.answered()
        self.pass_by(61)
        names = [one.name for one in self.machines.all()]
        self.transport.joined |= set(names)
        self.pass_by(15)
        return names


@pytest.fixture
def plan() -> Plan:
    return build(Plan, PLAN)


@pytest.fixture
def walk(plan: Plan, server: Running, clock: Virtual, tmp_path: Path) -> Iterator[Walk]:  # noqa: F811
    opened = Walk(plan, server, clock, tmp_path)
    with contextlib.closing(opened.machines):
        yield opened


def test_a_machine_is_listed_from_before_it_is_asked_for_until_it_is_to_end(walk: Walk) -> None:
    walk.server.set(faults=[{"on": "^start", "what": "lost"}])  # it starts, and nobody is told
    walk.machines.ask("gpu", "one")
    (asked,) = walk.machines.all()
    assert (asked.kind, asked.request, asked.is_up) == ("gpu", "one", False)
    walk.answered()
    placed = replace(asked, address="127.0.1.2")
    assert walk.machines.all() == [placed]
    walk.pass_by(61)
    assert walk.machines.all() == [replace(placed, is_up=True)]
    assert walk.server.names() == [asked.name]
    walk.machines.stop(asked.name)
    until(lambda: walk.machines.all() == [], seconds=20)
    until(lambda: walk.server.names() == [], seconds=20)
    walk.machines.tend()
    assert walk.transport.left == [asked.name]


def test_what_runs_joins_once_with_its_own_place_and_its_price(walk: Walk) -> None:
    walk.machines.ask("gpu", "one")
    walk.machines.ask("cpu", "two")
    walk.answered()
    walk.pass_by(15)
    assert walk.transport.machines == {}  # the market has not told where they are
    walk.pass_by(61)
    walk.pass_by(15)
    told = sorted(walk.transport.machines.values(), key=lambda one: one.place.index)
    assert [(one.kind, one.place, one.user, one.port) for one in told] == [
        ("gpu", Place(1, 7000), "ubuntu", 22),
        ("cpu", Place(2, 7000), "ubuntu", 22),
    ]
    assert [(one.cpus, one.gpus, dict(one.labels), one.power_off) for one in told] == [
        (4, 1, {rates.LABEL: "1.35"}, "sudo poweroff"),
        (1, 0, {rates.LABEL: "0.12"}, "sudo poweroff"),
    ]


def test_a_machine_that_has_joined_outlives_its_boot_and_another_does_not(walk: Walk) -> None:
    (name,) = walk.up()
    walk.machines.ask("gpu", "two")
    walk.answered()
    walk.pass_by(61)
    walk.pass_by(901)
    assert [one.name for one in walk.rentals if one.state == "rented"] == [name]
    assert [one.why for one in walk.rentals if one.state == "stopping"] == ["it has not joined the cluster within 15m"]
    walk.pass_by(15)
    assert walk.server.names() == [name]
    assert list(walk.transport.machines) == [name]


def test_while_nobody_tells_which_nodes_live_what_machines_say_counts(walk: Walk) -> None:
    walk.transport.is_told = False
    for request in ("one", "two"):
        walk.machines.ask("gpu", request)
    walk.answered()
    walk.pass_by(61)
    name, other = walk.transport.machines
    told = Notes(Folder(walk.folder))
    told.tell(walk.transport.machines[name], "joined", "is a node")
    told.tell(walk.transport.machines[other], "starting", "waits for its tunnel")
    walk.machines.tend()
    walk.pass_by(901)
    assert {one.name: one.state for one in walk.rentals} == {name: "rented", other: "stopping"}


def test_what_joined_while_no_autoscaler_ran_is_not_ended_for_its_boot(walk: Walk, tmp_path: Path) -> None:
    walk.machines.ask("gpu", "one")
    walk.answered()
    walk.pass_by(61)
    (name,) = walk.transport.machines
    walk.lessor._books.close()  # it is killed just before it hears that the machine has joined
    walk.clock.sleep(901)
    again = Walk(walk.plan, walk.server, walk.clock, tmp_path)
    again.transport.joined = {name}
    with contextlib.closing(again.machines.begin()):
        until(lambda: again.lessor._is_listed, seconds=20)
    assert [(one.name, one.state, one.joined) for one in again.rentals] == [(name, "rented", True)]


def test_what_a_transport_gives_up_is_ended_with_its_reason(walk: Walk) -> None:
    (name,) = walk.up()
    walk.transport.failures[name] = "another key than before"
    walk.machines.tend()
    until(lambda: walk.server.names() == [], seconds=20)
    assert [one.why for one in walk.rentals] == ["another key than before"]


def test_no_offer_is_waited_for_and_told_and_asked_for_again_every_minute(walk: Walk) -> None:
    offers = walk.server.state()["offers"]["gpu"]
    dear = [{**one, "hourly_rate_per_gpu": "9.50"} for one in offers]
    walk.server.set(offers={"gpu": dear, "cpu": []})
    walk.machines.ask("gpu", "one")
    walk.answered()
    walk.machines.tend()
    (told,) = json.loads((walk.folder / "waiting.json").read_text())
    assert (told["kind"], told["count"]) == ("gpu", 1)
    assert "costs at most 1.50 USD an hour for gpu: the cheapest costs 9.50 USD" in told["why"]
    (asked,) = walk.machines.all()
    walk.server.set(offers={"gpu": offers, "cpu": []})
    walk.pass_by(AGAIN / 2)
    assert walk.server.names() == []
    walk.pass_by(AGAIN / 2)
    walk.answered()
    assert walk.server.names() == [asked.name]
    walk.machines.tend()
    assert json.loads((walk.folder / "waiting.json").read_text()) == []


@pytest.mark.parametrize(
    ("what", "why"),
    [("402", "balance is too low"), ("404", "the offer is gone"), ("429", "limits the rate"), ("dearer", "it costs")],
)
def test_what_the_market_refuses_is_told_and_asked_for_again_under_a_new_name(walk: Walk, what: str, why: str) -> None:
    offers = walk.server.state()["offers"]["gpu"]
    twice = [*offers, *({**one, "id": f"{one['id']}-2"} for one in offers)]
    walk.server.set(faults=[{"on": "^start", "what": what}], offers={"gpu": twice, "cpu": []})
    walk.machines.ask("gpu", "one")
    (before,) = walk.machines.all()
    walk.answered()
    walk.machines.tend()
    (asked,) = walk.machines.all()
    assert (asked.kind, asked.request) == ("gpu", "one")
    assert asked.name != before.name
    (told,) = json.loads((walk.folder / "waiting.json").read_text())
    assert (told["kind"], told["count"]) == ("gpu", 1)
    assert why in told["why"]
    for _ in range(1 if what != "dearer" else 4):  # which counts until lists have lacked it
        walk.pass_by(AGAIN)
        walk.answered()
    assert walk.server.names() == [asked.name]
    walk.machines.tend()
    assert json.loads((walk.folder / "waiting.json").read_text()) == []


def test_nothing_is_rented_while_it_may_not_be_and_what_is_rented_stays(walk: Walk) -> None:
    (name,) = walk.up()
    walk.refusal = "no reaper has reported"
    walk.machines.ask("gpu", "two")
    walk.answered()
    walk.machines.tend()
    assert walk.server.names() == [name]
    assert json.loads((walk.folder / "waiting.json").read_text()) == [{"kind": "gpu", "count": 1, "why": walk.refusal}]
    walk.refusal = ""
    walk.pass_by(AGAIN)
    walk.answered()
    assert len(walk.server.names()) == 2


def test_what_is_looked_for_in_vain_is_given_up_so_that_it_is_asked_for_anew(walk: Walk) -> None:
    walk.server.set(offers={"gpu": [], "cpu": []})
    walk.machines.ask("gpu", "one")
    walk.answered()
    walk.pass_by(601)
    assert walk.machines.all() == []


def test_what_is_not_wanted_any_more_while_it_is_asked_for_is_ended(walk: Walk) -> None:
    walk.server.set(faults=[{"on": "^start", "what": "hang after"}])
    walk.machines.ask("gpu", "one")
    (asked,) = walk.machines.all()
    walk.machines.stop(asked.name)
    until(lambda: walk.machines.all() == [], seconds=20)
    walk.pass_by(15)
    until(lambda: walk.server.names() == [], seconds=20)
    walk.server.set(offers={"gpu": [], "cpu": []})
    walk.machines.ask("gpu", "two")
    walk.answered()
    (asked,) = walk.machines.all()
    walk.machines.stop(asked.name)
    assert walk.machines.all() == []


def test_what_is_not_wanted_any_more_by_its_turn_is_not_asked_for(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    later: list[Callable[[], None]] = []

    def submit(attempt: Callable[[_Asked], None], asked: _Asked) -> None:
        later.append(lambda: attempt(asked))

    with monkeypatch.context() as patched:
        patched.setattr(walk.machines._askers, "submit", submit)
        walk.machines.ask("gpu", "one")
    walk.machines.stop(walk.machines.all()[0].name)
    for attempt in later:
        attempt()
    assert walk.machines.all() == []
    assert walk.server.state()["count"] == 0


def test_the_market_is_asked_for_no_more_than_may_be(walk: Walk) -> None:
    walk.up(count=2)
    walk.machines.ask("gpu", "three")
    walk.answered()
    walk.machines.tend()
    assert len(walk.server.names()) == 2
    assert "gpu has 2 of 2 machines" in (walk.folder / "waiting.json").read_text()


def test_another_autoscaler_goes_on_where_one_was_killed(walk: Walk, tmp_path: Path) -> None:
    names = walk.up(count=2)
    before = walk.machines.all()
    walk.lessor._books.close()  # as the system does for a process that is killed
    again = Walk(walk.plan, walk.server, walk.clock, tmp_path)
    with contextlib.closing(again.machines):
        assert again.machines.all() == before
        again.pass_by(15)
        assert sorted(again.transport.machines) == sorted(names)
        assert {name: one.place for name, one in again.transport.machines.items()} == {
            name: one.place for name, one in walk.transport.machines.items()
        }
        assert sorted(walk.server.names()) == sorted(names)


def test_no_two_machines_have_one_place_and_none_lies_beyond_those_that_the_plan_has(walk: Walk) -> None:
    walk.server.set(lag=100.0)  # what has ended is shown for a while
    names = walk.up(count=2)
    for name in names:
        walk.machines.stop(name)
    until(lambda: walk.server.names() == [], seconds=20)
    for number in range(3):
        walk.machines.ask("gpu", f"later-{number}")
    walk.answered()
    walk.machines.tend()
    assert walk.server.names() == []
    for _ in range(8):
        walk.pass_by(61)
        walk.answered()
        places = [one.place for one in walk.rentals]
        assert len(set(places)) == len(places)
        assert set(places) <= {1, 2, 3}
    assert len(walk.server.names()) == 2


def test_by_themselves_machines_come_join_and_go(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rented, "_TICK", 0.02)
    walk.machines.begin()
    walk.machines.ask("cpu", "one")
    (asked,) = walk.machines.all()
    until(lambda: walk.server.names() == [asked.name], seconds=20)
    walk.clock.sleep(61)
    walk.lessor.reconcile()  # which it does by itself every 15 seconds of the true clock
    until(lambda: asked.name in walk.transport.machines, seconds=20)
    walk.transport.joined = {asked.name}
    until(lambda: [one.joined for one in walk.rentals] == [True], seconds=20)
    walk.machines.stop(asked.name)
    until(lambda: walk.server.names() == [], seconds=20)
    until(lambda: walk.transport.left == [asked.name], seconds=20)

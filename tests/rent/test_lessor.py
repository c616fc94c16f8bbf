from __future__ import annotations

import threading
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import NoReturn

import pytest

from synthcity.errors import RentError, RunError
from synthcity.rent import LimitReached, NoOffer, Refused, Rental, cluster_prefix, read_ledger
from synthcity.rent.comparing import SETTLE
from synthcity.rent.ledger import Ledger
from synthcity.rent.lessor import EVERY, Lessor
from tests.rent.builders import NAME, Virtual, lessor, limits, node_type, rental
from tests.standins.market import Running
from tests.waiting import until

STRANGER = "synthcity-syntha-gpu-00000000dead"


def rounds(one: Lessor, clock: Virtual, seconds: float) -> None:
    """Reconcile every 15 seconds; a market that fails now and then is no trouble."""
    for _ in range(int(seconds / EVERY) + 1):
        try:
            one.reconcile()
        except RentError as error:
            assert "market" in str(error)  # noqa: PT017
        clock.sleep(EVERY)


def states(one: Lessor) -> dict[str, str]:
    return {rental.name: rental.state for rental in one.rentals()}


def test_a_machine_from_intent_to_gone(server: Running, clock: Virtual, tmp_path: Path) -> None:
    with lessor(server, clock, tmp_path) as one:
        name = one.ask("gpu")
        assert name.startswith(cluster_prefix("syntha"))
        assert states(one) == {name: "rented"}
        assert (one.rentals()[0].hourly, one.hourly) == (Decimal("1.35"), Decimal("1.35"))
        rounds(one, clock, 90)
        one.joined(name)
        assert one.rentals()[0].address is not None
        one.stop(name)
        assert server.names() == []
        assert states(one) == {name: "stopping"}
        rounds(one, clock, SETTLE + 30)
        assert states(one) == {}
        assert Decimal("0.08") < one.spent < Decimal("0.15")
    (row,) = read_ledger(tmp_path / "syntha.jsonl").rentals
    assert (row.state, row.why, row.joined) == ("gone", "it is not needed any more", True)


def test_a_machine_without_a_gpu(server: Running, clock: Virtual, tmp_path: Path) -> None:
    with lessor(server, clock, tmp_path, types=[node_type(name="cpu", gpus=())]) as one:
        name = one.ask("cpu")
        rounds(one, clock, 30)
        assert one.rentals()[0].hourly == Decimal("0.12")
        one.stop(name)
        assert server.names() == []


@pytest.mark.parametrize("what", ["402", "404", "429"])
def test_what_has_certainly_started_nothing_is_gone_at_once(
    server: Running, clock: Virtual, tmp_path: Path, what: str
) -> None:
    server.set(faults=[{"on": "^start", "what": what}])
    with lessor(server, clock, tmp_path) as one:
        with pytest.raises(Refused):
            one.ask("gpu")
        assert states(one) == {}
        assert one.spent == 0
        if what != "404":  # which lies with the offer; the others do not
            one.ask("gpu")


@pytest.mark.parametrize("what", ["500 after", "lost", "hang after", "garbled"])
def test_what_nobody_knows_is_found_by_a_list(server: Running, clock: Virtual, tmp_path: Path, what: str) -> None:
    server.set(faults=[{"on": "^start", "what": what}], lag=30.0)
    with lessor(server, clock, tmp_path, types=[node_type(max_nodes=1)]) as one:
        name = one.ask("gpu")
        assert states(one) == {name: "intent"}
        with pytest.raises(LimitReached, match="1 of 1 machines"):
            one.ask("gpu")
        rounds(one, clock, 45)
        assert states(one) == {name: "rented"}
        assert server.names() == [name]


@pytest.mark.parametrize("what", ["500", "drop", "hang"])
def test_what_nobody_knows_and_never_came_frees_its_place_after_two_minutes(
    server: Running, clock: Virtual, tmp_path: Path, what: str
) -> None:
    server.set(faults=[{"on": "^start", "what": what}])
    with lessor(server, clock, tmp_path, types=[node_type(max_nodes=1)]) as one:
        one.ask("gpu")
        rounds(one, clock, SETTLE - EVERY)
        with pytest.raises(LimitReached):
            one.ask("gpu")
        rounds(one, clock, 45)
        assert states(one) == {}
        assert one.spent == 0
        one.ask("gpu")


def test_what_comes_after_it_was_given_up_is_ended(server: Running, clock: Virtual, tmp_path: Path) -> None:
    with lessor(server, clock, tmp_path) as one:
        one.reconcile()
        one._books.begin(rental(state="gone", ended=clock.now()))
    with lessor(server, clock, tmp_path) as one:
        server.rent(NAME)
        rounds(one, clock, 15)
        assert server.names() == []
        assert one.rentals()[0].why == "a list shows it again"


def test_what_is_dearer_than_listed_is_ended_at_once_and_not_asked_for_again(
    server: Running, clock: Virtual, tmp_path: Path
) -> None:
    server.set(faults=[{"on": "^start", "what": "dearer"}], seed=1)
    with lessor(server, clock, tmp_path) as one:
        with pytest.raises(RentError, match="is being ended: it costs"):
            one.ask("gpu")
        assert server.names() == []
        with pytest.raises(NoOffer):
            one.ask("gpu")


def test_a_start_that_tells_less_than_was_offered_frees_no_money(
    server: Running, clock: Virtual, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with lessor(server, clock, tmp_path) as one:
        start = one._market.start
        cheap = Decimal("0.01")  # as of one GPU in place of eight, or of a market that errs
        monkeypatch.setattr(one._market, "start", lambda *words: replace(start(*words), hourly=cheap))
        one.ask("gpu")
        assert one.hourly == Decimal("1.35")


def test_what_a_list_shows_to_be_too_dear_is_ended(server: Running, clock: Virtual, tmp_path: Path) -> None:
    server.set(faults=[{"on": "^start", "what": "dearer later"}])
    with lessor(server, clock, tmp_path) as one:
        one.ask("gpu")
        rounds(one, clock, 420)
        assert server.names() == []


@pytest.mark.parametrize("what", ["500", "drop", "hang", "stays", "slow", "429"])
def test_a_stop_is_asked_for_until_lists_lack_it(server: Running, clock: Virtual, tmp_path: Path, what: str) -> None:
    with lessor(server, clock, tmp_path) as one:
        name = one.ask("gpu")
        server.set(faults=[{"on": "^stop", "what": what, "times": 2}], lag=30.0)
        one.stop(name)
        assert server.names() == [name]
        rounds(one, clock, 75)
        assert server.names() == []
        assert states(one) == {name: "stopping"}
        rounds(one, clock, SETTLE + 30)
        assert states(one) == {}


def test_a_list_that_misses_a_row_ends_nothing(server: Running, clock: Virtual, tmp_path: Path) -> None:
    with lessor(server, clock, tmp_path) as one:
        name = one.ask("gpu")
        for what in ("missing", "part", "unknown", "damaged", "garbled"):
            server.set(faults=[{"on": "^list gpu", "what": what, "times": 3}])
            rounds(one, clock, 60)
        assert states(one) == {name: "rented"}
        assert one.rentals()[0].hourly == Decimal("1.35")


@pytest.mark.parametrize("what", ["rented", "intent"])
def test_an_account_that_is_shown_empty_for_minutes_leaks_nothing(
    server: Running, clock: Virtual, tmp_path: Path, what: str
) -> None:
    server.set(faults=[{"on": "^start", "what": "lost"}] if what == "intent" else [])
    with lessor(server, clock, tmp_path) as one:
        name = one.ask("gpu")
        assert states(one) == {name: what}
        server.set(faults=[{"on": "^list", "what": "empty", "times": 999}])
        rounds(one, clock, SETTLE)
        assert server.names() == [name]
        rounds(one, clock, 30)
        assert server.names() == []  # by a stop, which is asked of what lists lack before it is given up
        assert states(one) == {}


def test_a_cluster_ends_although_lists_show_an_empty_account(server: Running, clock: Virtual, tmp_path: Path) -> None:
    with lessor(server, clock, tmp_path) as one:
        one.ask("gpu")
        stops = {"on": "^stop", "what": "500", "times": 3}
        server.set(faults=[{"on": "^list", "what": "empty", "times": 999}, stops])
        one.end_all(clock.sleep)
    assert server.names() == []


def test_two_heads_of_one_name_do_not_rent_against_each_other(server: Running, clock: Virtual, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    with lessor(server, clock, tmp_path) as a, lessor(server, clock, tmp_path / "b") as b:
        a.reconcile()
        clock.sleep(20)
        name = a.ask("gpu")
        with pytest.raises(
            RentError, match=rf"another head rents for a cluster 'syntha' \({name} is not in .*b/syntha"
        ):
            b.ask("gpu")
        rounds(b, clock, 500)
        assert server.names() == []
        with pytest.raises(RentError, match="another head"):
            b.ask("gpu")
        rounds(b, clock, 120)  # ten minutes after the last that was seen
        b.ask("gpu")


def test_what_the_market_takes_back_is_gone(server: Running, clock: Virtual, tmp_path: Path) -> None:
    server.set(faults=[{"on": "^start", "what": "spot lost"}])
    with lessor(server, clock, tmp_path) as one:
        one.ask("gpu")
        rounds(one, clock, 600)
        assert states(one) == {}


def test_a_name_of_ours_that_the_ledger_does_not_know_is_ended(server: Running, clock: Virtual, tmp_path: Path) -> None:
    server.rent(STRANGER)
    server.rent("synthcity-other-gpu-00000000beef")
    server.rent("somebody")
    with lessor(server, clock, tmp_path) as one:
        one.reconcile()
        assert server.names() == ["somebody", "synthcity-other-gpu-00000000beef"]
        assert [row.name for row in one.strangers] == [STRANGER]
        rounds(one, clock, 15)
        assert one.strangers == ()


def test_two_machines_under_one_name_are_one_too_many(server: Running, clock: Virtual, tmp_path: Path) -> None:
    server.set(faults=[{"on": "^start", "what": "twice"}])
    with lessor(server, clock, tmp_path) as one:
        name = one.ask("gpu")
        assert server.names() == [name, name]
        rounds(one, clock, 15)
        assert [row["id"] for row in server.state()["living"]] == [one.rentals()[0].id]


def test_boot_and_lease_end_a_machine_even_while_the_market_lists_nothing(
    server: Running, clock: Virtual, tmp_path: Path
) -> None:
    with lessor(server, clock, tmp_path, types=[node_type(boot=120.0, max_lease=600.0)]) as one:
        waits, works = one.ask("gpu"), one.ask("gpu")
        one.joined(works)
        server.set(faults=[{"on": "^list", "what": "500", "times": 999}])
        rounds(one, clock, 135)
        assert server.names() == [works]
        rounds(one, clock, 480)
        assert server.names() == []
        assert {row.name: row.why for row in one.rentals()} == {
            waits: "it has not joined the cluster within 2m",
            works: "its lease of 10m is over",
        }


def test_a_lease_ends_whatever_the_market_answers(
    server: Running, clock: Virtual, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nonsense() -> NoReturn:
        raise OverflowError("an answer that nobody thought of")

    with lessor(server, clock, tmp_path, types=[node_type(max_lease=600.0)]) as one:
        one.joined(one.ask("gpu"))
        monkeypatch.setattr(one._market, "rentals", nonsense)
        clock.sleep(601)
        with pytest.raises(OverflowError, match="nobody thought of"):
            one.reconcile()
        assert server.names() == []


def test_limits_of_nodes_price_and_spend(server: Running, clock: Virtual, tmp_path: Path) -> None:
    with lessor(server, clock, tmp_path, limits=limits(hourly="3.00", spend="0.50")) as one:
        one.joined(one.ask("gpu"))
        one.joined(one.ask("gpu"))
        with pytest.raises(LimitReached, match=r"1.35 USD an hour for gpu is more than the 0.30 that are left"):
            one.ask("gpu")
        rounds(one, clock, 700)
        assert server.names() == []
        assert float(server.state()["spent"]) <= 0.50 + 2.70 * EVERY / 3600
        with pytest.raises(LimitReached, match=r"has cost 0.5\d USD of 0.50"):
            one.ask("gpu")
    with lessor(server, clock, tmp_path) as one, pytest.raises(ValueError, match="unknown node type 'gpx'"):
        one.ask("gpx")


def test_the_environment_bounds_what_a_file_says(server: Running, clock: Virtual, tmp_path: Path) -> None:
    environ = {"BASILICA_MAX_HOURLY_RATE": "1.00"}
    with lessor(server, clock, tmp_path, environ) as one, pytest.raises(NoOffer, match=r"at most 1.00"):
        one.ask("gpu")


def test_nothing_is_asked_for_that_cannot_be_written_down(
    server: Running, clock: Virtual, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with lessor(server, clock, tmp_path) as one:
        name = one.ask("gpu")

        def full(ledger: Ledger, rental: Rental) -> None:
            raise RunError("cannot write: no space left on the device")

        with monkeypatch.context() as patch:
            patch.setattr(Ledger, "write", full)
            with pytest.raises(RunError, match="no space"):
                one.ask("gpu")
            assert server.names() == [name]
            one.stop(name)
            assert server.names() == []
        rounds(one, clock, 0)
        assert read_ledger(tmp_path / "syntha.jsonl").rentals[0].state == "stopping"


def test_a_deleted_ledger_leaks_nothing(server: Running, clock: Virtual, tmp_path: Path) -> None:
    with lessor(server, clock, tmp_path) as one:
        one.ask("gpu")
        one.ask("gpu")
    (tmp_path / "syntha.jsonl").unlink()
    with lessor(server, clock, tmp_path) as one:
        one.reconcile()
        assert server.names() == []
        assert one.hourly == Decimal("2.70")  # until a list lacks them
        rounds(one, clock, 0)
        assert one.hourly == 0


def test_a_stop_while_the_request_is_under_way_holds(server: Running, clock: Virtual, tmp_path: Path) -> None:
    server.set(faults=[{"on": "^start", "what": "hang after"}])
    with lessor(server, clock, tmp_path) as one:
        one.reconcile()
        thread = threading.Thread(target=one.ask, args=("gpu",))
        thread.start()
        until(one.rentals)
        name = one.rentals()[0].name
        one.reconcile()
        one.stop(name)
        thread.join()
        rounds(one, clock, 30)
        assert server.names() == []
        assert states(one) == {name: "stopping"}


def test_a_machine_whose_price_nobody_tells_is_ended(server: Running, clock: Virtual, tmp_path: Path) -> None:
    garbled = {"on": "^start", "what": "garbled"}
    server.set(faults=[garbled, {"on": "^list", "what": "unknown", "times": 999}])
    with lessor(server, clock, tmp_path) as one:
        name = one.ask("gpu")
        rounds(one, clock, 30)
        one.joined(name)
        rounds(one, clock, 480)
        assert server.names() == [name]
        rounds(one, clock, 120)
        assert server.names() == []


def test_all_is_ended_once_lists_lack_it_and_what_may_still_come_is_waited_for(
    server: Running, clock: Virtual, tmp_path: Path
) -> None:
    server.set(lag=30.0, faults=[{"on": "^stop", "what": "stays", "times": 2}])
    with lessor(server, clock, tmp_path) as one:
        one.ask("gpu")
        one.ask("gpu")
        one.end_all(clock.sleep)
        assert server.names() == []
        assert one.rentals() == ()
        server.set(faults=[{"on": "^start", "what": "late"}])
        name = one.ask("gpu")
        one.end_all(clock.sleep)
        assert server.state()["pending"] == 0
        assert server.names() == []
        assert name in {row.name for row in read_ledger(tmp_path / "syntha.jsonl").rentals}
        one.ask("gpu")
        server.set(faults=[{"on": "^stop", "what": "stays", "times": 999}])
        with pytest.raises(RentError, match="the market may still have rentals of syntha: synthcity-syntha-gpu"):
            one.end_all(clock.sleep)
        server.set(faults=[])


def test_all_of_an_empty_ledger_is_ended_only_once_lists_have_lacked_it_for_two_minutes(
    server: Running, clock: Virtual, tmp_path: Path
) -> None:
    with lessor(server, clock, tmp_path) as one:
        began = clock.now()
        one.end_all(clock.sleep)
        assert SETTLE < clock.now() - began < SETTLE + 3 * EVERY
        server.rent(STRANGER)
        server.set(faults=[{"on": "^stop", "what": "stays"}])
        missing = [[{"on": "^list gpu", "what": "missing"}]]

        def sleep(seconds: float) -> None:
            clock.sleep(seconds)
            if missing:  # from one list
                server.set(faults=missing.pop())

        one.end_all(sleep)
        assert server.names() == []


def test_watching_reconciles_at_once_and_ends(server: Running, clock: Virtual, tmp_path: Path) -> None:
    server.rent(STRANGER)
    before = threading.active_count()
    with lessor(server, clock, tmp_path) as one, one.watching():
        until(lambda: not server.names())
        assert "lessor" in {thread.name for thread in threading.enumerate()}
    assert threading.active_count() == before


def test_one_process_has_a_cluster(server: Running, clock: Virtual, tmp_path: Path) -> None:
    with lessor(server, clock, tmp_path), pytest.raises(RunError, match="another process"):
        lessor(server, clock, tmp_path)

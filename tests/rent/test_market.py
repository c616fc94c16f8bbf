from __future__ import annotations

from decimal import Decimal

import pytest

from synthcity.errors import ConfigError, RentError
from synthcity.rent.market import Market, Refused, Unknown
from synthcity.settings import Secret
from tests.ports import free_ports
from tests.rent.builders import NAME, PUBLIC_KEY, Virtual, market
from tests.standins.market import TOKEN, Running

A100 = "cyan-a100-x1"


def test_offers_rentals_and_a_machine_from_start_to_stop(server: Running, clock: Virtual) -> None:
    with market(server, clock) as found:
        assert {offer.gpu for offer in found.offers("gpu")} == {"A100", "A10", "RTX A6000", "H100", "GH200"}
        assert [offer.hourly for offer in found.offers("cpu")] == [Decimal("0.12"), Decimal("0.48")]
        key = found.key_id(PUBLIC_KEY)
        assert found.key_id(PUBLIC_KEY) == key
        started = found.start("gpu", A100, NAME, key)
        assert (started.name, started.hourly) == (NAME, Decimal("1.35"))
        found.start("cpu", "plum-cpu-8", f"{NAME}-cpu", key)
        listing = found.rentals()
        assert [(row.kind, row.name) for row in listing.rows] == [("gpu", NAME), ("cpu", f"{NAME}-cpu")]
        assert listing.is_whole
        assert listing.skew == pytest.approx(0, abs=1)
        clock.sleep(61)
        assert found.rentals().rows[0].ssh.startswith("ssh ubuntu@203.0.113.")
        found.stop("gpu", started.id)
        found.stop("cpu", f"{NAME}-cpu")
        found.stop("cpu", f"{NAME}-cpu")  # 404: it may be gone, which a list will tell
        assert found.rentals().rows == ()


@pytest.mark.parametrize("what", ["402", "404", "429"])
def test_some_answers_mean_that_nothing_was_started(server: Running, clock: Virtual, what: str) -> None:
    with market(server, clock) as found:
        key = found.key_id(PUBLIC_KEY)
        server.set(faults=[{"on": "^start", "what": what}])
        with pytest.raises(Refused):
            found.start("gpu", A100, NAME, key)
    assert server.names() == []


@pytest.mark.parametrize(
    ("what", "is_there"),
    [
        ("500", False),
        ("drop", False),
        ("hang", False),
        ("500 after", True),
        ("lost", True),
        ("hang after", True),
        ("garbled", True),
    ],
)
def test_all_others_mean_that_nobody_knows(server: Running, clock: Virtual, what: str, is_there: bool) -> None:
    with market(server, clock) as found:
        key = found.key_id(PUBLIC_KEY)
        server.set(faults=[{"on": "^start", "what": what}])
        with pytest.raises(Unknown, match=f"whether {NAME} was started a list will tell"):
            found.start("gpu", A100, NAME, key)
        starts = [line for line in server.state()["asked"] if line.endswith("/start")]
        assert len(starts) == 1
        assert bool(found.rentals().rows) is is_there


def test_nobody_there_means_that_nothing_was_started(clock: Virtual) -> None:
    with Market(f"http://127.0.0.1:{free_ports(1)[0]}", Secret(TOKEN), sleep=clock.sleep) as found:
        with pytest.raises(Refused, match="cannot be reached"):
            found.start("gpu", A100, NAME, "k")
        with pytest.raises(RentError, match="cannot be reached"):
            found.offers("gpu")


@pytest.mark.parametrize("what", ["500", "429", "drop", "garbled", "hang"])
def test_what_reads_is_asked_again_and_given_up_in_the_end(server: Running, clock: Virtual, what: str) -> None:
    with market(server, clock) as found:
        server.set(faults=[{"on": "^offers", "what": what, "times": 2}])
        assert found.offers("gpu")
        server.set(faults=[{"on": "^offers", "what": what, "times": 9}])
        with pytest.raises(RentError, match="market at http://127"):
            found.offers("gpu")


def test_a_pause_that_is_asked_for_is_kept(server: Running, clock: Virtual) -> None:
    with market(server, clock) as found:
        server.set(faults=[{"on": "^offers", "what": "429"}])
        begun = clock.now()
        assert found.offers("gpu")
        assert clock.now() == begun + 5


def test_one_list_that_fails_hides_not_the_other(server: Running, clock: Virtual) -> None:
    server.rent(NAME)
    with market(server, clock) as found:
        server.set(faults=[{"on": "^list cpu", "what": "500", "times": 9}])
        listing = found.rentals()
        assert [row.name for row in listing.rows] == [NAME]
        assert not listing.is_whole
        assert "HTTP 500" in listing.problem
        server.set(faults=[{"on": "^list", "what": "500", "times": 99}])
        with pytest.raises(RentError, match="HTTP 500"):
            found.rentals()


@pytest.mark.parametrize(("status", "text"), [("401", "does not accept BASILICA_API_TOKEN"), ("403", "the scopes")])
def test_a_token_that_is_wrong_is_told(server: Running, clock: Virtual, status: str, text: str) -> None:
    with market(server, clock) as found:
        for on, ask in (
            ("^offers", lambda: found.offers("gpu")),
            ("^list", found.rentals),
            ("^stop", lambda: found.stop("gpu", NAME)),
        ):
            server.set(faults=[{"on": on, "what": status}])
            with pytest.raises(ConfigError, match=text):
                ask()


def test_another_key_of_the_account_stays(server: Running, clock: Virtual) -> None:
    with market(server, clock) as found:
        found.key_id(PUBLIC_KEY)
        assert found.key_id(PUBLIC_KEY.replace("synthcity", "somebody"))
        with pytest.raises(ConfigError, match="another SSH key, 'synthcity'"):
            found.key_id("ssh-ed25519 BBBB somebody")


def test_a_stop_that_failed_is_told(server: Running, clock: Virtual) -> None:
    server.rent(NAME)
    server.set(faults=[{"on": "^stop", "what": "500"}])
    with market(server, clock) as found, pytest.raises(RentError, match=f"has not ended {NAME}"):
        found.stop("gpu", NAME)


def test_an_id_is_no_path(server: Running, clock: Virtual) -> None:
    with market(server, clock) as found:
        found.stop("gpu", "../../x?y#z")
    assert server.state()["asked"][-1] == "POST /v2/secure-cloud/rentals/..%2F..%2Fx%3Fy%23z/stop"

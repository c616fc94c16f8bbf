from __future__ import annotations

from pathlib import Path

import pytest

from synthcity.errors import ConfigError, RentError
from synthcity.rent import PREFIX, Reaper, cluster_prefix, require_reaper
from tests.rent.builders import NAME, Virtual, lessor, market
from tests.standins.market import Running

HOUR = 3600.0
OTHER = "synthcity-other-cpu-00000000beef"


def test_what_is_too_old_ends_whoever_rented_it_and_on_both_lists(server: Running, clock: Virtual) -> None:
    server.rent(NAME, age=7 * HOUR)
    server.rent(OTHER, "plum-cpu-8", kind="cpu", age=8 * HOUR)
    server.rent("synthcity-syntha-gpu-00000000feed", age=5 * HOUR)
    server.rent("somebody", age=99 * HOUR)
    with market(server, clock) as found:
        reaper = Reaper(found, 6 * HOUR)
        due = reaper.due()
        assert [one.row.name for one in due] == [OTHER, NAME]
        assert due[1].age == pytest.approx(7 * HOUR, abs=2)
        reaper.end_all(due, clock.sleep)
        assert server.names() == ["somebody", "synthcity-syntha-gpu-00000000feed"]
        assert reaper.due() == []
        only = Reaper(found, 0.0, prefix=cluster_prefix("syntha"))
        assert [one.row.name for one in only.due()] == ["synthcity-syntha-gpu-00000000feed"]


def test_a_lessor_that_is_lost_with_its_disk_leaves_nothing(server: Running, clock: Virtual, tmp_path: Path) -> None:
    with lessor(server, clock, tmp_path) as one:
        one.ask("gpu")
        one.ask("gpu")
    (tmp_path / "syntha.jsonl").unlink()
    with market(server, clock) as found:
        reaper = Reaper(found, 600.0)
        for _ in range(12):
            reaper.end(reaper.due())
            clock.sleep(60)
    assert server.names() == []


def test_the_age_is_told_by_the_markets_clock_and_else_by_ours(server: Running, clock: Virtual) -> None:
    server.rent(NAME, age=7 * HOUR)
    with market(server, clock) as found:
        for skew in (-2 * HOUR, 2 * HOUR, 0):
            server.set(skew=skew)
            assert Reaper(found, HOUR).due()[0].age == pytest.approx(7 * HOUR, abs=2)
        server.rent(OTHER, created_at="2099-01-01T00:00:00Z")
        reaper = Reaper(found, HOUR)
        assert [one.row.name for one in reaper.due()] == [NAME]
        clock.sleep(HOUR)
        assert {one.row.name for one in reaper.due()} == {NAME, OTHER}


def test_one_that_is_started_anew_goes_on_counting_where_no_time_is_told(
    server: Running, clock: Virtual, tmp_path: Path
) -> None:
    server.rent(NAME, created_at="some day")
    beat = tmp_path / "reaper.json"
    with market(server, clock) as found:
        for _ in range(4):
            assert Reaper(found, HOUR, heartbeat=beat).due() == []
            clock.sleep(0.3 * HOUR)
        assert [one.row.name for one in Reaper(found, HOUR, heartbeat=beat).due()] == [NAME]


def test_what_has_ended_by_a_ledger_and_is_listed_late_ends_at_any_age(server: Running, clock: Virtual) -> None:
    with market(server, clock) as found:
        reaper = Reaper(found, HOUR, over=lambda: [NAME])
        assert reaper.due() == []
        server.rent(NAME)
        server.rent(OTHER)
        reaper.end_all(reaper.due(), clock.sleep)
    assert server.names() == [OTHER]


def test_a_market_that_errs_is_asked_until_lists_lack_it(server: Running, clock: Virtual) -> None:
    server.rent(NAME, age=7 * HOUR)
    server.set(faults=[{"on": "^stop", "what": what} for what in ("500", "stays", "drop")])
    with market(server, clock) as found:
        reaper = Reaper(found, HOUR)
        reaper.end_all(reaper.due(), clock.sleep)
        assert server.names() == []
        server.rent(NAME, age=7 * HOUR)
        server.set(faults=[{"on": "^stop", "what": "stays", "times": 999}])
        with pytest.raises(RentError, match=f"still there: {NAME}"):
            reaper.end_all(reaper.due(), lambda seconds: clock.sleep(20 * seconds))


def test_no_list_that_misses_it_ends_what_was_not_asked_for(server: Running, clock: Virtual) -> None:
    server.rent(NAME, age=7 * HOUR)
    server.rent(OTHER, "plum-cpu-8", kind="cpu", age=7 * HOUR)
    with market(server, clock) as found:
        reaper = Reaper(found, HOUR)
        due = reaper.due()
        hidden = [{"on": "^list gpu", "what": "missing"}, {"on": "^list cpu", "what": "500", "times": 3}]
        server.set(faults=[{"on": "^stop", "what": "500", "times": 2}, *hidden])
        reaper.end_all(due, clock.sleep)
    assert server.names() == []


def test_a_heartbeat_is_left_by_whole_rounds_alone(server: Running, clock: Virtual, tmp_path: Path) -> None:
    beat = tmp_path / "clusters" / "reaper.json"
    with market(server, clock) as found:
        reaper = Reaper(found, 12 * HOUR, prefix=PREFIX, heartbeat=beat, wall=clock.now)
        server.set(faults=[{"on": "^list cpu", "what": "500", "times": 9}])
        with pytest.raises(RentError, match="HTTP 500"):
            reaper.due()
        with pytest.raises(ConfigError, match="no reaper has reported in"):
            require_reaper(beat, server.url, HOUR, clock.now())
        server.set(faults=[])
        reaper.due()
    require_reaper(beat, server.url, 12 * HOUR, clock.now() + 299)
    with pytest.raises(ConfigError, match=r"has not reported for 5m1s; start `synthcity cluster reap"):
        require_reaper(beat, server.url, HOUR, clock.now() + 301)
    with pytest.raises(ConfigError, match="has not reported"):
        require_reaper(beat, server.url, HOUR, clock.now() - 10)
    with pytest.raises(ConfigError, match=r"looks at http://127.0.0.1:.*, not at https://x"):
        require_reaper(beat, "https://x", HOUR, clock.now())
    with pytest.raises(ConfigError, match="ends what is older than 12h, and a lease may last 13h"):
        require_reaper(beat, server.url, 13 * HOUR, clock.now())
    beat.write_text("{")
    with pytest.raises(ConfigError, match="no reaper has reported"):
        require_reaper(beat, server.url, HOUR, clock.now())


def test_a_heartbeat_that_cannot_be_written_stops_no_reaping(server: Running, clock: Virtual, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    server.rent(NAME, age=7 * HOUR)
    with market(server, clock) as found:
        assert Reaper(found, HOUR, heartbeat=tmp_path / "file" / "reaper.json").due()

from __future__ import annotations

import logging

from synthcity.serve.admission.sparing import Sparing


def test_says_the_same_thing_once_a_minute_and_how_often_it_was_not_said(caplog):
    now = 0.0
    log = Sparing(logging.getLogger("synthcity.test"), clock=lambda: now)
    for now in (0.0, 1.0, 59.9):
        log.warning("%s is full", f"disk {now}")
        log.error("%s is full", f"disk {now}")
    log.warning("something else, 100 % of it")
    for now in (60.0, 61.0, 125.0):
        log.warning("%s is full", f"disk {now}")
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "disk 0.0 is full"),
        ("ERROR", "disk 0.0 is full"),
        ("WARNING", "something else, 100 % of it"),
        ("WARNING", "disk 60.0 is full (2 more like this in between)"),
        ("WARNING", "disk 125.0 is full (1 more like this in between)"),
    ]

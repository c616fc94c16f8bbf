from __future__ import annotations

import pytest

from synthcity.errors import VaultError
from synthcity.vault.circuit import REST_SECONDS, Circuit


def test_it_opens_for_five_minutes_and_not_for_ever() -> None:
    now = [0.0]
    circuit = Circuit(lambda: now[0])
    for _ in range(2):
        circuit.failed("it is away")
    circuit.check()
    circuit.failed("it is away")
    with pytest.raises(VaultError, match=r"it is away; it is left alone for 5\.0 more minutes"):
        circuit.check()
    now[0] = REST_SECONDS
    circuit.check()
    circuit.failed("still")
    with pytest.raises(VaultError, match="still"):
        circuit.check()
    now[0] *= 2
    circuit.check()
    circuit.succeeded()
    circuit.failed("once")
    circuit.failed("twice")
    circuit.check()

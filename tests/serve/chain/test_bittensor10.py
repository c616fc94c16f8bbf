"""The chain through bittensor 10, which no test needs."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from synthcity.errors import ChainError
from synthcity.serve.admission.metagraph import Neuron
from synthcity.serve.chain.bittensor10 import Bittensor10, to_snapshot


def _metagraph() -> SimpleNamespace:
    """What ``Subtensor.metagraph`` of bittensor 10.5 returns, as far as it is read."""
    return SimpleNamespace(
        hotkeys=["5a", "5b"],
        S=np.array([65_000.5, 0.0], np.float32),
        validator_permit=np.array([True, False]),
        axons=[SimpleNamespace(ip="10.0.0.2", port=8091), SimpleNamespace(ip="0.0.0.0", port=0)],
        block=np.array([7]),
    )


def test_a_metagraph_becomes_a_snapshot():
    found = to_snapshot(_metagraph(), 50, 1.0)
    assert found.block == 7
    assert found.neurons["5a"] == Neuron(uid=0, stake=65_000.5, validator_permit=True, ip="10.0.0.2", port=8091)
    assert not found.neurons["5b"].validator_permit


def test_whatever_the_library_raises_is_an_error_of_the_chain():
    def fail(netuid: int) -> None:
        raise TimeoutError("no answer")

    with pytest.raises(ChainError, match="subnet 50: TimeoutError no answer"):
        Bittensor10(SimpleNamespace(metagraph=fail), 50).snapshot()


def test_the_module_itself_loads_no_bittensor():
    code = "import sys, synthcity.serve.chain.bittensor10; print('bittensor' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"

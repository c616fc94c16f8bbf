"""A real dendrite of bittensor 10, in a process of its own: its import silences every logger.

Reads from the standard input what to ask whom, and prints for each prompt the status and the answer's outline. The key
is a throw-away one; nothing is asked of a chain.
"""

from __future__ import annotations

import asyncio
import json
import sys

import bittensor.utils.networking
from bittensor import AxonInfo, Dendrite, Keypair, Synapse
from pydantic import BaseModel

bittensor.utils.networking.get_external_ip = lambda: "127.0.0.1"  # it asks strangers on the Internet


class SimulationInput(BaseModel):
    asset: str = "BTC"
    start_time: str = ""
    time_increment: int = 300
    time_length: int = 86400
    num_simulations: int = 1


class Simulation(Synapse):
    simulation_input: SimulationInput
    simulation_output: list[list[float] | int] | None = None

    def deserialize(self) -> list[list[float] | int] | None:
        return self.simulation_output


async def main() -> None:
    asked = json.load(sys.stdin)
    axon = AxonInfo(
        version=10005000, ip="127.0.0.1", port=asked["port"], ip_type=4, hotkey=asked["receiver"], coldkey=""
    )
    results = []
    async with Dendrite(wallet=Keypair.create_from_uri(asked["key"])) as dendrite:
        for question in asked["questions"]:
            sent = Simulation(simulation_input=SimulationInput(**question))
            (answer,) = await dendrite.forward([axon], sent, timeout=60.0, deserialize=False)
            results.append((answer.dendrite.status_code, answer.dendrite.status_message, answer.simulation_output))
    json.dump(results, sys.stdout)


asyncio.run(main())

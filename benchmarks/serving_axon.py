"""The named alternative of ``serving.py``: an axon of bittensor 10 whose handler draws the same law with NumPy.

Run by ``serving.py`` with an interpreter that has bittensor 10.5: ``python serving_axon.py PORT SIGMA PRICE``, where
SIGMA is the volatility of a step of one minute. It answers as a miner that follows the library's own examples does.
"""

import sys
import tempfile

import bittensor.utils.networking
import numpy as np
from bittensor import Axon, Keypair, Synapse, Wallet
from pydantic import BaseModel

bittensor.utils.networking.get_external_ip = lambda: "127.0.0.1"  # it asks strangers on the Internet
PORT, SIGMA, PRICE = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])


class SimulationInput(BaseModel):
    asset: str = "BTC"
    start_time: str = ""
    time_increment: int = 300
    time_length: int = 86400
    num_simulations: int = 1


class Simulation(Synapse):
    simulation_input: SimulationInput
    simulation_output: list[list[float] | int] | None = None


def forward(synapse: Simulation) -> Simulation:
    asked = synapse.simulation_input
    steps = asked.time_length // asked.time_increment
    sigma = SIGMA * (asked.time_increment / 60) ** 0.5
    returns = np.random.default_rng().standard_normal((asked.num_simulations, steps)) * sigma
    paths = np.hstack([np.full((asked.num_simulations, 1), PRICE), PRICE * np.exp(np.cumsum(returns, axis=1))])
    synapse.simulation_output = [0, asked.time_increment, *np.round(paths, 3).tolist()]
    return synapse


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        wallet = Wallet(name="throwaway", hotkey="throwaway", path=folder)
        wallet.set_hotkey(Keypair.create_from_uri("//Miner"), encrypt=False, overwrite=True)
        wallet.set_coldkey(Keypair.create_from_uri("//Cold"), encrypt=False, overwrite=True)
        wallet.set_coldkeypub(Keypair.create_from_uri("//Cold"), encrypt=False, overwrite=True)
        axon = Axon(wallet=wallet, port=PORT, ip="127.0.0.1", external_ip="127.0.0.1", external_port=PORT)
        axon.attach(forward_fn=forward)
        axon.start()
        print("ready", flush=True)
        sys.stdin.read()
        axon.stop()


main()

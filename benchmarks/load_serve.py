"""What ``load.py`` loads: the deployment that ``synthcity mine`` uses, in a process of its own, told what to roll out.

``python load_serve.py FOLDER MODEL PORT REPLICAS HOTKEY`` serves from ``FOLDER`` (store, state, metagraph.json) until
its input ends. Every line of it names a bundle, which is rolled out as the miner does it; the reply says how that went.
"""

import sys
from dataclasses import replace

from synthcity.errors import SynthcityError
from synthcity.serve.build import ServeConfig
from synthcity.serve.deployment import ClusterConfig, serving


def main() -> None:
    folder, model, port, replicas, hotkey = sys.argv[1:]
    config = ServeConfig(
        model=model,
        store=f"{folder}/store",
        state=f"{folder}/state",
        hotkey=hotkey,
        metagraph=f"{folder}/metagraph.json",
        rest=False,
    )
    with serving(config, ClusterConfig(port=int(port), replicas=int(replicas))) as deployed:
        print("serving", flush=True)
        for line in sys.stdin:
            try:
                deployed.roll_out(replace(config, model=line.strip()))
                print("rolled out", flush=True)
            except SynthcityError as error:
                print(f"not rolled out: {error}", flush=True)


if __name__ == "__main__":
    main()

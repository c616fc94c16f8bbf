"""What a block costs, as ``benchmarks/blocks.py`` measured it on one CPU thread; ``costs.json`` holds the figures."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from synthcity.errors import ConfigError

FILE = "costs.json"
WIDTH, BATCH, LENGTHS = 32, 64, (48, 288)  # of the measurement: d_model, windows, tokens


@dataclass(frozen=True, kw_only=True)
class Cost:
    """One block with its default options at d_model 32 and batches of 64.

    ``milliseconds``: CPU time of forward and backward by tokens of history. ``parameters``: their number.
    """

    parameters: int
    milliseconds: Mapping[int, float]

    def step_seconds(self, *, seq: int, d_model: int, batch: int) -> float:
        """Return roughly what a training step spends on the block, rather too little at other widths.

        Between and beyond the measured lengths time goes with a power of the length, with the batch in proportion. A
        narrower block is taken to save by the square of the width, a wider one to cost in proportion.
        """
        (short, least), (long, most) = sorted(self.milliseconds.items())
        power = math.log(most / least) / math.log(long / short)
        width = d_model / WIDTH
        milliseconds = least * math.pow(seq / short, power) * batch / BATCH
        return 1e-3 * milliseconds * (width if width > 1 else width**2)

    def to_dict(self) -> dict[str, object]:
        """Return plain JSON data."""
        return {"parameters": self.parameters, "milliseconds": {str(k): v for k, v in self.milliseconds.items()}}


@dataclass(frozen=True, kw_only=True)
class Costs:
    """All measured blocks by name, and where they were measured."""

    torch: str
    cpu: str
    blocks: Mapping[str, Cost]

    def to_json(self) -> str:
        """Return the text that ``parse_costs`` reads, one line a block."""
        entries = (f"  {json.dumps(name)}: {json.dumps(cost.to_dict())}" for name, cost in sorted(self.blocks.items()))
        head = f' "torch": {json.dumps(self.torch)},\n "cpu": {json.dumps(self.cpu)},\n "blocks": {{\n'
        return "{\n" + head + ",\n".join(entries) + "\n }\n}\n"


def parse_costs(text: str) -> Costs:
    """Read ``costs.json``.

    Raises:
        ConfigError: it is damaged.
    """
    try:
        data = json.loads(text)
        blocks = {
            name: Cost(
                parameters=int(entry["parameters"]),
                milliseconds={int(tokens): float(value) for tokens, value in entry["milliseconds"].items()},
            )
            for name, entry in data["blocks"].items()
        }
        return Costs(torch=str(data["torch"]), cpu=str(data["cpu"]), blocks=blocks)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{FILE} is damaged ({error}); run `python benchmarks/blocks.py`") from error


@cache
def packaged_costs() -> Costs:
    """Return the figures that came with synthcity."""
    return parse_costs(resources.files("synthcity.nets").joinpath(FILE).read_text(encoding="utf-8"))

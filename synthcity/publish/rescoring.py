"""A bundle scored again on kept test prompts, in a fresh process that knows no secret and runs on one thread.

``python -m synthcity.publish.rescoring BUNDLE PROMPTS [--trust-code]`` prints what it found as one line of JSON. Every
answer of the bundle is also held against what the network takes, digit by digit.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from synthcity import strict_json
from synthcity.errors import SynthcityError
from synthcity.forecast.bundles.bundle import load
from synthcity.forecast.evaluation.samples import differs, everyone, read_samples, score_again
from synthcity.forecast.forecaster import Forecaster, Paths
from synthcity.forecast.named import Named
from synthcity.market.bars import Prices
from synthcity.private import without_secrets
from synthcity.sn50.competitions import Rules, get_rules
from synthcity.sn50.prompt import Prompt
from synthcity.sn50.submission import encode, round_paths, validate

_PATIENCE_SECONDS = 900.0
_THREADS = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")


@dataclass(frozen=True, kw_only=True)
class Again:
    """What the fresh process found; ``reason`` is why the bundle does not come to its figures, empty where it does.

    ``recorded`` has for each prompt its asset, its start and every total by name.
    """

    reason: str
    challenger: str = ""
    competition: str = ""
    rules: str = ""
    recorded: tuple[tuple[str, int, Mapping[str, float]], ...] = ()


def rescore(bundle: Path, prompts: Path, *, trust_code: bool = False) -> Again:
    """Score ``bundle`` on kept ``prompts`` in a fresh process and hold the figures against those that are kept."""
    command = [sys.executable, "-m", __name__, str(bundle), str(prompts), *(["--trust-code"] if trust_code else [])]
    environment = {**without_secrets(os.environ), **_THREADS}
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            env=environment,
            stdin=subprocess.DEVNULL,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Again(reason=f"scoring the bundle again took more than {_PATIENCE_SECONDS:g} s")
    said = done.stdout.decode(errors="replace").strip().splitlines()
    if done.returncode or not said:
        return Again(reason=_last_words(done.stderr) or f"scoring the bundle again ended with {done.returncode}")
    told = strict_json.loads(said[-1])
    return Again(
        reason=told["reason"],
        challenger=told["challenger"],
        competition=told["competition"],
        rules=told["rules"],
        recorded=tuple((asset, start, scores) for asset, start, scores in told["recorded"]),
    )


def _last_words(stderr: bytes) -> str:
    lines = [line for line in stderr.decode(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip()[:500] if lines else ""


def main(arguments: list[str]) -> None:
    """Do it and print it; a deliberate error is one sentence on stderr."""
    bundle, prompts, *flags = arguments
    samples, market = read_samples(Path(prompts))
    forecaster = _Valid(load(bundle, trust_code="--trust-code" in flags), samples.challenger, get_rules(samples.rules))
    forecasters = everyone(forecaster, samples.challenger, sorted(samples.prompts[0].scores))
    reason = ""
    try:
        for one, (prompt, found) in zip(samples.prompts, score_again(samples, market, forecasters), strict=True):
            reason = reason or _other(prompt, found, one.scores, exactly=samples.is_from_here)
    except ValueError as error:
        reason = str(error)
    told = {
        "reason": reason,
        "challenger": samples.challenger,
        "competition": samples.competition,
        "rules": samples.rules,
        "recorded": [[one.asset, one.start_time, one.scores] for one in samples.prompts],
    }
    print(json.dumps(told, allow_nan=False))


def _other(prompt: Prompt, found: Mapping[str, float], recorded: Mapping[str, float], *, exactly: bool) -> str:
    if set(found) != set(recorded):
        return f"figures were recorded for {', '.join(sorted(recorded))}, and found for {', '.join(sorted(found))}"
    for name, value in found.items():
        if differs(value, recorded[name], exactly=exactly):
            how = "on this very machine" if exactly else "beyond 1e-4 of it"
            return (
                f"{name} scores {value!r} on the test prompt of {prompt.asset} at {prompt.start_time}, not the "
                f"recorded {recorded[name]!r}, {how}"
            )
    return ""


class _Valid(Named):
    """Refuses paths that the network would refuse."""

    def __init__(self, forecaster: Forecaster, name: str, rules: Rules) -> None:
        super().__init__(forecaster, name)
        self._rules = rules

    def simulate(self, history: Prices, prompt: Prompt, *, seed: int | None = None) -> Paths:
        """Return the forecaster's own paths once they are known to be taken.

        Raises:
            ValueError: they would be refused.
        """
        paths = super().simulate(history, prompt, seed=seed)
        refused = validate(json.loads(encode(round_paths(paths), prompt)), prompt, self._rules)
        if refused is not None:
            raise ValueError(f"the network would refuse the answer for {prompt.asset}: {refused}")
        return paths


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except SynthcityError as found_wrong:
        sys.exit(str(found_wrong))

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from synthcity.cli.main import cli
from synthcity.errors import ConfigError
from synthcity.nets.registry import blocks, heads


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["components", *arguments])


def test_lists_every_block_and_head_in_one_line_each() -> None:
    lines = run().output.splitlines()
    assert len(lines) == 1 + len(blocks()) + len(heads())
    assert lines[0].split("  ")[0] == "name"
    told = {line.split()[0]: line for line in lines[1:]}
    assert set(told) == {*blocks(), *heads()}
    assert told["lstm"].split()[:4] == ["lstm", "block", "yes", "-"]
    cost = blocks()["lstm"].cost
    assert cost is not None
    assert f"{cost.milliseconds[48]:.1f}" in told["lstm"]
    assert told["gbm"].endswith("Geometric Brownian motion with a volatility for every future step.")


def test_explains_one_with_options_size_and_cost() -> None:
    output = run("tcn").output
    assert output.startswith("tcn (block, causal)\n\nTemporal convolutional network")
    assert "arXiv 1803.01271" in output
    levels = next(line for line in output.splitlines() if line.startswith("levels"))
    assert levels.split()[1:6] == ["int", "1", "to", "7", "4"]
    assert f"{blocks()['tcn'].num_parameters(32):,} at d_model 32" in output
    assert "forward and backward of 64 windows, 32 wide" in output


def test_explains_choices_truths_and_logarithms() -> None:
    lines = run("gbm").output.splitlines()
    assert any("normal, student" in line for line in lines)
    assert any("true, false" in line for line in lines)
    assert any("8 to 128, in logs" in line for line in lines)


def test_json_holds_all_of_it() -> None:
    data = json.loads(run("--json").output)
    assert set(data["blocks"]) == set(blocks())
    assert set(data["heads"]) == set(heads())
    lstm = data["blocks"]["lstm"]
    assert (lstm["causal"], lstm["needs_seq_len"]) == (True, False)
    assert lstm["num_parameters"]["32"] == lstm["cost"]["parameters"] == 8512
    assert {parameter["name"] for parameter in lstm["parameters"]} == {"num_layers", "dropout"}
    assert json.loads(run("gbm", "--json").output) == {"blocks": {}, "heads": {"gbm": data["heads"]["gbm"]}}


@pytest.mark.parametrize(("name", "nearest"), [("lstn", "'lstm'"), ("mixtur", "'mixture'")])
def test_an_unknown_name_is_one_sentence_with_the_nearest(name: str, nearest: str) -> None:
    result = run(name)
    assert isinstance(result.exception, ConfigError)
    assert str(result.exception) == f"unknown block or head {name!r}; did you mean {nearest}?"


def test_help_teaches_by_example() -> None:
    assert "synthcity components lstm" in run("--help").output

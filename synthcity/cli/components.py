"""``synthcity components``: the blocks and heads that networks are made of."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from synthcity.cli.table import print_table
from synthcity.nets.costs import BATCH, LENGTHS, WIDTH, packaged_costs

if TYPE_CHECKING:
    from synthcity.nets.parameters import Parameter
    from synthcity.nets.registry import Component

WIDTHS = (16, 32, 64)


@click.command("components")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON, for tools.")
def command(name: str | None, as_json: bool) -> None:
    """List the blocks and heads that networks are made of, or explain the one called NAME.

    Costs are milliseconds that forward and backward of a block take on one CPU thread for 64 windows, 32 wide, of 48
    and of 288 tokens. A causal block never looks ahead; the weights of one of fixed length belong to the number of
    tokens it was built for.

    \b
    All of them in one table:
      synthcity components
    One with its whole description, its options and its size:
      synthcity components lstm
    """
    from synthcity.nets.registry import find

    found = find(name)
    if as_json:
        click.echo(json.dumps(_plain(found), indent=1))
    elif name is None:
        _list(found)
    else:
        for entry in found:
            _explain(entry)


def _plain(entries: list[Component]) -> dict[str, dict[str, object]]:
    tables: dict[str, dict[str, object]] = {"blocks": {}, "heads": {}}
    for entry in entries:
        sizes = {str(width): entry.num_parameters(width) for width in WIDTHS}
        tables[f"{entry.kind}s"][entry.name] = {**entry.describe(), "num_parameters": sizes}
    return tables


def _list(entries: list[Component]) -> None:
    rows = [
        [
            entry.name,
            entry.kind,
            "yes" if entry.causal else "-",
            "yes" if entry.needs_seq_len else "-",
            *_costs(entry),
            entry.doc.partition("\n")[0],
        ]
        for entry in entries
    ]
    costs = [f"ms at {tokens}" for tokens in LENGTHS]
    print_table(["name", "kind", "causal", "fixed length", *costs, "what it is"], rows, right=costs)


def _costs(entry: Component) -> list[str]:
    return ["-" if entry.cost is None else f"{entry.cost.milliseconds[tokens]:.1f}" for tokens in LENGTHS]


def _explain(entry: Component) -> None:
    traits = [entry.kind, *(["causal"] if entry.causal else []), *(["of fixed length"] if entry.needs_seq_len else [])]
    click.echo(f"{entry.name} ({', '.join(traits)})\n\n{entry.doc}\n")
    rows = [[p.name, p.kind, _range(p), _value(p.default), p.doc] for p in entry.parameters]
    if rows:
        print_table(["option", "type", "range", "default", "meaning"], rows)
        click.echo()
    sizes = ", ".join(f"{entry.num_parameters(width):,} at d_model {width}" for width in WIDTHS)
    click.echo(f"parameters with these defaults: {sizes}")
    if entry.cost is not None:
        where = packaged_costs()
        costs = " and ".join(f"{value:.1f} ms at {tokens} tokens" for tokens, value in entry.cost.milliseconds.items())
        click.echo(f"forward and backward of {BATCH} windows, {WIDTH} wide: {costs}")
        click.echo(f"(one thread of {where.cpu}, torch {where.torch})")


def _range(parameter: Parameter) -> str:
    if parameter.kind == "bool":
        return "true, false"
    if parameter.kind == "choice":
        return ", ".join(_value(choice) for choice in parameter.choices)
    return f"{parameter.low:g} to {parameter.high:g}" + (", in logs" if parameter.log else "")


def _value(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

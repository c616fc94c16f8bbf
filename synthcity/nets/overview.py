"""The blocks and heads as one table."""

from __future__ import annotations

import pandas as pd

from synthcity.nets.registry import find


def components(name: str | None = None) -> pd.DataFrame:
    """Return one row a block or head, or the one called ``name``: what it is, its options, who brings it.

    Raises:
        ConfigError: there is none of that name; the text gives the nearest.

    Example:
        >>> import synthcity
        >>> table = synthcity.components()
        >>> bool(table.loc["lstm", "causal"]), table.loc["gbm", "kind"], table.loc["lstm", "options"]
        (True, 'head', ['num_layers', 'dropout'])
    """
    rows = [
        {
            "name": entry.name,
            "kind": entry.kind,
            "causal": entry.causal,
            "options": [parameter.name for parameter in entry.parameters],
            "origin": "synthcity" if entry.origin is None else str(entry.origin.distribution or entry.origin.reference),
            "doc": entry.doc.partition("\n")[0],
        }
        for entry in find(name)
    ]
    return pd.DataFrame(rows).set_index("name")

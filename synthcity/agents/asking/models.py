"""Which model to ask: what an endpoint lists, and the choice by preference and by feature.

Names come and go, so nobody relies on one: a preference is a pattern, and where none matches, what a model can do
decides. A list of features that is absent means "unknown", not "none".
"""

from __future__ import annotations

import fnmatch
import math
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass

from synthcity.agents.ledger import Price
from synthcity.errors import LLMRefused

TOOLS, STRUCTURED, JSON_MODE = "tools", "structured_outputs", "json_mode"


@dataclass(frozen=True, kw_only=True)
class Model:
    """One model as an endpoint describes it; None is unknown. Lengths are in tokens."""

    id: str
    features: frozenset[str] | None = None
    context_length: int | None = None
    max_output: int | None = None
    price: Price | None = None

    def can(self, feature: str) -> bool | None:
        """Whether it has the feature; None where the endpoint does not say."""
        return None if self.features is None else feature in self.features

    def longest_answer(self, wanted: int, prompt_bytes: int) -> int:
        """Return how many tokens to ask for at most; a prompt is taken to have a token every three bytes."""
        room = wanted if self.context_length is None else max(self.context_length - prompt_bytes // 3, 1)
        return min(wanted, room, self.max_output or wanted)

    def to_dict(self) -> dict[str, object]:
        """Return plain JSON data for the transcript."""
        return asdict(self) | {"features": None if self.features is None else sorted(self.features)}


def parse_models(data: object) -> tuple[Model, ...]:
    """Read the answer to ``GET /v1/models``, most popular first; what makes no sense in it is left out."""
    rows = data.get("data") if isinstance(data, dict) else data
    if not isinstance(rows, list):
        return ()
    found: dict[str, Model] = {}
    for row in rows:
        if isinstance(row, dict) and isinstance(row.get("id"), str) and row["id"] and _speaks(row):
            found.setdefault(row["id"], _model(row))
    return tuple(found.values())


def choose(
    models: Sequence[Model], preferences: Sequence[str], required: Collection[str] = (), wished: Collection[str] = ()
) -> list[Model]:
    """Order the models that may be asked, best first.

    The order of the first preference that a name matches counts most; then, whether the model says it has all of
    ``required`` and ``wished``; then its place in the list. Models that say they lack something ``required`` are left
    out, and so are those that match no preference where others do.

    Raises:
        LLMRefused: none is left.
    """
    able = [model for model in models if all(model.can(feature) is not False for feature in required)]
    ranks = {model.id: _rank(model.id, preferences) for model in able}
    preferred = [model for model in able if ranks[model.id] < len(preferences)]
    chosen = preferred or able
    if not chosen:
        missing = f" with {' and '.join(sorted(required))}" if required else ""
        raise LLMRefused(f"the endpoint lists no model{missing}; see llm.models and SYNTHCITY_LLM_BASE_URL")
    wanted = [*required, *wished]
    return sorted(
        chosen, key=lambda model: (ranks[model.id], sum(model.can(feature) is not True for feature in wanted))
    )


def unlisted(preferences: Sequence[str]) -> tuple[Model, ...]:
    """Models of an endpoint that lists none: the preferences that are names and no patterns."""
    return tuple(Model(id=name) for name in preferences if not set("*?[") & set(name))


def _rank(name: str, preferences: Sequence[str]) -> int:
    lower = name.lower()
    matches = (n for n, pattern in enumerate(preferences) if fnmatch.fnmatchcase(lower, pattern.lower()))
    return next(matches, len(preferences))


def _model(row: dict[str, object]) -> Model:
    features = row.get("supported_features")
    lengths = (_positive(row.get("context_length")), _positive(row.get("max_model_len")))
    return Model(
        id=str(row["id"]),
        features=frozenset(f for f in features if isinstance(f, str)) if isinstance(features, list) else None,
        context_length=next((length for length in lengths if length), None),
        max_output=_positive(row.get("max_output_length")),
        price=_price(row),
    )


def _speaks(row: dict[str, object]) -> bool:
    sides = (row.get("input_modalities"), row.get("output_modalities"))
    return all("text" in side for side in sides if isinstance(side, list))  # what is not told is text


def _price(row: dict[str, object]) -> Price | None:
    pricing, price = row.get("pricing"), row.get("price")
    if isinstance(pricing, dict):
        amounts = [_amount(pricing.get(side)) for side in ("prompt", "completion")]
    elif isinstance(price, dict):
        sides = (price.get("input"), price.get("output"))
        amounts = [_amount(side.get("usd")) if isinstance(side, dict) else None for side in sides]
    else:
        return None
    return None if amounts[0] is None or amounts[1] is None else Price(amounts[0], amounts[1])


def _amount(value: object) -> float | None:
    """Read a number; a text is left alone, since some endpoints mean USD per single token by one."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value) or value < 0:
        return None
    return float(value)


def _positive(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None

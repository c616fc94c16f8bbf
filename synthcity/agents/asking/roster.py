"""The models of one endpoint: listed once in a while, and passed over for a time where they cannot serve."""

from __future__ import annotations

from collections.abc import Callable, Collection

from synthcity.agents.asking.endpoint import Endpoint
from synthcity.agents.asking.models import Model, choose, parse_models, unlisted
from synthcity.agents.asking.trouble import Trouble
from synthcity.agents.config import LLMConfig
from synthcity.agents.ledger import Price
from synthcity.errors import LLMRefused

_LIST_SECONDS = 300.0  # as long as Chutes itself keeps its list
_LISTING_TIMEOUT_SECONDS = 30.0


class Roster:
    """Picks the model to ask."""

    def __init__(
        self,
        endpoint: Endpoint,
        config: LLMConfig,
        clock: Callable[[], float],
        listed: Callable[[tuple[Model, ...]], None],
    ) -> None:
        """Args: ``listed`` is told every list that differs from the one before."""
        self._endpoint, self._config, self._clock, self._listed = endpoint, config, clock, listed
        self._models: tuple[Model, ...] = ()
        self._fresh_until = 0.0
        self._away: dict[str, float] = {}

    def pick(self, preferences: tuple[str, ...], required: Collection[str], wished: Collection[str]) -> Model:
        """Return the best model that is not passed over, or the one that soonest will be back.

        Raises:
            Trouble: the endpoint does not list its models now.
            LLMRefused: it has none that may be asked.
        """
        models = choose(self._list(preferences), preferences, required, wished)
        now = self._clock()
        return min(models, key=lambda model: max(self._away.get(model.id, 0.0), now))

    def pass_over(self, model: Model, *, gone: bool = False) -> None:
        """Prefer others for a while; ``gone``: the list that named it is out of date."""
        self._away[model.id] = self._clock() + self._config.patience.rest_seconds
        if gone:
            self._fresh_until = 0.0

    def has_other(self, preferences: tuple[str, ...], required: Collection[str]) -> bool:
        """Whether a model that is not passed over could be picked now."""
        now = self._clock()
        models = choose(self._models, preferences, required) if self._models else []
        return any(self._away.get(model.id, 0.0) <= now for model in models)

    def price(self, model: Model) -> Price | None:
        """Return what the model costs; a server on this machine costs nothing, None is unknown."""
        if model.price is not None:
            return model.price
        if self._config.price is not None:
            return Price(*self._config.price)
        return Price(0.0, 0.0) if self._endpoint.is_local else None

    def _list(self, preferences: tuple[str, ...]) -> tuple[Model, ...]:
        if self._clock() < self._fresh_until:
            return self._models
        timeout = min(_LISTING_TIMEOUT_SECONDS, self._config.patience.deadline_seconds)
        try:
            models = parse_models(self._endpoint.models(timeout))
        except Trouble as trouble:
            if self._models:
                return self._models  # the old list is better than none
            if trouble.status not in (404, 405, 501):
                raise
            models = ()
        models = models or unlisted(preferences)
        if not models:
            raise LLMRefused(
                f"{self._endpoint.host} lists no models; name one in llm.models, or see whether "
                "SYNTHCITY_LLM_BASE_URL lacks its /v1"
            )
        self._fresh_until = self._clock() + _LIST_SECONDS
        if models != self._models:
            self._models = models
            self._listed(models)
        return models

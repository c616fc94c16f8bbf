"""What can be known of a market before anything is rented."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from synthcity.errors import ConfigError
from synthcity.rent import gpus
from synthcity.rent.comparing import match
from synthcity.rent.config import NodeType
from synthcity.rent.market import Market
from synthcity.rent.naming import cluster_prefix
from synthcity.rent.rental import Rental

MOST_SKEW = 60.0  # seconds that the clocks may differ


def check_market(
    cluster: str, node_types: Iterable[NodeType], rentals: Iterable[Rental], market: Market, *, ledger: Path
) -> None:
    """Hold a cluster against the market, of which nothing is asked but to tell.

    Args:
        cluster: its name.
        node_types: what it may rent.
        rentals: what it has rented, by its ``ledger``.
        market: which.
        ledger: named where the market knows more.

    Raises:
        ConfigError: the token, a GPU's name or the clock is wrong, or another ledger's cluster has this name.
        RentError: the market does not answer.
    """
    types = tuple(node_types)
    for kind in sorted({one.kind for one in types}):
        offered = frozenset(offer.gpu for offer in market.offers(kind))
        for one in types:
            gpus.check_known(one.gpus if one.kind == kind else (), offered)
    listing = market.rentals()
    if listing.skew is not None and abs(listing.skew) > MOST_SKEW:
        raise ConfigError(f"the clock of this machine is {-listing.skew:+.0f} s off the market's; set it")
    strangers = match(rentals, listing.rows, cluster_prefix(cluster)).strangers
    if strangers:
        names = ", ".join(sorted(row.name for row in strangers))
        raise ConfigError(
            f"the market has rentals of a cluster {cluster!r} that are not in {ledger} ({names}); "
            f"choose another name, or end them with `synthcity cluster reap --cluster {cluster} --yes`"
        )

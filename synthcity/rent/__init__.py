"""Rented machines: offers, a ledger, a lessor that leaks none, and a reaper for what it could not end.

The market's lists are the truth about money; whatever lies on our disk is intent.
"""

from synthcity.rent.checking import check_market
from synthcity.rent.config import Kind, Limits, NodeType, Spot, bounded, usd, written_usd
from synthcity.rent.connection import Patience
from synthcity.rent.gpus import names as gpu_names
from synthcity.rent.ledger import LEDGER, Account, Ledger, Spent, read_ledger, read_ledgers
from synthcity.rent.lessor import EVERY, Lessor, LimitReached
from synthcity.rent.market import Listing, Market, Refused, Unknown
from synthcity.rent.naming import PREFIX, cluster_name, cluster_prefix, new_name, node_type_name, read_name
from synthcity.rent.offers import NoOffer, Offer, choose, rank
from synthcity.rent.reaper import HEARTBEAT, OLDER, Reaper, require_reaper
from synthcity.rent.rental import Address, Rental, State
from synthcity.rent.replies import Listed

__all__ = [
    "EVERY",
    "HEARTBEAT",
    "LEDGER",
    "OLDER",
    "PREFIX",
    "Account",
    "Address",
    "Kind",
    "Ledger",
    "Lessor",
    "LimitReached",
    "Limits",
    "Listed",
    "Listing",
    "Market",
    "NoOffer",
    "NodeType",
    "Offer",
    "Patience",
    "Reaper",
    "Refused",
    "Rental",
    "Spent",
    "Spot",
    "State",
    "Unknown",
    "bounded",
    "check_market",
    "choose",
    "cluster_name",
    "cluster_prefix",
    "gpu_names",
    "new_name",
    "node_type_name",
    "rank",
    "read_ledger",
    "read_ledgers",
    "read_name",
    "require_reaper",
    "usd",
    "written_usd",
]

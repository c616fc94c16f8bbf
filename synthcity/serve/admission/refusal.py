"""Why a request gets no paths: an HTTP status and one sentence."""

from __future__ import annotations


class Refusal(Exception):
    """A request that is not answered.

    Attributes:
        status: HTTP status of the answer.
        reason: one word for metrics, of a fixed set, whatever the caller sent.
        message: one sentence for the caller; it repeats nothing of a signature.
        asset: what was asked for, empty where that is not known yet.
    """

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message
        self.asset = ""

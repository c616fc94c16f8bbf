"""How much chance a verdict may leave: the level of each look at unseen prices, so that many rounds prove no more.

Whoever tests every round at 5 % promotes an equal soon. Here the looks of one competition against one champion share
``ALPHA`` among them: the i-th is held at ``alpha * 6 / (pi**2 * i**2)``, and these add up to ``alpha`` however many
there are. That is alpha-spending as in Tian and Ramdas (2021, "Online control of the familywise error rate",
Statistical Methods in Medical Research 30(4)); by the union bound it holds whatever the looks have in common. With a
new champion a new series begins, for which an equal had to win once already, so the chance that equals ever replace
anybody stays ``alpha``. Where several competitions take turns they share it too.

Levels that fall so fast leave a loop without power after a few looks. So what leads at ``TRIAL`` alone may race in a
miner's shadow, without a claim, and the race, on prices that come after, is held to a stricter rule
(``challenge.TRIAL``). An equal has to be lucky twice, on days that share nothing, and the chances multiply.
"""

from __future__ import annotations

import math

ALPHA = 0.03
"""Level of all looks together. Intervals of as few blocks as nine miss a little oftener than they say where days are
skewed or uneven: at 5 % up to 7.1 % of loops promoted an equal in ``benchmarks.promotions``, at this 2.1 to 2.7 % under
three of its laws."""

TRIAL = 0.05
"""One-sided level of a look that lets into the shadow without a claim, however many there were before. With the rule of
such a race at most 4.1 % of loops promote anybody in a hundred rounds of equals (``benchmarks.promotions``)."""


def level(look: int, families: int = 1) -> float:
    """Return the one-sided level of a look.

    Args:
        look: from 1 on, since the champion changed last.
        families: competitions that share ``ALPHA``.
    """
    if look < 1 or families < 1:
        raise ValueError(f"looks and families count from 1, got {look} and {families}")
    return ALPHA / families * 6 / (math.pi**2 * look**2)


def confidence(level: float) -> float:
    """Return the confidence of a two-sided interval whose upper end keeps a one-sided ``level``."""
    return 1 - 2 * level

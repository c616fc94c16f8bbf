"""What Ray Serve did not do, in a sentence."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from synthcity.errors import Fatal


@contextlib.contextmanager
def started(what: str) -> Iterator[None]:
    """Say that ``what`` did not start, where Ray raises in the block.

    Raises:
        Fatal: it did not, or not in time, which is a busy machine's doing.
    """
    from ray.exceptions import RayError

    try:
        yield
    except TimeoutError as error:
        raise Fatal(
            f"{what} did not start in time ({error}); this machine is busy, so try again when it is quieter"
        ) from error
    except (RuntimeError, RayError) as error:
        raise Fatal(f"{what} did not start: {error}") from error

"""Exceptions of synthcity.

::

    SynthcityError            anything we raise on purpose; its text is one sentence for the user
    ├── ConfigError           a sweep file, option or setting is wrong           (exit code 2)
    ├── DataError             prices are missing, damaged or too few             (exit code 2)
    │   └── NotCovered        a forecaster was asked for what it was not made for
    ├── BundleError           a bundle is damaged, foreign or of another version (exit code 2)
    ├── RunError              a run folder cannot be written, read or resumed    (exit code 2)
    ├── SourceError           a price venue failed after all retries             (exit code 3)
    ├── ChainError            the chain did not answer, or refused               (exit code 3)
    ├── PublishError          what a run is published to failed or refused       (exit code 3)
    ├── LLMError              a language model was of no help                    (exit code 3)
    │   ├── LLMUnavailable    it is down, overloaded, slow or out of quota; later it may answer
    │   ├── LLMRefused        it will not answer this, however often asked: no key, no model, no such request
    │   ├── LLMBudgetExceeded the worst case of the call passes a cap; nothing was asked
    │   └── LLMAnswerError    it answered, but not in the form asked for, the repair included
    ├── VaultError            a vault did not answer, refused, or holds what is damaged (exit code 3)
    ├── RentError             the market of rented machines did not answer, refused, or has none (exit code 3)
    ├── TrackerError          an experiment tracker failed or hung               (exit code 3)
    ├── TrialFailed           this trial failed; the search goes on
    │   └── TrialTimeout      it took far longer than it may
    └── Fatal                 the search cannot go on                            (exit code 1)

A caller's mistake in a function argument is a plain ``ValueError`` with the offending value.
Every exception here takes one string, so it pickles and crosses process borders unchanged.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_LONGEST_NAME = 200  # that is shown of what somebody typed


INTERRUPTED = 130  # exit code after Ctrl-C or SIGTERM


class SynthcityError(Exception):
    """Base of all deliberate errors; ``str(error)`` names the value and the remedy."""

    exit_code = 1


class ConfigError(SynthcityError):
    """A sweep file, option or setting is wrong; ``key`` is the full dotted name of the key, where it is one."""

    exit_code = 2
    key = ""


class DataError(SynthcityError):
    """Prices are missing, damaged or too few."""

    exit_code = 2


class NotCovered(DataError):
    """A forecaster was asked for an asset or a grid that it was not made for; another one is to be asked."""


class BundleError(SynthcityError):
    """A bundle is damaged, foreign or of another version."""

    exit_code = 2


class RunError(SynthcityError):
    """A run folder cannot be written, read or resumed."""

    exit_code = 2


class SourceError(SynthcityError):
    """A price venue failed after all retries.

    ``pause_seconds`` is how long the venue wants to be left alone by this address, 0 where that would not help.
    """

    exit_code = 3
    pause_seconds = 0.0


class ChainError(SynthcityError):
    """The chain did not answer, or refused."""

    exit_code = 3


class PublishError(SynthcityError):
    """What a run is published to failed or refused, or gives back something else."""

    exit_code = 3


class LLMError(SynthcityError):
    """A language model was of no help; whoever asked goes on without it and says so."""

    exit_code = 3


class LLMUnavailable(LLMError):
    """The model is down, overloaded, slow or out of quota; later it may answer."""


class LLMRefused(LLMError):
    """The model will not answer this, however often it is asked."""


class LLMBudgetExceeded(LLMError):
    """The worst case of the call passes a cap of the ledger; nothing was asked."""


class LLMAnswerError(LLMError):
    """The model answered, but not in the form asked for, the repair included."""


class VaultError(SynthcityError):
    """A vault did not answer, refused, or holds what is damaged; what was to be sent can be sent later."""

    exit_code = 3


class RentError(SynthcityError):
    """The market of rented machines did not answer, refused, or has nothing that is wanted."""

    exit_code = 3


class TrackerError(SynthcityError):
    """An experiment tracker failed or hung."""

    exit_code = 3


class TrialFailed(SynthcityError):
    """One trial failed; the search goes on and records the cause."""


class TrialTimeout(TrialFailed):
    """This trial took far longer than it may; the search goes on."""


class Fatal(SynthcityError):
    """The search cannot go on."""


def exit_code_of(error: BaseException) -> int:
    """Return the exit code of a command that an error ends."""
    if isinstance(error, SynthcityError):
        return error.exit_code
    return INTERRUPTED if isinstance(error, KeyboardInterrupt) else 1


def unknown_name(kind: str, name: object, valid: Iterable[str]) -> str:
    """Return "unknown <kind> 'x'; did you mean 'y'?" naming the nearest valid name, else all of them."""
    names = sorted(valid)
    shown = str(name) if len(str(name)) <= _LONGEST_NAME else f"{str(name)[:_LONGEST_NAME]}..."
    near = difflib.get_close_matches(shown, names, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"valid: {', '.join(names)}"
    return f"unknown {kind} {shown!r}; {hint}"

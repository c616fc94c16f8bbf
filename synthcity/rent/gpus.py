"""GPUs have one name each; two GPUs never share one, and none is found in another's."""

from __future__ import annotations

import re

from synthcity.errors import ConfigError, unknown_name

# of most GPUs that are rented; for a hint where a name is mistyped, and no list of what may be rented
COMMON = (
    *("A10", "A10G", "A16", "A30", "A40", "A100", "B200", "B300", "GB200", "GH200", "H100", "H200", "L4", "L40"),
    *("L40S", "RTX 3080", "RTX 3090", "RTX 4080", "RTX 4090", "RTX 5080", "RTX 5090", "RTX 6000 ADA", "RTX A4000"),
    *("RTX A5000", "RTX A6000", "RTX PRO 6000", "T4", "V100"),
)
_MAKERS = {"NVIDIA", "TESLA", "GEFORCE", "QUADRO"}
_BUILD = re.compile(r"[0-9]+(?:\.[0-9]+)?GI?B|SXM[0-9]*|PCIE|HBM[0-9]E?|NVLINK")  # memory and socket, not the chip


def normalise(name: str) -> str:
    """Return the name of a GPU without its maker, memory and socket.

    ``NVIDIA A100 80GB`` and ``A100-SXM4-80GB`` are ``A100``, ``rtx4090`` is ``RTX 4090``. Of a name that is not
    understood all words stay, in capitals.
    """
    text = re.sub(r"(?<=[0-9])\s+(?=GI?B\b)", "", re.sub(r"[\s_-]+", " ", name.upper()).strip())
    text = re.sub(r"\bRTX(?=A?[0-9])", "RTX ", text)
    words = [word for word in text.split() if word not in _MAKERS and not _BUILD.fullmatch(word)]
    if len(words) == 1 and re.fullmatch(r"A[4-6]000", words[0]):
        words = ["RTX", *words]
    return " ".join(words) or text


def names(value: object) -> tuple[str, ...]:
    """Read a list of GPUs by name; an empty one means machines without a GPU.

    Raises:
        ValueError: it is none; the text completes "it must be".
    """
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) and one.strip() for one in value):
        raise ValueError("a list of GPUs such as [A100, RTX A6000]")
    return tuple(dict.fromkeys(normalise(one) for one in value))


def check_known(wanted: tuple[str, ...], offered: frozenset[str]) -> None:
    """Hold names against what a market offers now, sold out or not, and against those that are common.

    Raises:
        ConfigError: one is neither; the nearest is told.
    """
    known = offered | set(COMMON)
    for name in wanted:
        if name not in known:
            raise ConfigError(f"{unknown_name('GPU', name, known)}; no machine of the market has it")

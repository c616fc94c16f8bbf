"""As ``hostile``, with torch at hand, which takes seconds to load."""

from tests.nets.authored import hostile
from tests.nets.authored.hostile import run

__all__ = ["prepare", "run"]


def prepare() -> None:
    import torch

    hostile.prepare()
    torch.randn(2, requires_grad=True).sum().backward()

"""As ``hostile``, with torch at hand, which takes seconds to load."""

from tests.authored.locked import hostile
from tests.authored.locked.hostile import run

__all__ = ["prepare", "run"]


def prepare() -> None:
    import torch

    hostile.prepare()
    torch.randn(2, requires_grad=True).sum().backward()

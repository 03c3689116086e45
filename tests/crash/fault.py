"""What a fault is to this suite: something that strikes a running installation, again and again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from random import Random

from tests.harness.outpost import Outpost


class Fault(ABC):
    """One kind of trouble; `name` is its row in the table. Most need nothing before and after."""

    name: str

    async def prepare(self, post: Outpost) -> None:  # noqa: B027 (optional)
        """Set up what the strikes need, while all is calm."""

    @abstractmethod
    async def strike(self, post: Outpost, chance: Random) -> int:
        """Let it happen once, from its beginning to its end; returns how many processes were killed."""

    async def relent(self, post: Outpost) -> None:  # noqa: B027 (optional)
        """Give back what `prepare` set up."""

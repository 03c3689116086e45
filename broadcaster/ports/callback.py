"""What a gateway's call to us carried, and what a platform above us orders in it to be broadcast."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from broadcaster.ports.evidence import Follow, Receipt, Reply


class OrderState(StrEnum):
    """How far what a platform above had us broadcast is: not decided yet; going out; gone out; not broadcast; called
    off."""

    WAITING = "waiting"
    UNDER_WAY = "under_way"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class OrderStanding:
    """How the order `id` stands, in words too. `regions` that it covers here; `began` and `ended` of its broadcast;
    `reached`: the share of the homes, 0 to 1, None where nothing went out."""

    id: str
    state: OrderState
    why: str
    regions: tuple[str, ...]
    began: datetime | None = None
    ended: datetime | None = None
    reached: float | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """What a platform above wants to have broadcast: its document, as a source of its kind reads it, and whether its
    signature is good. `untaken` makes the answer where nobody takes orders of this gateway."""

    document: bytes
    proven: bool
    untaken: Callable[[], CallbackResult]


@dataclass(frozen=True, slots=True)
class Inquiry:
    """It asks how the order `id` stands; `answer` makes the answer of what is known."""

    id: str
    answer: Callable[[OrderStanding], CallbackResult]


@dataclass(frozen=True, slots=True)
class CallbackResult:
    """What a provider's callback carried, and what to answer once it is stored.

    `say` makes of words the answer that shows them to whoever caused the call; None where there is no such answer.
    `order` and `inquiry` are a platform's above us.
    """

    receipts: Sequence[Receipt]
    replies: Sequence[Reply]
    status: int
    content_type: str
    body: bytes
    follows: Sequence[Follow] = ()
    say: Callable[[str], CallbackResult] | None = None
    order: Order | None = None
    inquiry: Inquiry | None = None

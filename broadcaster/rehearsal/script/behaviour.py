"""How the gateways of a channel and the people behind them behave."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from broadcaster.errors import SettingsError
from broadcaster.rehearsal.script.measures import Delay, Seconds, Share, Shares, Weights

ASKS = (
    r"(?:回复“?1”?（多条时回复“?1 |Reply 1 to confirm \(1 )(?P<code>\d{1,4})"
    r"|回复“?1(?!\d)|Reply 1 to confirm|收到请按[一1]"
)
"""How a text asks its reader to confirm (at most 64 characters); `code` is the reply code it gives."""


class Residents(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who was not asked and answers all the same."""

    share: Share = 0.0
    after: Delay = Delay(median=2.0, spread=1.0)
    texts: Weights = msgspec.field(default_factory=lambda: {"收到": 6, "谢谢": 2, "？": 2, "求助": 1})


class Duty(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who was asked to confirm: a text asks when `asks` is found in it; its group `code` is the reply code.

    `ways`: "reply" (SMS, WeChat, mail, the key pressed during a call), "link" (opens the message's link and presses the
    `button`, a pattern of its label; `form` is filled in besides), "look" (opens it and forgets about it).
    `with_code`: share of replies that repeat the code the text gave.
    """

    asks: str = ASKS
    silent: Share = 0.1
    after: Delay = Delay(median=2.0, spread=0.8)
    ways: dict[Literal["reply", "link", "look"], Annotated[float, Meta(ge=0)]] = msgspec.field(
        default_factory=lambda: {"reply": 1}
    )
    texts: Weights = msgspec.field(default_factory=lambda: {"1": 6, "收到": 3, "已收到，正在转移": 1})
    key: str = "1"
    with_code: Share = 0.5
    button: str = "收到|确认|[Cc]onfirm"
    form: dict[str, str] = {}

    def __post_init__(self) -> None:
        for pattern in (self.asks, self.button):
            try:
                re.compile(pattern)
            except re.error as problem:
                raise ValueError(f"{pattern!r} is not a regular expression: {problem}") from problem


class Faults(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Shares of submitted frames that end in trouble, and of sign-ins that are never answered. Where a frame holds one
    message, all that came in one read counts as one.

    `cut`: the connection breaks, after the messages were taken and before the answer in half of the cases, before they
    were taken in the others (`cut_taken` is that share); `half_open`: nothing more is read or written, nor closed;
    `garbage`: bytes that are no frame are written; `shuffle`: the answers come in pieces, the last rows first, behind
    those to later frames.

    `hang_after` messages on a connection the gateway takes what comes and says nothing at all for `hang_for` seconds,
    and again after as many; `read_rate`: bytes per second that it reads; 0 = never, and as they come.
    """

    cut: Share = 0.0
    cut_taken: Share = 0.5
    half_open: Share = 0.0
    garbage: Share = 0.0
    hang: Share = 0.0
    shuffle: Share = 0.0
    hang_after: Annotated[int, Meta(ge=0)] = 0
    hang_for: Seconds = 0.0
    read_rate: Annotated[float, Meta(ge=0)] = 0.0


class Behaviour(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the gateways of a channel and the people behind them behave.

    `rate`: messages in any one second per account; `connections`: most at a time per account; 0 = no limit.
    `busy`: share answered "try again"; `refuse`: reasons for refusing at once, by address; `failures`: reasons for
    failing afterwards, by address. `loss`: share without a receipt; `duplicate`: with two; `early`: receipt before the
    answer; `late`: receipt after `late_after` more; `stray`: receipts for unknown messages, per receipt; `wrong`:
    receipts that name the right message id and, as our own key, that of another message.
    `receipt_names`: what a receipt names its message by. `redeliver_after`: seconds until what was not acknowledged is
    sent again. `validity`: what comes after its end is refused, as by carriers that keep validity periods. `play`: how
    much of the audio's length a call or terminal takes, 0 = none of it.
    """

    answer: Delay = Delay(median=0.002)
    receipt: Delay = Delay(median=0.2, spread=0.7, most=20.0)
    rate: Annotated[float, Meta(ge=0)] = 0.0
    connections: Annotated[int, Meta(ge=0)] = 0
    busy: Share = 0.0
    refuse: Shares = {}
    failures: Shares = {}
    loss: Share = 0.0
    duplicate: Share = 0.0
    early: Share = 0.0
    late: Share = 0.0
    late_after: Delay = Delay(median=10.0)
    stray: Share = 0.0
    wrong: Share = 0.0
    receipt_names: Literal["both", "ref", "key"] = "both"
    redeliver_after: Annotated[float, Meta(gt=0)] = 5.0
    validity: bool = False
    play: Annotated[float, Meta(ge=0, le=10)] = 0.0
    residents: Residents = Residents()
    duty: Duty = Duty()
    faults: Faults = Faults()


def changed(behaviour: Behaviour, changes: object) -> Behaviour:
    """`behaviour` with `changes` (plain JSON values, parts nested) laid over it; SettingsError when they do not fit."""
    document = msgspec.to_builtins(behaviour)
    _lay_over(document, changes)
    try:
        return msgspec.convert(document, Behaviour)
    except msgspec.ValidationError as problem:
        raise SettingsError(f"This behaviour is wrong: {problem}.") from problem


_PARTS = {"answer", "receipt", "late_after", "after", "residents", "duty", "faults"}


def _lay_over(document: dict[str, Any], changes: object) -> None:
    if not isinstance(changes, dict):
        raise SettingsError("Changes of a behaviour are an object of keys and values.")
    for key, value in changes.items():
        if isinstance(value, dict) and isinstance(document.get(key), dict) and key in _PARTS:
            _lay_over(document[key], value)
        else:
            document[key] = value

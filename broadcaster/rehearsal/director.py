"""Whoever directs the rehearsal from outside: questions about it, and stage directions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from broadcaster.errors import DaohuError, InputError
from broadcaster.ports import Medium
from channels.line.wire import Ask, Told

if TYPE_CHECKING:
    from broadcaster.rehearsal.stage import Stage


class Behave(msgspec.Struct, forbid_unknown_fields=True):
    """Change a channel's behaviour; `changes` has the script's keys."""

    channel: Medium
    changes: dict[str, Any]


class Cut(msgspec.Struct, forbid_unknown_fields=True):
    """Break an account's connections; all of them when none is named."""

    account: str = ""


class Say(msgspec.Struct, forbid_unknown_fields=True):
    """Somebody writes to an account, out of the blue."""

    account: str
    address: str
    text: str


class Stray(msgspec.Struct, forbid_unknown_fields=True):
    """Receipts to an account for messages that never were."""

    account: str
    count: int = 1


def direct(stage: Stage, ask: Ask) -> Told:
    """Obey and answer; what cannot be done is said in the answer."""
    try:
        if ask.question not in _DIRECTIONS:
            raise InputError(f"There is no direction {ask.question!r}.", remedy=f"Known: {', '.join(_DIRECTIONS)}.")
        answer = _DIRECTIONS[ask.question](stage, ask.arguments)
    except (DaohuError, msgspec.MsgspecError) as problem:
        return Told(b"", str(problem))
    return Told(msgspec.json.encode(answer), "")


def _stats(stage: Stage, _: bytes) -> object:
    return {name: account.counts for name, account in stage.accounts.items()}


def _behave(stage: Stage, arguments: bytes) -> object:
    wanted = msgspec.json.decode(arguments, type=Behave)
    stage.behave(wanted.channel, wanted.changes)
    return None


def _cut(stage: Stage, arguments: bytes) -> object:
    wanted = msgspec.json.decode(arguments, type=Cut)
    accounts = [stage.account(wanted.account)] if wanted.account else list(stage.accounts.values())
    members = [member for account in accounts for member in account.members]
    for member in members:
        member.cut("cut by the director")
    return len(members)


def _say(stage: Stage, arguments: bytes) -> object:
    wanted = msgspec.json.decode(arguments, type=Say)
    return stage.account(wanted.account).people.say(wanted.address, wanted.text)


def _stray(stage: Stage, arguments: bytes) -> object:
    wanted = msgspec.json.decode(arguments, type=Stray)
    stage.account(wanted.account).evidence.stray(wanted.count)
    return None


_DIRECTIONS: dict[str, Callable[[Stage, bytes], object]] = {
    "stats": _stats,
    "behave": _behave,
    "cut": _cut,
    "say": _say,
    "stray": _stray,
}

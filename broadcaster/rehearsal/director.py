"""Whoever directs the rehearsal from outside: questions about it, and stage directions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from broadcaster.errors import DaohuError, InputError
from broadcaster.ports import Medium
from broadcaster.rehearsal.fronts.official import OfficialPlatform
from broadcaster.rehearsal.fronts.wecom import WecomPlatform
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


class CallBack(msgspec.Struct, forbid_unknown_fields=True):
    """A platform calls an account's client there from now on, "" nowhere; it need not have signed in yet."""

    platform: str
    account: str
    address: str


class Follow(msgspec.Struct, forbid_unknown_fields=True):
    """Somebody begins or ceases to be reached by an account of a platform; of an official account's they are its
    followers, by a code of `scene` if that is given."""

    account: str
    address: str
    follows: bool
    scene: str = ""


class Press(msgspec.Struct, forbid_unknown_fields=True):
    """Somebody presses the button on the last card that they got."""

    account: str
    address: str


class Begin(msgspec.Struct, forbid_unknown_fields=True):
    """The storm begins; rain gauges post to `readings` with the bearer token `token`, "" nowhere."""

    readings: str = ""
    token: str = ""


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


def _call_back(stage: Stage, arguments: bytes) -> object:
    wanted = msgspec.json.decode(arguments, type=CallBack)
    stage.platform(wanted.platform).call_back(wanted.account, wanted.address)
    return None


def _follow(stage: Stage, arguments: bytes) -> object:
    wanted = msgspec.json.decode(arguments, type=Follow)
    account = stage.account(wanted.account)
    platform = stage.platform(account.protocol)
    if isinstance(platform, OfficialPlatform):
        platform.follow_by(account, wanted.address, follows=wanted.follows, scene=wanted.scene)
    elif isinstance(platform, WecomPlatform):
        platform.follow(account, wanted.address, follows=wanted.follows)
    else:
        raise InputError(f"Nobody follows anybody on {account.protocol}.")
    return None


def _press(stage: Stage, arguments: bytes) -> object:
    wanted = msgspec.json.decode(arguments, type=Press)
    account = stage.account(wanted.account)
    platform = stage.platform(account.protocol)
    if not isinstance(platform, WecomPlatform):
        raise InputError(f"There are no cards on {account.protocol}.")
    card = platform.card(account.name, wanted.address)
    return account.people.say(wanted.address, card.key, card.task)


def _storm(stage: Stage, arguments: bytes) -> object:
    wanted = msgspec.json.decode(arguments, type=Begin)
    if stage.weather is None:
        raise InputError("There is no weather here.", remedy="Give the script a fronts.weather.")
    return stage.weather.begin(wanted.readings, wanted.token)


_DIRECTIONS: dict[str, Callable[[Stage, bytes], object]] = {
    "stats": _stats,
    "behave": _behave,
    "cut": _cut,
    "say": _say,
    "stray": _stray,
    "call_back": _call_back,
    "follow": _follow,
    "press": _press,
    "storm": _storm,
}

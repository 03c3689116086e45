"""The whole script, and how it is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from broadcaster.errors import SettingsError
from broadcaster.ports import Medium
from broadcaster.rehearsal.script.behaviour import Behaviour
from broadcaster.rehearsal.script.fronts import Fronts


class Account(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An account with a password of its own, and with a behaviour of its own if given."""

    password: str = ""
    behaviour: Behaviour | None = None


class Script(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole rehearsal. `pace` multiplies every delay; `accounts` not named may sign in without a password."""

    seed: int = 0
    pace: Annotated[float, Meta(ge=0, le=1000)] = 1.0
    sms: Behaviour = Behaviour()
    wechat: Behaviour = Behaviour()
    email: Behaviour = Behaviour()
    voice: Behaviour = Behaviour()
    loudspeaker: Behaviour = Behaviour()
    accounts: dict[str, Account] = {}
    fronts: Fronts = Fronts()
    texts_kept: Annotated[int, Meta(ge=0)] = 10_000

    def behaviour(self, medium: Medium, account: str) -> Behaviour:
        """How the gateway behaves that `account` has signed in to."""
        own = self.accounts.get(account)
        if own is not None and own.behaviour is not None:
            return own.behaviour
        behaviour: Behaviour = getattr(self, medium.value)
        return behaviour

    def to_json(self) -> bytes:
        return msgspec.json.encode(self)


def read_script(path: Path | None, options: tuple[str, ...] = ()) -> Script:
    """The script in a JSON file, changed by `options` like `sms.loss=0.1`; SettingsError names what is wrong."""
    document: dict[str, Any] = {}
    if path is not None:
        try:
            document = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as problem:
            raise SettingsError(
                f"The script {path} cannot be read: {problem}.", remedy="Give a JSON file."
            ) from problem
    for option in options:
        _set(document, option)
    return check_script(document, str(path or "options"))


def check_script(document: object, source: str) -> Script:
    """The script that `document` (plain JSON values) describes; SettingsError names the key that is wrong."""
    try:
        return msgspec.convert(document, Script)
    except msgspec.ValidationError as problem:
        raise SettingsError(
            f"The script from {source} is wrong: {problem}.",
            remedy="See broadcaster/rehearsal/script/ for every key.",
        ) from problem


def _set(document: dict[str, Any], option: str) -> None:
    name, equals, text = option.partition("=")
    if not equals:
        raise SettingsError(f"The option {option!r} has no value.", remedy="Write it as key=value, e.g. sms.loss=0.1.")
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    *parents, last = name.split(".")
    for parent in parents:
        document = document.setdefault(parent, {})
        if not isinstance(document, dict):
            raise SettingsError(f"The option {option!r} names a part of something that has none.")
    document[last] = value

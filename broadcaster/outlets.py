"""What an adapter that tells other machines implements. It attempts once and classifies; when to try again is the
core's business (`broadcaster.webhooks`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal, Protocol

import msgspec

LABELS = ("district", "kind", "hazard", "colour", "msg_type", "status")
"""What a topic may name in braces."""

_LABEL = re.compile(r"\{([a-z_]*)\}")


class OutletKind(StrEnum):
    """How somebody is told: by a signed webhook; by a POST of the bare CAP message; by a message of an MQTT broker."""

    WEBHOOK = "webhook"
    CAP = "cap"
    MQTT = "mqtt"


class Manner(msgspec.Struct, frozen=True, omit_defaults=True):
    """How one of them wants it, apart from the password. `auth`: how we prove ourselves: with the name `login` and a
    password (basic), a bearer token, or a token in the header `login`. `topic` is a template with labels in braces;
    `retain`: the broker keeps the latest of each topic; `version` of MQTT. `authority`: PEM of who is trusted besides
    the system's authorities."""

    auth: Literal["", "basic", "bearer", "header"] = ""
    login: str = ""
    topic: str = ""
    retain: bool = False
    version: Literal["5", "3.1.1"] = "5"
    authority: str = ""


PLAIN = Manner()


@dataclass(frozen=True, slots=True)
class Hook:
    """Who is told: an address (http, https; mqtt, mqtts) and the secret that both sides know, b"" where nothing is
    signed. `private`: it may lie in a private network. `password` is the one that they gave us."""

    url: str
    secret: bytes = field(default=b"", repr=False)
    private: bool = False
    kind: OutletKind = OutletKind.WEBHOOK
    manner: Manner = PLAIN
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is told: `id` is the same for every attempt, so that whoever gets it twice knows. `labels` say what it is
    about, as topics may name it."""

    id: str
    body: bytes
    content_type: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Told:
    """The other side has it; `status` of HTTP, None where there is none."""

    status: int | None = None


@dataclass(frozen=True, slots=True)
class NotTold:
    """It has not, or nobody knows. `after`: the seconds that it asks us to wait; `final`: it never wants it; `unfit`:
    as far as one can tell it is this message that it does not take, and the next may fare better."""

    reason: str
    status: int | None = None
    after: float | None = None
    final: bool = False
    unfit: bool = False


def topic(template: str, labels: Mapping[str, str]) -> str:
    """The topic that a template gives: each label in the place of its name, `none` for one that is lacking."""
    return _LABEL.sub(lambda found: labels.get(found[1]) or "none", template)


def is_topic(template: str) -> bool:
    """Whether a template gives a topic that can be published to (MQTT 5, 4.7: no wildcards, not empty), and names only
    labels that there are."""
    plain = _LABEL.sub("x", template)
    known = set(_LABEL.findall(template)) <= set(LABELS)
    return bool(plain) and known and plain.isprintable() and not set("+#{}") & set(plain) and not plain.startswith("$")


class Outlet(Protocol):
    """Tells other machines."""

    async def tell(self, hook: Hook, parcel: Parcel, now: datetime) -> Told | NotTold:
        """One attempt, signed at `now`; never raises for what the other side does."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class Outlets:
    """All of them behind one: each kind of hook by the outlet that knows it."""

    def __init__(self, known: Mapping[OutletKind, Outlet]) -> None:
        self._known = known

    async def tell(self, hook: Hook, parcel: Parcel, now: datetime) -> Told | NotTold:
        """As `Outlet.tell`."""
        outlet = self._known.get(hook.kind)
        if outlet is None:
            return NotTold(f"没有安装 {hook.kind} 的适配器")
        return await outlet.tell(hook, parcel, now)

    async def close(self) -> None:
        """Close each."""
        for outlet in dict.fromkeys(self._known.values()):
            await outlet.close()

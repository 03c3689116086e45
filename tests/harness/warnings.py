"""Warnings of other offices as they come over feeds: CAP documents, and the indexes that list them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from adapters import cap
from broadcaster.alerts import areas
from broadcaster.alerts.alert import Alert, Area, MsgType, Reference, Status
from tests.harness.alerts import NOW, typhoon

SENDER = "qxj@example.cn"
ATOM = '<feed xmlns="http://www.w3.org/2005/Atom"><id>f</id><title>t</title><updated>2026-08-10</updated>{}</feed>'


def foreign(
    identifier: str = "QX_1",
    *,
    regions: Iterable[str] = ("330212101",),
    area: Area | None = None,
    expires: datetime = NOW + timedelta(hours=6),
    **changes: Any,
) -> Alert:
    """A red typhoon warning of the meteorological office for our first town."""
    places = area or Area("第1镇", geocodes=tuple(map(areas.geocode, regions)))
    plain = typhoon(identifier=identifier, sender=SENDER, **changes)
    info = replace(
        plain.infos[0], areas=(places,), expires=expires, sender_name="宁波市气象台", description="台风“梅花”今夜登陆。"
    )
    return replace(plain, infos=(info,))


def following(first: Alert, identifier: str, msg_type: MsgType, **changes: Any) -> Alert:
    """An Update or a Cancel of `first`."""
    reference = Reference(first.sender, first.identifier, first.sent)
    sent = first.sent + timedelta(minutes=10)
    return replace(first, identifier=identifier, msg_type=msg_type, sent=sent, references=(reference,), **changes)


def xml(alert: Alert) -> bytes:
    """As CAP 1.2, without the marks by which our own messages are known."""
    plain = replace(alert, codes=())
    lines = cap.write(plain).decode().splitlines(keepends=True)
    return "".join(line for line in lines if "daohu:" not in line or "geocode" in line or "valueName" in line).encode()


def entry(link: str, updated: str = "2026-08-10T03:00:00+08:00") -> str:
    """An entry of an index."""
    return f'<entry><id>{link}</id><title>t</title><updated>{updated}</updated><link href="{link}"/></entry>'


def index(*links: str) -> str:
    """An Atom index, the newest first."""
    return ATOM.format("".join(map(entry, links)))


DRILL = Status.EXERCISE

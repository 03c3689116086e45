"""A message as the values of a template's fields, and what a template wants to be filled."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from broadcaster.clock import BEIJING
from broadcaster.ports import Message
from channels.wechat.cutting import cut

LIMITS = {"thing": 20, "const": 20, "character_string": 32, "letter": 32, "number": 32, "phrase": 5, "name": 10}
"""Characters that a field of a kind may have, the kind being its name without the number at its end (类目模板,
参数值内容限制). Longer ones are refused by the platform, so they are cut."""

NOTHING = "—"
"""In a field for which a message has nothing: the platform refuses empty ones."""

_KIND = re.compile(r"\d+$")
_MOMENT = re.compile(r"(?:(?P<month>\d{1,2})月(?P<day>\d{1,2})日)?(?P<hour>\d{1,2})[时:](?P<minute>\d{1,2})?", re.ASCII)
_WANTED = re.compile(r"\{\{\s*([A-Za-z][A-Za-z0-9_]*)\.DATA\s*\}\}")


def values(message: Message, fields: Mapping[str, str], expires: datetime, now: datetime) -> dict[str, str]:
    """The value of each field of the template; `fields` as in the options, `expires` the message's end. A field for
    times is refused without one: where the message has none it says `now`."""
    if not fields:
        return dict(message.fields)
    return {theirs: _fit(theirs, _ours(message, ours), expires, now) for theirs, ours in fields.items()}


def unfilled(content: str, fields: Mapping[str, str], ours: tuple[str, ...]) -> list[str]:
    """The fields in a template's content (`{{thing1.DATA}}`) that would get no value."""
    given = fields or dict.fromkeys(ours)
    return [name for name in dict.fromkeys(_WANTED.findall(content)) if name not in given]


def _ours(message: Message, name: str) -> str:
    match name:
        case "text":
            found = message.text
        case "subject":
            found = message.subject
        case _:
            found = message.fields.get(name, "")
    return found.strip() or NOTHING


def _fit(name: str, value: str, expires: datetime, now: datetime) -> str:
    """The value as a field of this kind takes it."""
    kind = _KIND.sub("", name)
    if kind in ("time", "date"):
        return moment(value, expires) or _written(now)
    limit = LIMITS.get(kind)
    return value if limit is None else cut(value, limit)


def moment(text: str, expires: datetime) -> str:
    """The time in a text as a field for times wants it: `2026年11月23日 21:30`, or `21:30` where no day is written; ""
    where there is none. The year is the one in which that day comes before the end."""
    found = _MOMENT.search(text)
    if found is None:
        return ""
    clock = f"{int(found['hour']):02}:{int(found['minute'] or 0):02}"
    if found["month"] is None:
        return clock
    end, month = expires.astimezone(BEIJING), int(found["month"])
    return f"{end.year - (month > end.month)}年{month}月{int(found['day'])}日 {clock}"


def _written(at: datetime) -> str:
    here = at.astimezone(BEIJING)
    return f"{here.year}年{here.month}月{here.day}日 {here.hour:02}:{here.minute:02}"

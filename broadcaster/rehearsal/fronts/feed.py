"""The weather office's feed: an Atom index (RFC 4287) of its CAP 1.2 messages, and the messages. Written from the
standards, apart from the adapter that reads them."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from broadcaster.alerts.alert import Colour, MsgType
from broadcaster.clock import BEIJING
from broadcaster.rehearsal.fronts.http import Asked, HttpFront
from broadcaster.rehearsal.logbook import Visited
from broadcaster.rehearsal.storm.office import Bulletin
from channels.line.wire import AnswerRow

if TYPE_CHECKING:
    from broadcaster.rehearsal.fronts.weather import Weather
    from broadcaster.rehearsal.stage import Stage

SENDER, OFFICE = "qx330212@weather.example.cn", "鄞州区气象台"
INDEX = "/cap.atom"
ATOM, CAP = "application/atom+xml; charset=utf-8", "application/cap+xml; charset=utf-8"
VALID = timedelta(hours=6)
DISTRICT, DISTRICT_NAME = "330212", "鄞州区"

_COLOURS = {Colour.RED: "红", Colour.ORANGE: "橙", Colour.YELLOW: "黄", Colour.BLUE: "蓝"}
_SEVERITIES = {Colour.RED: "Extreme", Colour.ORANGE: "Severe", Colour.YELLOW: "Moderate", Colour.BLUE: "Minor"}
_URGENCY = {Colour.RED: "Immediate", Colour.ORANGE: "Immediate", Colour.YELLOW: "Expected", Colour.BLUE: "Future"}
_CANCELS = "解除"
_FIRST = datetime(2026, 1, 1, tzinfo=UTC)
"""When a feed changed last in which nothing is yet."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message that is out: what it is called, when it was sent, and its document."""

    identifier: str
    sent: datetime
    headline: str
    document: bytes


def message(bulletin: Bulletin, before: Sequence[Message], now: datetime) -> Message:
    """The CAP message of a bulletin that follows those of `before`: an exercise."""
    sent = now.replace(microsecond=0).astimezone(BEIJING)
    identifier = f"{DISTRICT}QX_{sent:%Y%m%d%H%M%S}_{bulletin.number}"
    cancels = bulletin.msg_type is MsgType.CANCEL
    deed = _CANCELS if cancels else "发布"
    headline = f"{OFFICE}{deed}暴雨{_COLOURS[bulletin.colour]}色预警信号"
    return Message(identifier, sent, headline, _document(bulletin, identifier, sent, headline, before))


class FeedFront(HttpFront[None]):
    """One connection of whoever looks at the feed."""

    protocol = "weather"

    def __init__(self, stage: Stage, number: int, weather: Weather) -> None:
        super().__init__(stage, number)
        self._weather = weather

    def obey(self, asked: Asked) -> None:
        messages = self._weather.messages
        if asked.method == "GET" and asked.path == INDEX:
            status = self._give(asked, _index(messages), ATOM, _updated(messages))
            self.stage.logbook.write(Visited(time.time(), status))
            return
        name = asked.path.removeprefix("/cap/").removesuffix(".xml")
        found = next((one for one in messages if one.identifier == name), None)
        if asked.method == "GET" and found is not None:
            self._give(asked, found.document, CAP, found.sent)
        else:
            self.reply(b"not here\n", "text/plain", HTTPStatus.NOT_FOUND)

    def _give(self, asked: Asked, body: bytes, kind: str, changed: datetime) -> HTTPStatus:
        """Answer with `body`, or that it is as it was; which of the two."""
        fields = _validators(body, changed, datetime.now(UTC))
        if _is_known(asked.fields, fields):
            self.unchanged(fields)
            return HTTPStatus.NOT_MODIFIED
        self.reply(body, kind, fields=fields)
        return HTTPStatus.OK

    def answer(self, frame: None, answers: list[AnswerRow]) -> None:
        """Nobody sends messages here."""


def _validators(body: bytes, changed: datetime, now: datetime) -> dict[str, str]:
    """By what a client asks next time whether there is anything new. A moment of whole seconds tells it only once its
    second is over (RFC 9110, 8.8.2.2)."""
    fields = {"ETag": f'"{hashlib.sha256(body).hexdigest()[:32]}"'}
    if now - changed >= timedelta(seconds=1):
        fields["Last-Modified"] = format_datetime(changed.astimezone(UTC), usegmt=True)
    return fields


def _is_known(asked: Mapping[str, str], fields: Mapping[str, str]) -> bool:
    """Whether the client has what there is; where it shows an entity tag, that alone counts (RFC 9110, 13.2.2)."""
    if (tags := asked.get("if-none-match")) is not None:
        return tags == "*" or fields["ETag"] in [tag.strip().removeprefix("W/") for tag in tags.split(",")]
    since, changed = asked.get("if-modified-since"), fields.get("Last-Modified")
    if since is None or changed is None:
        return False
    try:
        return parsedate_to_datetime(changed) <= parsedate_to_datetime(since)
    except (ValueError, TypeError):
        return False  # no date, or one without its zone: as if it had not been said (RFC 9110, 13.1.3)


def _updated(messages: Sequence[Message]) -> datetime:
    return messages[-1].sent if messages else _FIRST


def _index(messages: Sequence[Message]) -> bytes:
    """The newest first."""
    entries = "".join(
        f"<entry><id>urn:cap:{one.identifier}</id><title>{escape(one.headline)}</title>"
        f"<updated>{one.sent.isoformat()}</updated>"
        f'<link type="application/cap+xml" href="cap/{one.identifier}.xml"/></entry>'
        for one in reversed(messages)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom">'
        f"<id>urn:cap:{DISTRICT}QX</id><title>{OFFICE}</title><author><name>{OFFICE}</name></author>"
        f"<updated>{_updated(messages).isoformat()}</updated>{entries}</feed>"
    ).encode()


def _document(bulletin: Bulletin, identifier: str, sent: datetime, headline: str, before: Sequence[Message]) -> bytes:
    colour, cancels = bulletin.colour, bulletin.msg_type is MsgType.CANCEL
    references = " ".join(f"{SENDER},{one.identifier},{one.sent.isoformat()}" for one in before)
    referring = f"<references>{references}</references>" if before else ""
    response = "AllClear" if cancels else "Prepare"
    return (
        '<?xml version="1.0" encoding="UTF-8"?><alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">'
        f"<identifier>{identifier}</identifier><sender>{SENDER}</sender><sent>{sent.isoformat()}</sent>"
        f"<status>Exercise</status><msgType>{bulletin.msg_type}</msgType><scope>Public</scope>{referring}"
        "<info><language>zh-CN</language><category>Met</category><event>暴雨</event>"
        f"<responseType>{response}</responseType><urgency>{'Past' if cancels else _URGENCY[colour]}</urgency>"
        f"<severity>{_SEVERITIES[colour]}</severity><certainty>Likely</certainty>"
        "<eventCode><valueName>GB/T 35561</valueName><value>11B03</value></eventCode>"
        f"<effective>{sent.isoformat()}</effective><expires>{(sent + VALID).isoformat()}</expires>"
        f"<senderName>{OFFICE}</senderName><headline>{escape(headline)}</headline>"
        f"<description>{escape(bulletin.text)}</description>"
        "<instruction>请关注最新的预警，远离低洼地带和山洪沟道，按照村、社区的安排行动。</instruction>"
        f"<area><areaDesc>{DISTRICT_NAME}</areaDesc><geocode><valueName>GB/T 2260</valueName>"
        f"<value>{DISTRICT}</value></geocode></area></info></alert>"
    ).encode()
